//! What the bytes really are, import and export.
//!
//! The import section is walked here and not by `wit_component::decode`, which leaves out
//! what it does not know: imports of components, core modules and values.

mod component;
mod core_module;
mod not_wasm;
mod producers;
mod walk;

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;
use wasmparser::{Encoding, Payload, Validator, WasmFeatures};

use crate::inspection::{Export, Import, Inspection, Kind, Target};
use crate::interface_name::InterfaceName;
use crate::limits;
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
/// The code is not validated: see [`validate`].
pub fn inspect(bytes: &[u8]) -> Result<Inspection, InspectError> {
    if let Some(other) = NotWasm::recognise(bytes) {
        return Err(InspectError::NotWasm(other));
    }
    let mut outer = Outer::Unknown;
    let mut producers = BTreeMap::new();
    let mut core_modules = 0;
    walk::walk(bytes, |depth, payload| {
        if let Payload::Version {
            encoding: Encoding::Module,
            ..
        } = payload
        {
            core_modules += 1;
        }
        if let Payload::CustomSection(section) = &payload {
            producers::collect(section, &mut producers);
        }
        if depth == 0 {
            outer.take(payload)
        } else {
            Ok(())
        }
    })?;
    let (kind, imports, exports) = outer.finish()?;
    Ok(Inspection {
        kind,
        target: target(&imports, &exports),
        imports,
        exports,
        worlds: Vec::new(),
        languages: languages(&producers),
        producers,
        features: BTreeSet::new(),
        memories: Vec::new(),
        starts: Vec::new(),
        core_modules,
        components: 0,
        sections: Vec::new(),
        dependencies: None,
        metadata: BTreeMap::new(),
        package: None,
        size: bytes.len() as u64,
    })
}

fn languages(producers: &BTreeMap<String, BTreeMap<String, String>>) -> BTreeSet<String> {
    let named = producers.get("language").into_iter().flatten();
    named.map(|(language, _)| language.clone()).collect()
}

/// Validates `bytes` in full: types, code and nested modules.
///
/// The features are named here, and are those that Wasmtime and jco run without a flag; a
/// component that needs others is refused rather than passed on.
pub fn validate(bytes: &[u8]) -> Result<(), InspectError> {
    if let Some(other) = NotWasm::recognise(bytes) {
        return Err(InspectError::NotWasm(other));
    }
    Validator::new_with_features(features()).validate_all(bytes)?;
    Ok(())
}

fn features() -> WasmFeatures {
    WasmFeatures::WASM3
        | WasmFeatures::COMPONENT_MODEL
        | WasmFeatures::CM_ASYNC
        | WasmFeatures::THREADS
}

/// The outermost module or component, as far as it was read.
enum Outer {
    Unknown,
    Component(Box<component::Outline>),
    CoreModule(core_module::Outline),
}

impl Outer {
    fn take(&mut self, payload: Payload<'_>) -> Result<(), InspectError> {
        match self {
            Self::Unknown => {
                if let Payload::Version { encoding, .. } = payload {
                    *self = match encoding {
                        Encoding::Component => Self::Component(Box::default()),
                        Encoding::Module => Self::CoreModule(core_module::Outline::default()),
                    };
                }
                Ok(())
            }
            Self::Component(outline) => outline.take(payload),
            Self::CoreModule(outline) => outline.take(payload),
        }
    }

    fn finish(self) -> Result<(Kind, Vec<Import>, Vec<Export>), InspectError> {
        match self {
            Self::Unknown => Err(InspectError::NotWasm(NotWasm::Empty)),
            Self::Component(outline) => Ok(outline.finish()),
            Self::CoreModule(outline) => Ok(outline.finish()),
        }
    }
}

/// The newest WASI that is named.
fn target(imports: &[Import], exports: &[Export]) -> Option<Target> {
    let imported = imports
        .iter()
        .map(|import| import.implements.as_deref().unwrap_or(&import.name));
    let exported = exports.iter().map(|export| export.name.as_str());
    imported.chain(exported).filter_map(target_of).max()
}

fn target_of(name: &str) -> Option<Target> {
    if name == "wasi_snapshot_preview1" {
        return Some(Target::Wasip1);
    }
    let interface: InterfaceName = name.parse().ok()?;
    let version = interface
        .version
        .filter(|_| interface.namespace == "wasi")?;
    match (version.major, version.minor) {
        (0, 2) => Some(Target::Wasip2),
        (0, 3) => Some(Target::Wasip3),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
