//! Worlds of WASI that an artifact fits: they offer all that it imports, and it exports all that they ask for.

use crate::inspection::{Export, Import, ItemKind};
use crate::interface_name::InterfaceName;

/// A world of a track of WASI. Interfaces are `package/interface` in the namespace `wasi`.
struct World {
    name: &'static str,
    track: (u64, u64),
    imports: &'static [&'static [&'static str]],
    exports: &'static [&'static str],
}

/// `wasi:io` is a package of 0.2 only; 0.3 has it in the component model.
const IO: &[&str] = &["io/error", "io/poll", "io/streams"];
const STDIO: &[&str] = &["cli/stdin", "cli/stdout", "cli/stderr"];
const CLI: &[&str] = &[
    "cli/environment",
    "cli/exit",
    "cli/terminal-input",
    "cli/terminal-output",
    "cli/terminal-stdin",
    "cli/terminal-stdout",
    "cli/terminal-stderr",
];
const RANDOM: &[&str] = &["random/random", "random/insecure", "random/insecure-seed"];
const FILES: &[&str] = &["filesystem/types", "filesystem/preopens"];
const CLOCKS_02: &[&str] = &[
    "clocks/monotonic-clock",
    "clocks/wall-clock",
    "clocks/timezone",
];
const CLOCKS_03: &[&str] = &[
    "clocks/types",
    "clocks/monotonic-clock",
    "clocks/system-clock",
    "clocks/timezone",
];
const SOCKETS_02: &[&str] = &[
    "sockets/network",
    "sockets/instance-network",
    "sockets/tcp",
    "sockets/tcp-create-socket",
    "sockets/udp",
    "sockets/udp-create-socket",
    "sockets/ip-name-lookup",
];
const SOCKETS_03: &[&str] = &["sockets/types", "sockets/ip-name-lookup"];
const HTTP_02: &[&str] = &["http/types", "http/outgoing-handler"];
const HTTP_03: &[&str] = &["http/types", "http/client"];
/// `std`'s 0.3 types for standard streams.
const CLI_TYPES: &[&str] = &["cli/types"];

/// After `proposals/*/wit` of WASI 0.2.12 and 0.3.0.
const WORLDS: [World; 5] = [
    World {
        name: "wasi:cli/command@0.2",
        track: (0, 2),
        imports: &[IO, STDIO, CLI, CLOCKS_02, RANDOM, FILES, SOCKETS_02],
        exports: &["cli/run"],
    },
    World {
        name: "wasi:http/proxy@0.2",
        track: (0, 2),
        imports: &[IO, STDIO, CLOCKS_02, &["random/random"], HTTP_02],
        exports: &["http/incoming-handler"],
    },
    World {
        name: "wasi:cli/command@0.3",
        track: (0, 3),
        imports: &[STDIO, CLI, CLI_TYPES, CLOCKS_03, RANDOM, FILES, SOCKETS_03],
        exports: &["cli/run"],
    },
    World {
        name: "wasi:http/service@0.3",
        track: (0, 3),
        imports: &[STDIO, CLI_TYPES, CLOCKS_03, RANDOM, HTTP_03],
        exports: &["http/handler"],
    },
    World {
        name: "wasi:http/middleware@0.3",
        track: (0, 3),
        imports: &[
            STDIO,
            CLI_TYPES,
            CLOCKS_03,
            RANDOM,
            HTTP_03,
            &["http/handler"],
        ],
        exports: &["http/handler"],
    },
];

/// The worlds that a component fits, by name.
pub(super) fn worlds(imports: &[Import], exports: &[Export]) -> Vec<String> {
    let fitting = WORLDS.iter().filter(|world| world.fits(imports, exports));
    fitting.map(|world| world.name.to_owned()).collect()
}

impl World {
    fn fits(&self, imports: &[Import], exports: &[Export]) -> bool {
        let exported: Vec<_> = exports.iter().filter_map(Export::interface).collect();
        let all_there = self
            .exports
            .iter()
            .all(|asked| exported.iter().any(|name| self.is(name, asked)));
        all_there && imports.iter().all(|import| self.offers(import))
    }

    fn offers(&self, import: &Import) -> bool {
        match import.kind {
            // An instance under a label is not what the world has under the interface's name.
            ItemKind::Instance if import.implements.is_none() => {
                import.interface().is_some_and(|name| {
                    let mut offered = self.imports.iter().copied().flatten();
                    offered.any(|offered| self.is(&name, offered))
                })
            }
            // Types need nothing of a host, but resources do.
            ItemKind::Type => import.resources.is_empty(),
            _ => false,
        }
    }

    fn is(&self, name: &InterfaceName, path: &str) -> bool {
        let in_track = |version: &semver::Version| {
            (version.major, version.minor) == self.track && version.pre.is_empty()
        };
        name.namespace == "wasi"
            && name.version.as_ref().is_some_and(in_track)
            && path.split_once('/') == Some((name.package.as_str(), name.interface.as_str()))
    }
}
