//! Cargo makes the component: `cargo build --target wasm32-wasip2`.

use std::fs;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use cargo_metadata::{Artifact, Message};
use thiserror::Error;
use wasmport_artifact::{InspectError, limits, validate};

use crate::event::Event;
use crate::options::{BuildOptions, Names};
use crate::project::{Project, Target};
use crate::rustflags;
use crate::toolchain::TARGET;

/// Why there is no component.
#[derive(Debug, Error)]
pub enum CompileError {
    /// Cargo could not be started, or its answers could not be read.
    #[error("cannot run cargo")]
    Cargo(#[source] io::Error),
    /// The code does not compile; the compiler has said on stderr what is wrong.
    #[error("`{0}` does not compile")]
    Failed(String),
    /// Cargo stopped before it compiled anything: a lock file that would change, a
    /// dependency that cannot be fetched, an unknown feature or profile. It has said on
    /// stderr which.
    #[error("cargo could not begin to compile `{0}`")]
    NotBegun(String),
    /// Cargo succeeded and named no `.wasm` file.
    #[error("cargo made no `.wasm` file for `{0}`")]
    NoArtifact(String),
    /// The file that cargo named cannot be read.
    #[error("cannot read `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is larger than the limit.
    #[error("`{0}` has more than {max} bytes", max = limits::WASM_BYTES)]
    TooLarge(PathBuf),
    /// The file is not a component that a registry would take.
    #[error("`{path}` is not valid")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: InspectError,
    },
}

/// Compiles and gives the bytes as cargo made them. What cargo says goes to stderr while it
/// says it.
pub(crate) fn compile(
    options: &BuildOptions,
    project: &Project,
    progress: &mut dyn FnMut(Event),
) -> Result<Vec<u8>, CompileError> {
    progress(Event::Compiling {
        package: project.package.name.to_string(),
        version: project.package.version.to_string(),
    });
    let started = Instant::now();
    let path = run(command(options, project), project)?;
    let bytes = read(&path)?;
    validate(&bytes).map_err(|source| CompileError::Invalid { path, source })?;
    progress(Event::Compiled {
        size: bytes.len() as u64,
        duration: started.elapsed(),
    });
    Ok(bytes)
}

fn command(options: &BuildOptions, project: &Project) -> Command {
    let mut cargo = options.environment.cargo(&project.directory);
    cargo
        .args(["build", "--message-format=json-render-diagnostics"])
        .args(["--target", TARGET, "--profile", &options.profile])
        .arg("--manifest-path")
        .arg(&project.package.manifest_path);
    match &project.target {
        Target::Program(name) => cargo.args(["--bin", name]),
        Target::Library => cargo.arg("--lib"),
    };
    options.features.add_to(&mut cargo);
    options.add_resolution(&mut cargo);
    let (name, flags) = rustflags::variable(&options.environment, project);
    cargo.env(name, flags);
    if options.names == Names::Kept {
        // A profile of the project may strip them.
        let profile = options.profile.to_uppercase().replace('-', "_");
        cargo.env(format!("CARGO_PROFILE_{profile}_STRIP"), "debuginfo");
    }
    cargo.stdin(Stdio::null()).stdout(Stdio::piped());
    cargo
}

/// Runs cargo to its end and gives the path of the file that it made for the target.
fn run(mut cargo: Command, project: &Project) -> Result<PathBuf, CompileError> {
    let mut child = cargo.spawn().map_err(CompileError::Cargo)?;
    let (mut found, mut has_begun) = (None, false);
    if let Some(output) = child.stdout.take() {
        for message in Message::parse_stream(BufReader::new(output)) {
            match message.map_err(CompileError::Cargo)? {
                Message::CompilerArtifact(artifact) => {
                    found = wasm_file(&artifact, project).or(found);
                }
                Message::BuildFinished(_) => has_begun = true,
                _ => {}
            }
        }
    }
    let succeeded = child.wait().map_err(CompileError::Cargo)?.success();
    let name = project.name().to_owned();
    match found {
        Some(path) if succeeded => Ok(path),
        _ if succeeded => Err(CompileError::NoArtifact(name)),
        _ if has_begun => Err(CompileError::Failed(name)),
        _ => Err(CompileError::NotBegun(name)),
    }
}

fn wasm_file(artifact: &Artifact, project: &Project) -> Option<PathBuf> {
    let is_it = match &project.target {
        Target::Program(name) => artifact.target.is_bin() && artifact.target.name == *name,
        Target::Library => artifact.target.is_cdylib() || artifact.target.is_lib(),
    };
    if artifact.package_id != project.package.id || !is_it {
        return None;
    }
    let mut files = artifact.filenames.iter();
    let file = files.find(|file| file.extension() == Some("wasm"))?;
    Some(file.clone().into())
}

fn read(path: &Path) -> Result<Vec<u8>, CompileError> {
    let unreadable = |source| CompileError::Read {
        path: path.to_owned(),
        source,
    };
    let file = fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(limits::WASM_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > limits::WASM_BYTES {
        return Err(CompileError::TooLarge(path.to_owned()));
    }
    Ok(bytes)
}
