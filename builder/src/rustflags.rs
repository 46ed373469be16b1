//! Compiler flags that keep the paths of this machine out of the component.
//!
//! A panic carries the path of its source file, and for a dependency that is an absolute
//! path under the user's home. It would tell everyone who built it, and make the same
//! source another artifact on another machine. What the compiler says on stderr keeps its paths,
//! where the compiler can tell the two apart.

use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::environment::Environment;
use crate::project::Project;
use crate::toolchain::TARGET;

/// Between flags in `CARGO_ENCODED_RUSTFLAGS`.
const SEPARATOR: &str = "\x1f";

/// Paths are replaced in what is compiled, and not in what the compiler says. Rust 1.95 has it.
const OUTPUT_ONLY: &str = "--remap-path-scope=object";

const ENCODED: &str = "CARGO_ENCODED_RUSTFLAGS";
const FOR_TARGET: &str = "CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS";
const FOR_ALL: &str = "CARGO_BUILD_RUSTFLAGS";

/// The variable, and its value, that adds our flags to the user's.
///
/// Cargo takes flags from one place only: `CARGO_ENCODED_RUSTFLAGS`, else `RUSTFLAGS`, else
/// what the configuration has for the target, else what it has under `build`. So ours go
/// where the user's are, that none of those is lost.
pub(crate) fn variable(environment: &Environment, project: &Project) -> (&'static str, String) {
    let mut ours = flags(&replacements(environment, project));
    let configured = Seen::all(environment, &project.directory);
    // Of another compiler than the one that answers here it is not known what it takes.
    let is_ours = !configured.compiler && environment.get("CARGO_BUILD_RUSTC").is_none();
    if is_ours && takes(environment, &project.directory, OUTPUT_ONLY) {
        ours.push(OUTPUT_ONLY.to_owned());
    }
    if let Some(theirs) = environment.text(ENCODED) {
        return (ENCODED, join(theirs.split(SEPARATOR), &ours, SEPARATOR));
    }
    if let Some(theirs) = environment.text("RUSTFLAGS") {
        let theirs = theirs.split_ascii_whitespace();
        return (ENCODED, join(theirs, &ours, SEPARATOR));
    }
    let name = match configured.decide() {
        Configured::Nowhere => return (ENCODED, ours.join(SEPARATOR)),
        Configured::ForTarget => FOR_TARGET,
        Configured::ForAll => FOR_ALL,
    };
    // These two variables are split at spaces, and nothing can quote one.
    let fitting: Vec<String> = ours
        .into_iter()
        .filter(|flag| !flag.contains(char::is_whitespace))
        .collect();
    let theirs = environment.text(name).unwrap_or_default();
    (name, join(theirs.split_ascii_whitespace(), &fitting, " "))
}

/// Whether the compiler of a project takes a flag.
fn takes(environment: &Environment, directory: &Path, flag: &str) -> bool {
    let mut rustc = environment.rustc(directory);
    rustc.args([flag, "--print", "sysroot"]);
    rustc.output().is_ok_and(|output| output.status.success())
}

fn join<'a>(theirs: impl Iterator<Item = &'a str>, ours: &'a [String], separator: &str) -> String {
    let theirs = theirs.filter(|flag| !flag.is_empty());
    let all: Vec<&str> = theirs.chain(ours.iter().map(String::as_str)).collect();
    all.join(separator)
}

/// Directories of this machine with what stands for them. Of several that a path begins
/// with, the compiler takes the last, so the longest comes last.
fn replacements(environment: &Environment, project: &Project) -> Vec<(PathBuf, String)> {
    let mut all = vec![
        (project.workspace_root.clone(), "/workspace".to_owned()),
        (project.target_directory.clone(), "/target".to_owned()),
    ];
    all.extend(
        environment
            .cargo_home()
            .map(|home| (home, "/cargo".to_owned())),
    );
    for dependency in &project.package.dependencies {
        if let Some(path) = &dependency.path {
            let stand_in = format!("/dependencies/{}", dependency.name);
            all.push((path.clone().into(), stand_in));
        }
    }
    // What lies in the workspace has its place there already.
    all.retain(|(path, stand_in)| {
        !stand_in.starts_with("/dependencies/") || !path.starts_with(&project.workspace_root)
    });
    all.sort_by_key(|(path, _)| path.as_os_str().len());
    all
}

fn flags(replacements: &[(PathBuf, String)]) -> Vec<String> {
    replacements
        .iter()
        .filter_map(|(path, stand_in)| {
            Some(format!("--remap-path-prefix={}={stand_in}", path.to_str()?))
        })
        .collect()
}

/// Where the user's configuration has flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Configured {
    Nowhere,
    ForTarget,
    ForAll,
}

/// What the configuration files have.
#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a place that may or may not have something"
)]
struct Seen {
    for_target: bool,
    by_cfg: bool,
    for_all: bool,
    /// A compiler of their own.
    compiler: bool,
}

impl Seen {
    fn all(environment: &Environment, directory: &Path) -> Self {
        let mut seen = Self {
            for_target: environment.get(FOR_TARGET).is_some(),
            for_all: environment.get(FOR_ALL).is_some(),
            ..Self::default()
        };
        let above = directory.ancestors().map(|above| above.join(".cargo"));
        for place in above.chain(environment.cargo_home()) {
            for name in ["config.toml", "config"] {
                let text = fs::read_to_string(place.join(name)).unwrap_or_default();
                // What is wrong with it cargo will say.
                seen.look_at(&text.parse().unwrap_or_default());
            }
        }
        seen
    }

    fn look_at(&mut self, config: &Table) {
        let has_flags = |table: &Value| table.get("rustflags").is_some();
        self.for_all |= config.get("build").is_some_and(has_flags);
        let compiler = config.get("build").and_then(|build| build.get("rustc"));
        self.compiler |= compiler.is_some();
        let targets = config.get("target").and_then(Value::as_table);
        for (name, table) in targets.into_iter().flatten() {
            self.for_target |= name == TARGET && has_flags(table);
            self.by_cfg |= name.starts_with("cfg(") && has_flags(table);
        }
    }

    /// Whether a `cfg(…)` is true for the target is not known here. Taken for true where it
    /// is not, it would turn the flags under `build` off; the other way round only our own
    /// flags are lost.
    fn decide(&self) -> Configured {
        match self {
            Self {
                for_target: true, ..
            } => Configured::ForTarget,
            Self { for_all: true, .. } => Configured::ForAll,
            Self { by_cfg: true, .. } => Configured::ForTarget,
            Self { .. } => Configured::Nowhere,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(configs: &[&str]) -> Configured {
        let mut seen = Seen::default();
        for config in configs {
            seen.look_at(&config.parse().unwrap());
        }
        seen.decide()
    }

    #[test]
    fn flags_go_where_the_users_are() {
        let other = "[target.x86_64-unknown-linux-gnu]\nrustflags = ['-Clinker=x']";
        let build = "[build]\nrustflags = '-Copt-level=1'";
        let target = "[target.wasm32-wasip2]\nrustflags = []";
        let cfg = "[target.'cfg(unix)']\nrustflags = []";
        assert_eq!(decide(&[other]), Configured::Nowhere);
        assert_eq!(decide(&[other, build]), Configured::ForAll);
        assert_eq!(decide(&[build, target]), Configured::ForTarget);
        assert_eq!(decide(&[cfg]), Configured::ForTarget);
        assert_eq!(decide(&[cfg, build]), Configured::ForAll);
    }

    #[test]
    fn a_compiler_of_their_own_is_not_given_flags_that_it_may_not_know() {
        let mut seen = Seen::default();
        seen.look_at(&"[build]\njobs = 1".parse().unwrap());
        assert!(!seen.compiler);
        seen.look_at(&"[build]\nrustc = \"old\"".parse().unwrap());
        assert!(seen.compiler);
    }

    #[test]
    fn the_users_flags_come_first() {
        let ours = ["--remap-path-prefix=/a=/b".to_owned()];
        let joined = join("-Ca  -Cb".split(' '), &ours, SEPARATOR);
        assert_eq!(joined, "-Ca\x1f-Cb\x1f--remap-path-prefix=/a=/b");
        assert_eq!(join("".split(' '), &ours, " "), "--remap-path-prefix=/a=/b");
    }
}
