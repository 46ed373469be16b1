//! What a build says while it runs.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Something that a person who waits would like to know. Its text form is a line for a
/// terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The target is missing and rustup is installing it.
    InstallingTarget {
        /// The name of the target.
        target: &'static str,
    },
    /// Cargo starts; its own words go to stderr.
    Compiling {
        /// The package's name.
        package: String,
        /// The package's version.
        version: String,
    },
    /// Cargo is done.
    Compiled {
        /// The size of the component in bytes.
        size: u64,
        /// How long cargo took.
        duration: Duration,
    },
    /// A core module goes to the optimizer.
    Optimizing {
        /// The optimizer's name.
        optimizer: String,
        /// The size of the module in bytes, without debug information.
        size: u64,
    },
    /// A core module has come back smaller.
    Optimized {
        /// The size before, in bytes.
        before: u64,
        /// The size now, in bytes.
        after: u64,
        /// How long it took.
        duration: Duration,
    },
    /// A core module stays as it was.
    ModuleKept {
        /// Its size in bytes.
        size: u64,
        /// Why.
        reason: String,
    },
    /// The whole component stays as cargo made it.
    ComponentKept {
        /// Why.
        reason: String,
    },
    /// The layout is on disk.
    Written {
        /// The directory.
        layout: PathBuf,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InstallingTarget { target } => {
                write!(out, "installing the target `{target}` with rustup")
            }
            Self::Compiling { package, version } => write!(out, "compiling {package} {version}"),
            Self::Compiled { size, duration } => {
                write!(out, "compiled to {size} bytes in {duration:.1?}")
            }
            Self::Optimizing { optimizer, size } => {
                write!(out, "optimising {size} bytes with {optimizer}")
            }
            Self::Optimized {
                before,
                after,
                duration,
            } => write!(out, "optimised {before} to {after} bytes in {duration:.1?}"),
            Self::ModuleKept { size, reason } => {
                write!(
                    out,
                    "kept a core module of {size} bytes as it was: {reason}"
                )
            }
            Self::ComponentKept { reason } => {
                write!(out, "kept the component as cargo made it: {reason}")
            }
            Self::Written { layout } => write!(out, "wrote `{}`", layout.display()),
        }
    }
}
