//! Everything that can go wrong in a build, with its kind and what to do about it.

use thiserror::Error;

use crate::compile::CompileError;
use crate::layout::LayoutError;
use crate::project::ProjectError;
use crate::timestamp::TimestampError;
use crate::toolchain::ToolchainError;

/// Why there is no artifact.
#[derive(Debug, Error)]
pub enum BuildError {
    /// There is nothing to build.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// `SOURCE_DATE_EPOCH` is not a time.
    #[error(transparent)]
    Timestamp(#[from] TimestampError),
    /// Nothing can be compiled for the target.
    #[error(transparent)]
    Toolchain(#[from] ToolchainError),
    /// The optimizer that was named cannot be run.
    #[error("cannot use the optimizer that was asked for: {0}")]
    Optimizer(String),
    /// There is no component.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// What came out cannot be inspected.
    #[error("cannot inspect the component")]
    Inspect(#[from] wasmport_artifact::InspectError),
    /// The layout cannot be written.
    #[error(transparent)]
    Layout(#[from] LayoutError),
}

/// What kind of error it is, for an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The project or the options are not as they must be.
    Usage,
    /// The project's code does not compile.
    Compile,
    /// A program is missing or cannot do what is asked of it, for want of a network for
    /// example.
    Tool,
    /// Files cannot be read or written.
    Io,
}

impl BuildError {
    /// What kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Project(ProjectError::CargoMissing { .. })
            | Self::Toolchain(_)
            | Self::Optimizer(_)
            | Self::Compile(
                CompileError::Cargo(_) | CompileError::NotBegun(_) | CompileError::Invalid { .. },
            )
            | Self::Inspect(_) => ErrorKind::Tool,
            Self::Project(_) | Self::Timestamp(_) => ErrorKind::Usage,
            Self::Compile(CompileError::Failed(_) | CompileError::NoArtifact(_)) => {
                ErrorKind::Compile
            }
            Self::Layout(LayoutError::NotReplaced(_) | LayoutError::Several { .. }) => {
                ErrorKind::Usage
            }
            Self::Compile(_) | Self::Layout(_) => ErrorKind::Io,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Project(error) => error.hint(),
            Self::Toolchain(error) => error.hint(),
            Self::Layout(error) => error.hint(),
            Self::Compile(CompileError::NotBegun(_)) => Some("cargo said why above".to_owned()),
            Self::Optimizer(_) => {
                Some("install Binaryen, or build with `--no-optimize`".to_owned())
            }
            _ => None,
        }
    }
}
