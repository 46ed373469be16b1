//! What the bytes really are, import and export.
//!
//! The import section is walked here and not by `wit_component::decode`, which leaves out
//! what it does not know: imports of components, core modules and values.

mod component;
mod core_module;
mod declarations;
mod dependencies;
mod features;
mod inspector;
mod items;
mod metadata;
mod native_code;
mod not_wasm;
mod operators;
mod scope;
mod sections;
mod shapes;
mod survey;
mod target;
mod validation;
mod walk;
mod worlds;

use std::num::NonZeroUsize;

use thiserror::Error;
use wasmparser::{Parser, WasmFeatures};

use self::features::FeatureSet;
use self::survey::Survey;
use self::validation::Validation;
use self::walk::Walk;
use crate::inspection::Inspection;
use crate::limits;
pub use inspector::Inspector;
pub use not_wasm::NotWasm;

/// Why bytes could not be inspected.
#[derive(Debug, Error)]
pub enum InspectError {
    /// Something else than Wasm.
    #[error("this is not WebAssembly: {0}")]
    NotWasm(NotWasm),
    /// Wasm that breaks off or breaks the rules of the format.
    #[error("the WebAssembly is malformed")]
    Malformed(#[source] wasmparser::BinaryReaderError),
    /// Wasm that ends inside the code of a function.
    #[error("the WebAssembly breaks off in the middle of its code")]
    BreaksOff,
    /// A section of a kind that nobody knows, and in which anything may stand.
    #[error("there is a section of the unknown kind {0}")]
    UnknownSection(u8),
    /// Machine code beside the Wasm, which some runtime executes instead of it.
    #[error(
        "the section `{0}` holds machine code, which a runtime may run instead of what was inspected"
    )]
    NativeCode(String),
    /// Modules and components inside each other, too deep.
    #[error("components nest deeper than {max}", max = limits::NESTING)]
    TooDeep,
    /// More imports or exports than any toolchain makes.
    #[error(
        "there are more than {} imports, exports and functions, or their names have more than {} bytes",
        limits::ITEMS,
        limits::NAME_BYTES
    )]
    TooManyItems,
}

impl From<wasmparser::BinaryReaderError> for InspectError {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        Self::Malformed(error)
    }
}

/// Reads what `bytes` import and export, in one pass that skips the code.
///
/// The code is not validated: see [`examine`].
pub fn inspect(bytes: &[u8]) -> Result<Inspection, InspectError> {
    recognise(bytes)?;
    let mut survey = Survey::default();
    let mut walk = Walk::around_code(Parser::new(0));
    walk.advance(bytes, true, |visited| survey.take(&visited))?;
    survey.finish(bytes.len() as u64, FeatureSet::default())
}

/// Inspects and validates `bytes` in one pass: what is not valid is not inspected. Code is
/// validated on up to `threads` threads, and the proposals that it uses are in the inspection.
///
/// The features are named here, and are those that Wasmtime and jco run without a flag; a
/// component that needs others is refused rather than passed on.
pub fn examine(bytes: &[u8], threads: NonZeroUsize) -> Result<Inspection, InspectError> {
    recognise(bytes)?;
    let mut survey = Survey::default();
    let mut validation = Validation::new();
    let mut walk = Walk::through_code(Validation::parser());
    walk.advance(bytes, true, |visited| {
        // The survey first: its limits are below those of the validator, which keeps 200 bytes of a type.
        survey.take(&visited)?;
        validation.take(&visited.payload)
    })?;
    let code = validation.finish(threads)?;
    survey.finish(bytes.len() as u64, code)
}

/// Validates `bytes` in full as [`examine`] does, on this thread.
pub fn validate(bytes: &[u8]) -> Result<(), InspectError> {
    recognise(bytes)?;
    Validation::validator().validate_all(bytes)?;
    Ok(())
}

pub(crate) fn recognise(bytes: &[u8]) -> Result<(), InspectError> {
    NotWasm::recognise(bytes).map_or(Ok(()), |other| Err(InspectError::NotWasm(other)))
}

/// The proposals that are accepted.
pub(crate) fn accepted() -> WasmFeatures {
    WasmFeatures::WASM3
        | WasmFeatures::COMPONENT_MODEL
        | WasmFeatures::CM_ASYNC
        | WasmFeatures::THREADS
}

#[cfg(test)]
mod tests;
