//! What makes a core module small: Binaryen, compiled in or as a program.

#[cfg(feature = "embedded-wasm-opt")]
mod embedded;
mod external;

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

use thiserror::Error;

use crate::options::Names;

/// What makes the core modules small.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Optimizer {
    /// Nothing does: the component stays as cargo made it.
    None,
    /// Binaryen 116, compiled in.
    #[cfg(feature = "embedded-wasm-opt")]
    Embedded,
    /// A program that takes the options of Binaryen's `wasm-opt`: a path, or a name that is
    /// looked up in `PATH`.
    Program(PathBuf),
}

impl Default for Optimizer {
    #[cfg(feature = "embedded-wasm-opt")]
    fn default() -> Self {
        Self::Embedded
    }

    #[cfg(not(feature = "embedded-wasm-opt"))]
    fn default() -> Self {
        Self::Program("wasm-opt".into())
    }
}

/// Why an optimizer gave no module.
#[derive(Debug, Error)]
pub(crate) enum EngineError {
    #[error("cannot run `{program}`: {source}")]
    Start { program: PathBuf, source: io::Error },
    #[error("cannot use the temporary directory: {0}")]
    Files(#[from] io::Error),
    #[error("`wasm-opt` ended with {status}: {words}")]
    Failed { status: ExitStatus, words: String },
    #[cfg(feature = "embedded-wasm-opt")]
    #[error("{0}")]
    Binaryen(String),
}

impl Optimizer {
    /// Its name and version for people, or why it cannot be used. `None` for no optimizer.
    pub(crate) fn describe(&self) -> Result<Option<String>, EngineError> {
        match self {
            Self::None => Ok(None),
            #[cfg(feature = "embedded-wasm-opt")]
            Self::Embedded => Ok(Some(embedded::NAME.to_owned())),
            Self::Program(program) => external::version(program).map(Some),
        }
    }

    /// Makes a valid core module small. What it names as `features` are Binaryen's names.
    pub(crate) fn run(
        &self,
        module: &[u8],
        features: &BTreeSet<&'static str>,
        names: Names,
    ) -> Result<Vec<u8>, EngineError> {
        match self {
            Self::None => Ok(module.to_vec()),
            #[cfg(feature = "embedded-wasm-opt")]
            Self::Embedded => embedded::run(module, features, names),
            Self::Program(program) => external::run(program, module, features, names),
        }
    }
}
