//! The cargo project: which package, which of its targets, and what it says of itself.

mod select;

use std::io;
use std::path::{Path, PathBuf};

use cargo_metadata::{MetadataCommand, Package};
use thiserror::Error;

use crate::options::BuildOptions;

/// A package and the one target of it that becomes the artifact.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    /// The directory of the package, in which cargo is run.
    pub(crate) directory: PathBuf,
    pub(crate) package: Package,
    pub(crate) target: Target,
    pub(crate) workspace_root: PathBuf,
    pub(crate) target_directory: PathBuf,
}

/// A target that links to a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A program, by name. It exports `wasi:cli/run`.
    Program(String),
    /// The library as a `cdylib`. It exports what its world says.
    Library,
}

/// Why there is nothing to build.
#[derive(Debug, Error)]
pub enum ProjectError {
    /// A path that does not exist or cannot be looked at.
    #[error("cannot look at `{path}`")]
    Path {
        /// The path as it was given.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// No `Cargo.toml` in the directory or above it.
    #[error("`{0}` is not a cargo project: there is no `Cargo.toml` in it or above it")]
    NotAProject(PathBuf),
    /// A file that is not called `Cargo.toml`.
    #[error("`{0}` is neither a directory nor a `Cargo.toml`")]
    NotAManifest(PathBuf),
    /// Cargo could not be started.
    #[error("cannot run `{program}`")]
    CargoMissing {
        /// The program.
        program: String,
        /// Why not.
        source: io::Error,
    },
    /// Cargo does not understand the project.
    #[error("cargo cannot read the project: {0}")]
    Metadata(String),
    /// The workspace has no package of this name.
    #[error("there is no package `{name}`; there is {}", list(known))]
    NoSuchPackage {
        /// The name that was asked for.
        name: String,
        /// The workspace's packages.
        known: Vec<String>,
    },
    /// A workspace in which several packages could be meant.
    #[error("the workspace has several packages that can be built: {}", list(.0))]
    SeveralPackages(Vec<String>),
    /// The package has no program of this name.
    #[error(
        "the package `{package}` has no program `{name}`; it has {}",
        list(known)
    )]
    NoSuchProgram {
        /// The package.
        package: String,
        /// The name that was asked for.
        name: String,
        /// The package's programs.
        known: Vec<String>,
    },
    /// A package in which several programs could be meant.
    #[error("the package `{package}` has several programs: {}", list(programs))]
    SeveralPrograms {
        /// The package.
        package: String,
        /// The package's programs.
        programs: Vec<String>,
    },
    /// A library that is only for other Rust crates.
    #[error(
        "the package `{0}` is a Rust library and not a `cdylib`, so it does not become a component"
    )]
    NotACdylib(String),
    /// A package without program and library, or a workspace without such a package.
    #[error("`{0}` has neither a program nor a `cdylib` to build")]
    NothingToBuild(String),
}

impl ProjectError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotAProject(_) | Self::NotAManifest(_) => {
                "give the directory of a cargo project, or its `Cargo.toml`".to_owned()
            }
            Self::CargoMissing { .. } => {
                "install Rust, or set `CARGO` to where cargo is".to_owned()
            }
            Self::NoSuchPackage { .. } => "name one of them with `--package NAME`".to_owned(),
            Self::NoSuchProgram { .. } => "name one of them with `--bin NAME`".to_owned(),
            Self::SeveralPackages(_) => "choose one with `--package NAME`".to_owned(),
            Self::SeveralPrograms { .. } => "choose one with `--bin NAME`".to_owned(),
            Self::NotACdylib(_) => {
                "add to its Cargo.toml:\n[lib]\ncrate-type = [\"cdylib\"]".to_owned()
            }
            _ => return None,
        })
    }
}

impl Project {
    /// Finds what `options` ask for. Nothing is fetched for it.
    pub(crate) fn find(options: &BuildOptions) -> Result<Self, ProjectError> {
        let manifest = manifest(&options.path)?;
        let metadata = metadata(options, &manifest)?;
        let package = select::package(&metadata, &manifest, options.package.as_deref())?.clone();
        let target = select::target(&package, options.bin.as_deref())?;
        let directory = package.manifest_path.parent();
        Ok(Self {
            directory: directory.unwrap_or(&metadata.workspace_root).into(),
            target,
            workspace_root: metadata.workspace_root.clone().into(),
            target_directory: metadata.target_directory.clone().into(),
            package,
        })
    }

    /// The name of what is built: the program's, or the package's for a library.
    pub(crate) fn name(&self) -> &str {
        match &self.target {
            Target::Program(name) => name,
            Target::Library => &self.package.name,
        }
    }
}

/// The nearest `Cargo.toml`, found as cargo finds it.
fn manifest(path: &Path) -> Result<PathBuf, ProjectError> {
    let unreadable = |source| ProjectError::Path {
        path: path.to_owned(),
        source,
    };
    let absolute = std::path::absolute(path).map_err(unreadable)?;
    if !path.metadata().map_err(unreadable)?.is_dir() {
        let is_manifest = absolute
            .file_name()
            .is_some_and(|name| name == "Cargo.toml");
        return if is_manifest {
            Ok(absolute)
        } else {
            Err(ProjectError::NotAManifest(path.to_owned()))
        };
    }
    let mut candidates = absolute.ancestors().map(|above| above.join("Cargo.toml"));
    candidates
        .find(|candidate| candidate.is_file())
        .ok_or_else(|| ProjectError::NotAProject(path.to_owned()))
}

fn metadata(
    options: &BuildOptions,
    manifest: &Path,
) -> Result<cargo_metadata::Metadata, ProjectError> {
    let directory = manifest.parent().unwrap_or(manifest);
    let mut cargo = options.environment.cargo(directory);
    cargo
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--manifest-path",
        ])
        .arg(manifest);
    options.add_resolution(&mut cargo);
    let output = cargo
        .output()
        .map_err(|source| ProjectError::CargoMissing {
            program: cargo.get_program().to_string_lossy().into_owned(),
            source,
        })?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        let words = words.trim();
        return Err(ProjectError::Metadata(
            words.strip_prefix("error: ").unwrap_or(words).to_owned(),
        ));
    }
    MetadataCommand::parse(String::from_utf8_lossy(&output.stdout))
        .map_err(|error| ProjectError::Metadata(error.to_string()))
}

fn list(names: &[String]) -> String {
    match names {
        [] => "none".to_owned(),
        names => format!("`{}`", names.join("`, `")),
    }
}
