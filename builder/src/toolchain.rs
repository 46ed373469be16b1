//! The target `wasm32-wasip2`: is it there, and can rustup install it.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use thiserror::Error;

use crate::environment::Environment;
use crate::event::Event;

/// The target that components are compiled for.
pub(crate) const TARGET: &str = "wasm32-wasip2";

/// Why nothing can be compiled for the target.
#[derive(Debug, Error)]
pub enum ToolchainError {
    /// The compiler could not be started.
    #[error("cannot run `{program}`")]
    CompilerMissing {
        /// The program.
        program: String,
        /// Why not.
        source: io::Error,
    },
    /// The compiler does not know the target.
    #[error("the compiler cannot compile for `{TARGET}`: {0}")]
    UnknownTarget(String),
    /// The target's standard library is missing and there is no rustup.
    #[error(
        "the standard library for `{TARGET}` is not installed, and rustup is not there to install it"
    )]
    TargetMissing(#[source] io::Error),
    /// Rustup could not install the target.
    #[error(
        "the standard library for `{TARGET}` is not installed, and rustup could not install it"
    )]
    NotInstalled,
    /// Rustup has installed the target, for another compiler than the one that is run.
    #[error("rustup has installed `{TARGET}`, but `{0}` is not from rustup and has it not")]
    OtherCompiler(String),
}

impl ToolchainError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::CompilerMissing { .. } => "install Rust, or set `RUSTC` to where rustc is",
            Self::UnknownTarget(_) => "Rust 1.82 is the first that has the target",
            Self::TargetMissing(_) | Self::OtherCompiler(_) => {
                "install it as you installed Rust, or use rustup: \
                 Debian and Ubuntu have it in `libstd-rust-dev-wasm32`, \
                 Fedora in `rust-std-static-wasm32-wasip2`"
            }
            Self::NotInstalled => "rustup said why above; it needs the network for this",
        };
        Some(hint.to_owned())
    }
}

/// Sees to it that the toolchain which cargo will use in `project` has the target.
pub(crate) fn ensure_target(
    environment: &Environment,
    project: &Path,
    progress: &mut dyn FnMut(Event),
) -> Result<(), ToolchainError> {
    if has_target(environment, project)? {
        return Ok(());
    }
    progress(Event::InstallingTarget { target: TARGET });
    install(environment, project)?;
    if has_target(environment, project)? {
        return Ok(());
    }
    let rustc = environment.rustc(project);
    Err(ToolchainError::OtherCompiler(name(rustc.get_program())))
}

fn has_target(environment: &Environment, project: &Path) -> Result<bool, ToolchainError> {
    let mut rustc = environment.rustc(project);
    rustc.args(["--print", "target-libdir", "--target", TARGET]);
    let output = rustc
        .output()
        .map_err(|source| ToolchainError::CompilerMissing {
            program: name(rustc.get_program()),
            source,
        })?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        return Err(ToolchainError::UnknownTarget(words.trim().to_owned()));
    }
    let directory = String::from_utf8_lossy(&output.stdout);
    let mut entries = PathBuf::from(directory.trim()).read_dir();
    Ok(entries
        .as_mut()
        .is_ok_and(|entries| entries.next().is_some()))
}

/// Rustup, run in the project, installs for the toolchain that the project asks for.
fn install(environment: &Environment, project: &Path) -> Result<(), ToolchainError> {
    let status = environment
        .command(OsStr::new("rustup"), project)
        .args(["target", "add", TARGET])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .map_err(ToolchainError::TargetMissing)?;
    if status.success() {
        Ok(())
    } else {
        Err(ToolchainError::NotInstalled)
    }
}

fn name(program: &OsStr) -> String {
    program.to_string_lossy().into_owned()
}
