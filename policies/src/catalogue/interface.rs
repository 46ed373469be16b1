//! The interfaces that the catalogue knows, found by their names.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use wasmport_artifact::InterfaceName;

use super::function::{is_drop, plain};
use super::{Capability, Split};

/// The name of an import in the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(from = "String")]
pub(crate) enum Known {
    Interface(InterfaceName),
    Module(String),
}

/// The interfaces of a capability, each with its functions.
pub(crate) type Interfaces = BTreeMap<Known, BTreeSet<String>>;

/// An interface whose functions all ask for the same.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whole<'a> {
    /// The capability that it asks for.
    pub(crate) capability: &'a Capability,
    pub(crate) functions: &'a BTreeSet<String>,
}

/// The interfaces in the order of their names: imports are looked up for every decision, some of
/// them several times.
#[derive(Debug, Default)]
pub(crate) struct Index(Vec<Entry>);

/// What is known of an interface in one track.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: InterfaceName,
    pub(super) place: Place,
}

/// Where an interface stands in the catalogue.
#[derive(Debug)]
pub(super) enum Place {
    /// With a capability, by its number, and these functions.
    Capability(usize, BTreeSet<String>),
    /// With a split, by its number.
    Split(usize),
}

impl Index {
    pub(super) fn of(capabilities: &[Capability], splits: &[Split]) -> Self {
        let mut entries = Vec::new();
        let mut add = |known: &Known, place| {
            if let Known::Interface(name) = known {
                let name = name.clone();
                entries.push(Entry { name, place });
            }
        };
        for (number, capability) in capabilities.iter().enumerate() {
            for (known, functions) in &capability.interfaces {
                add(known, Place::Capability(number, functions.clone()));
            }
        }
        for (number, split) in splits.iter().enumerate() {
            for known in &split.imports {
                add(known, Place::Split(number));
            }
        }
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        Self(entries)
    }

    /// What is known of the track of `name`.
    pub(super) fn find(&self, name: &InterfaceName) -> Option<&Place> {
        let mut versions = self.versions(name);
        let found = versions.find(|entry| entry.name.same_track(name))?;
        Some(&found.place)
    }

    /// What is known of an interface, whatever the version.
    pub(super) fn versions(&self, name: &InterfaceName) -> impl Iterator<Item = &Entry> {
        let first = self.0.partition_point(|it| path(&it.name) < path(name));
        let from = self.0.get(first..).unwrap_or_default().iter();
        from.take_while(move |entry| path(&entry.name) == path(name))
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &InterfaceName> {
        self.0.iter().map(|entry| &entry.name)
    }
}

impl Whole<'_> {
    /// Whether it is known to have this function.
    pub(crate) fn has(&self, function: &str) -> bool {
        is_drop(function) || self.functions.contains(plain(function))
    }
}

impl Known {
    pub(crate) fn is_module(&self, name: &str) -> bool {
        matches!(self, Self::Module(known) if known == name)
    }
}

impl From<String> for Known {
    fn from(text: String) -> Self {
        text.parse().map_or(Self::Module(text), Self::Interface)
    }
}

fn path(name: &InterfaceName) -> (&str, &str, &str) {
    (&name.namespace, &name.package, &name.interface)
}
