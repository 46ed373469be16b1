//! The catalogue of capabilities beside the definitions of WASI that Wasmtime and the crates for WASI's
//! releases carry: nothing that WASI has is unknown to it, and of what is released it has nothing else.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::{MetadataCommand, Package};
use wasmport_artifact::InterfaceName;
use wasmport_policies::{KNOWN_RELEASES, KnownCapability, known_capabilities};
use wit_parser::Resolve;

/// The packages that are in the lock file.
fn packages() -> Vec<Package> {
    let metadata = MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .exec()
        .unwrap();
    metadata.packages
}

/// The one that this crate depends on, beside which others may have another version of it.
fn package(name: &str) -> Package {
    let mut found: Vec<Package> = packages();
    found.retain(|package| package.name.as_str() == name);
    found.sort_by(|one, other| one.version.cmp(&other.version));
    found.pop().unwrap_or_else(|| panic!("no package `{name}`"))
}

fn sources(package: &Package) -> PathBuf {
    package.manifest_path.parent().unwrap().into()
}

/// Functions by interface.
type Interfaces = BTreeMap<InterfaceName, BTreeSet<String>>;

/// Every interface of WASI in a directory of WIT, with its functions as the catalogue writes them.
fn interfaces(directory: &Path) -> Interfaces {
    let mut resolve = Resolve {
        all_features: true,
        ..Resolve::default()
    };
    resolve
        .push_dir(directory)
        .unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let named = resolve.interfaces.iter().filter_map(|(id, interface)| {
        let name: InterfaceName = resolve.id_of(id)?.parse().ok()?;
        let functions = interface.functions.keys().map(|name| plain(name));
        Some((name, functions.collect()))
    });
    let of_wasi = named.filter(|(name, _)| name.namespace == "wasi");
    of_wasi.collect()
}

/// Without `[method]` and the like.
fn plain(function: &str) -> String {
    let name = function.split_once(']').map_or(function, |(_, name)| name);
    name.to_owned()
}

/// All definitions that there are here, of WASI 0.2 and of 0.3.
fn definitions() -> Vec<Interfaces> {
    let wasmtime = sources(&package("wasmtime-wasi"));
    let directories = [
        wasmtime.join("src/p2/wit"),
        wasmtime.join("src/p3/wit"),
        sources(&package("wasip2")).join("wit"),
        sources(&package("wasip3")).join("wit"),
    ];
    let definitions: Vec<_> = directories.iter().map(|it| interfaces(it)).collect();
    for (found, directory) in definitions.iter().zip(&directories) {
        assert!(found.len() > 20, "{}: {}", directory.display(), found.len());
    }
    definitions
}

/// Whether an interface is listed with a capability, or some of its functions are.
fn holds(capability: &KnownCapability, name: &InterfaceName) -> bool {
    let by_function = capability.functions.iter().flat_map(|known| &known.imports);
    let mut known = capability.interfaces.iter().chain(by_function);
    known.any(|known| {
        let known = known.parse::<InterfaceName>();
        known.is_ok_and(|known| known.same_track(name))
    })
}

/// The functions that the catalogue names of an import.
fn listed(is_it: &dyn Fn(&str) -> bool) -> BTreeSet<String> {
    let capabilities = known_capabilities();
    let known = capabilities.iter().flat_map(|it| &it.functions);
    let known = known.filter(|known| known.imports.iter().any(|name| is_it(name)));
    known.flat_map(|known| known.functions.clone()).collect()
}

fn listed_of(name: &InterfaceName) -> BTreeSet<String> {
    listed(&|known| {
        let known = known.parse::<InterfaceName>();
        known.is_ok_and(|known| known.same_track(name))
    })
}

fn is_split(name: &InterfaceName) -> bool {
    name.package == "filesystem" && name.interface == "types"
}

#[test]
fn every_interface_of_wasi_asks_for_one_capability_or_is_judged_by_its_functions() {
    for name in definitions().iter().flat_map(BTreeMap::keys) {
        let all = known_capabilities();
        let asked = all.iter().filter(|known| holds(known, name)).count();
        let is_right = if is_split(name) {
            asked > 1
        } else {
            asked == 1
        };
        assert!(is_right, "{name}: {asked}");
    }
}

#[test]
fn every_function_of_wasi_is_listed_and_no_other() {
    let mut defined: Vec<(InterfaceName, BTreeSet<String>)> = Vec::new();
    for (name, functions) in definitions().into_iter().flatten() {
        match defined
            .iter_mut()
            .find(|(known, _)| known.same_track(&name))
        {
            Some((_, known)) => known.extend(functions),
            None => defined.push((name, functions)),
        }
    }
    let number: usize = defined.iter().map(|(_, functions)| functions.len()).sum();
    assert!(number > 300, "{number}");
    for (name, functions) in &defined {
        if is_split(name) {
            // It has one list for both tracks.
            let unknown: Vec<_> = functions.difference(&listed_of(name)).cloned().collect();
            assert!(unknown.is_empty(), "{name}: {unknown:?}");
        } else {
            assert_eq!(&listed_of(name), functions, "{name}");
        }
    }
    // What is not released is not among these definitions.
    let is_released = |name: &InterfaceName| {
        let version = name.version.as_ref();
        version.is_some_and(|version| version.pre.is_empty())
    };
    let capabilities = known_capabilities();
    let known = capabilities.iter().flat_map(|it| &it.interfaces);
    for name in known.filter_map(|name| name.parse::<InterfaceName>().ok()) {
        let is_defined = defined.iter().any(|(known, _)| known.same_track(&name));
        assert!(is_defined || !is_released(&name), "{name}");
    }
}

#[test]
fn the_releases_that_findings_name_are_those_that_were_compared() {
    let releases = ["wasip2", "wasip3"].map(|name| {
        let build = package(name).version.build.to_string();
        build.trim_start_matches("wasi-").to_owned()
    });
    assert_eq!(KNOWN_RELEASES, releases.join(" and "));
}

#[test]
fn every_function_of_preview1_is_listed_and_no_other() {
    let wasmtime = sources(&package("wasmtime-wasi"));
    let witx = wasmtime.join("witx/p1/wasi_snapshot_preview1.witx");
    let witx = std::fs::read_to_string(witx).unwrap();
    let exports = witx.split("(@interface func (export \"").skip(1);
    let functions: BTreeSet<_> = exports
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect();
    assert_eq!(
        listed(&|known| known == "wasi_snapshot_preview1"),
        functions
    );
}
