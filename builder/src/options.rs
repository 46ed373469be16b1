//! What to build and how.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use crate::engine::Optimizer;
use crate::environment::Environment;

/// What to build and how.
#[derive(Clone, Debug)]
pub struct BuildOptions {
    /// The project: a directory in it, or its `Cargo.toml`.
    pub path: PathBuf,
    /// Which package of a workspace.
    pub package: Option<String>,
    /// Which program of a package that has several.
    pub bin: Option<String>,
    /// Which of the package's features.
    pub features: Features,
    /// The cargo profile.
    pub profile: String,
    /// `cargo --locked`: `Cargo.lock` must be up to date.
    pub locked: bool,
    /// `cargo --offline`: no network.
    pub offline: bool,
    /// `cargo --frozen`: both.
    pub frozen: bool,
    /// What makes the core modules small.
    pub optimizer: Optimizer,
    /// What becomes of the names of functions.
    pub names: Names,
    /// Where the layout goes; `wasmport/<name>` in cargo's target directory when not given.
    pub output: Option<PathBuf>,
    /// Annotations of the manifest beside those from `Cargo.toml` and git, and before them.
    pub annotations: BTreeMap<String, String>,
    /// The caller's environment.
    pub environment: Environment,
}

/// What becomes of the names of functions and of a component's parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Names {
    /// They are left out: no runtime needs them.
    #[default]
    Dropped,
    /// They stay, for backtraces and for those who look for where an import comes from.
    Kept,
}

/// Features of a package, as cargo's options name them.
#[derive(Clone, Debug, Default)]
pub struct Features {
    /// `--features`.
    pub named: Vec<String>,
    /// `--all-features`.
    pub all: bool,
    /// `--no-default-features`.
    pub no_default: bool,
}

impl BuildOptions {
    /// The defaults for a project: its only program, in release, as small as we can.
    pub fn new(path: impl Into<PathBuf>, environment: Environment) -> Self {
        Self {
            path: path.into(),
            package: None,
            bin: None,
            features: Features::default(),
            profile: "release".to_owned(),
            locked: false,
            offline: false,
            frozen: false,
            optimizer: Optimizer::default(),
            names: Names::default(),
            output: None,
            annotations: BTreeMap::new(),
            environment,
        }
    }

    /// Adds what says how cargo may resolve dependencies.
    pub(crate) fn add_resolution(&self, cargo: &mut Command) {
        let flags = [
            (self.locked, "--locked"),
            (self.offline, "--offline"),
            (self.frozen, "--frozen"),
        ];
        cargo.args(flags.iter().filter(|(set, _)| *set).map(|(_, flag)| flag));
    }
}

impl Features {
    pub(crate) fn add_to(&self, cargo: &mut Command) {
        if !self.named.is_empty() {
            cargo.arg("--features").arg(self.named.join(","));
        }
        if self.all {
            cargo.arg("--all-features");
        }
        if self.no_default {
            cargo.arg("--no-default-features");
        }
    }
}
