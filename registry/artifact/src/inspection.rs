//! What was found in Wasm bytes: the value that inspection gives, with its JSON form.

mod code;
mod dependency;
mod feature;
mod item;
mod section;
mod wit_package;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use code::{Memory, Start};
pub use dependency::{Dependencies, Dependency};
pub use feature::{Feature, UnknownFeature};
pub use item::{Export, Import, ItemKind};
pub use section::{Section, SectionKind};
pub use wit_package::{WitInterface, WitPackage, WitWorld};

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
    /// Worlds that it fits: it imports nothing that they lack, and exports all that they
    /// ask for. `wasi:cli/command@0.2`.
    #[serde(default)]
    pub worlds: Vec<String>,
    /// Languages and tools that say they made it: field, then name, then version.
    pub producers: BTreeMap<String, BTreeMap<String, String>>,
    /// Languages that `producers` names.
    #[serde(default)]
    pub languages: BTreeSet<String>,
    /// Proposals that it uses. Without validation only those that show outside of code.
    #[serde(default)]
    pub features: BTreeSet<Feature>,
    /// The memories that its core modules declare.
    #[serde(default)]
    pub memories: Vec<Memory>,
    /// Code that runs when it is instantiated, before any export is called.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub starts: BTreeSet<Start>,
    /// How many core modules are inside (one for a core module itself).
    pub core_modules: usize,
    /// How many components are inside (one for a component without others).
    #[serde(default)]
    pub components: usize,
    /// Sizes of sections, those of nested modules and components among them, by kind and,
    /// for custom ones, by name.
    #[serde(default)]
    pub sections: Vec<Section>,
    /// What cargo-auditable wrote into `.dep-v0`, where there is such a section.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dependencies: Option<Dependencies>,
    /// What its metadata sections say of it: `name`, `authors`, `description`, `licenses`,
    /// `source`, `homepage`, `revision`, `version`.
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
    /// What a WIT package defines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<WitPackage>,
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

impl Inspection {
    /// What each piece of code would ask of a host: the artifact, and then whatever code it exports for a
    /// host to instantiate by itself.
    pub fn import_groups(&self) -> impl Iterator<Item = &[Import]> {
        let exported = self.exports.iter().map(|export| export.imports.as_slice());
        let exported = exported.filter(|imports| !imports.is_empty());
        std::iter::once(self.imports.as_slice()).chain(exported)
    }

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
