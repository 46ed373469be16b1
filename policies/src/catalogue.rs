//! The catalogue of capabilities: which import lets a program do what.
//!
//! It is data, `catalogue.toml`, and part of the program.

mod alike;
mod function;
mod interface;
mod listing;
mod split;

use std::sync::LazyLock;

use serde::Deserialize;
use wasmport_artifact::InterfaceName;

use crate::capability::Risk;
pub(crate) use alike::Alike;
use alike::Predecessor;
pub(crate) use function::plain;
pub(crate) use interface::Whole;
use interface::{Index, Interfaces, Known, Place};
pub use listing::{KnownCapability, KnownFunctions, known_capabilities};
pub(crate) use split::Split;

/// The name under which everything goes that the catalogue does not know.
pub(crate) const CUSTOM: &str = "custom";

/// The last releases of WASI whose functions the catalogue has, for people.
pub const KNOWN_RELEASES: &str = "0.2.12 and 0.3.2";

/// Everything that is known about WASI's imports.
#[derive(Debug, Default)]
pub(crate) struct Catalogue {
    capabilities: Vec<Capability>,
    splits: Vec<Split>,
    predecessors: Vec<Predecessor>,
    index: Index,
}

/// A word for what a program can do.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Capability {
    pub(crate) name: String,
    pub(crate) summary: String,
    pub(crate) risk: Risk,
    #[serde(default)]
    pub(crate) concern: String,
    /// How a Rust program comes by it.
    #[serde(default)]
    pub(crate) rust: Option<String>,
    /// Part of the group `std`.
    #[serde(default)]
    pub(crate) std: bool,
    /// Who has this capability has these too.
    #[serde(default)]
    pub(crate) includes: Vec<String>,
    #[serde(default)]
    interfaces: Interfaces,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    capability: Vec<Capability>,
    split: Vec<Split>,
    predecessor: Vec<Predecessor>,
}

impl Catalogue {
    /// The catalogue that comes with this version.
    pub(crate) fn get() -> &'static Self {
        // A test reads the data; were it broken nevertheless, nothing would be known, and
        // what is not known is not admitted.
        static CATALOGUE: LazyLock<Catalogue> =
            LazyLock::new(|| Catalogue::read(include_str!("catalogue.toml")).unwrap_or_default());
        &CATALOGUE
    }

    fn read(text: &str) -> Result<Self, toml::de::Error> {
        let data: Data = toml::from_str(text)?;
        Ok(Self {
            index: Index::of(&data.capability, &data.split),
            capabilities: data.capability,
            splits: data.split,
            predecessors: data.predecessor,
        })
    }

    /// Every capability, in the order of the catalogue.
    pub(crate) fn capabilities(&self) -> &[Capability] {
        &self.capabilities
    }

    /// The capability of this name.
    pub(crate) fn capability(&self, name: &str) -> Option<&Capability> {
        self.capabilities
            .iter()
            .find(|capability| capability.name == name)
    }

    /// The interface of this name, where all its functions ask for one capability.
    pub(crate) fn of_interface(&self, name: &InterfaceName) -> Option<Whole<'_>> {
        match self.index.find(name)? {
            Place::Capability(number, functions) => Some(Whole {
                capability: self.capabilities.get(*number)?,
                functions,
            }),
            Place::Split(_) => None,
        }
    }

    /// The entry for an interface that is judged by its functions.
    pub(crate) fn split_interface(&self, name: &InterfaceName) -> Option<&Split> {
        match self.index.find(name)? {
            Place::Split(number) => self.splits.get(*number),
            Place::Capability(..) => None,
        }
    }

    /// The entry for a core module's import that is judged by its functions.
    pub(crate) fn split_module(&self, name: &str) -> Option<&Split> {
        let is_it = |split: &&Split| split.imports.iter().any(|known| known.is_module(name));
        self.splits.iter().find(is_it)
    }

    /// Whether an interface of this name is known, in any version when `name` has none; with
    /// `all`, any of the package.
    pub(crate) fn knows(&self, name: &InterfaceName, all: bool) -> bool {
        self.index.names().any(|known| {
            (&known.namespace, &known.package) == (&name.namespace, &name.package)
                && (all || known.interface == name.interface)
                && (name.version.is_none()
                    || known.same_track(&InterfaceName {
                        version: name.version.clone(),
                        ..known.clone()
                    }))
        })
    }

    /// Whether an import of this name is known.
    pub(crate) fn is_known(&self, name: &str) -> bool {
        match name.parse::<InterfaceName>() {
            Ok(name) => self.index.find(&name).is_some(),
            Err(_) => self.split_module(name).is_some(),
        }
    }

    /// Whether an interface of this name has a function of this name, without `[method]` and
    /// the like, in the version that is named or else in any. None when it is not known.
    pub(crate) fn has_function(&self, name: &InterfaceName, function: &str) -> Option<bool> {
        let versions = self.index.versions(name);
        let versions =
            versions.filter(|entry| name.version.is_none() || entry.name.same_track(name));
        let has = versions.filter_map(|entry| match &entry.place {
            Place::Capability(_, functions) => Some(functions.contains(function)),
            Place::Split(number) => Some(self.splits.get(*number)?.has(function)),
        });
        has.reduce(|one, other| one || other)
    }

    /// The versions under which an interface of this name is known.
    pub(crate) fn known_versions(&self, name: &InterfaceName) -> Vec<String> {
        let known = self.index.versions(name);
        known
            .filter_map(|entry| entry.name.version.as_ref().map(ToString::to_string))
            .collect()
    }
}

#[cfg(test)]
mod tests;
