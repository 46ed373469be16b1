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

use serde::{Deserialize, Serialize};
use thiserror::Error;
use wasmparser::{Encoding, Payload, Validator, WasmFeatures};

use crate::interface_name::InterfaceName;
use crate::limits;
pub use not_wasm::NotWasm;

/// What was found in the bytes of a module, component or WIT package.
///
/// Its JSON form is what `wasmport inspect --format json` prints, and part of the facts
/// that a policy is applied to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Inspection {
    /// What the bytes are.
    pub kind: Kind,
    /// The WASI that it is made for, when it imports or exports any.
    pub target: Option<Target>,
    /// What a host must provide, in the order of the bytes.
    pub imports: Vec<Import>,
    /// What a host can use, in the order of the bytes.
    pub exports: Vec<Export>,
    /// Languages and tools that say they made it: field, then name, then version.
    pub producers: BTreeMap<String, BTreeMap<String, String>>,
    /// How many core modules are inside (one for a core module itself).
    pub core_modules: usize,
    /// The size in bytes.
    pub size: u64,
}

/// What Wasm bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A component that can be instantiated.
    Component,
    /// A core module.
    CoreModule,
    /// A WIT package in its binary form: interfaces, no code.
    WitPackage,
}

/// A generation of WASI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// `wasi_snapshot_preview1` functions.
    Wasip1,
    /// `wasi:*@0.2.*` interfaces.
    Wasip2,
    /// `wasi:*@0.3.*` interfaces.
    Wasip3,
}

/// What kind of thing an import or export is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ItemKind {
    /// An instance: an interface with functions and types.
    Instance,
    /// A single function.
    Func,
    /// A type or resource.
    Type,
    /// A core module, whose own imports the host would satisfy.
    CoreModule,
    /// A component, whose own imports the host would satisfy.
    Component,
    /// A value.
    Value,
    /// Functions, memories, tables, globals or tags of a core module, under one name.
    Core,
}

/// One outermost import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Import {
    /// The full name: `wasi:http/types@0.2.6`, or the module name in a core module.
    pub name: String,
    /// The interface behind a label of one's own, `(implements "…")`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub implements: Option<String>,
    /// What is imported.
    pub kind: ItemKind,
    /// The functions that the program can call through it, sorted. In a core module also
    /// the names of imported memories, tables and globals.
    pub functions: Vec<String>,
    /// The resources that it names, sorted.
    pub resources: Vec<String>,
    /// True when the type was not written out where it is imported, so that the list of
    /// functions is not known to be complete.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub opaque: bool,
}

impl Import {
    /// The interface that a host must provide, when the import is of one: the one behind
    /// `implements`, else the name.
    pub fn interface(&self) -> Option<InterfaceName> {
        self.implements
            .as_deref()
            .unwrap_or(&self.name)
            .parse()
            .ok()
    }
}

/// One outermost export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Export {
    /// The full name: `wasi:cli/run@0.2.6`, or the name of a function.
    pub name: String,
    /// What is exported.
    pub kind: ItemKind,
}

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

impl Inspection {
    /// Names of imported interfaces and functions, as the artifact's config lists them.
    pub fn import_names(&self) -> BTreeSet<&str> {
        let named = self
            .imports
            .iter()
            .filter(|import| import.kind != ItemKind::Type);
        named.map(|import| import.name.as_str()).collect()
    }

    /// Names of exported interfaces and functions, as the artifact's config lists them.
    pub fn export_names(&self) -> BTreeSet<&str> {
        let named = self
            .exports
            .iter()
            .filter(|export| export.kind != ItemKind::Type);
        named.map(|export| export.name.as_str()).collect()
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
        producers,
        core_modules,
        size: bytes.len() as u64,
    })
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
