//! The catalogue for people and for other programs.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Capability, Catalogue, Known, Split};
use crate::capability::Risk;

/// Everything that the catalogue says of a capability.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KnownCapability {
    /// Its name in policies: `sockets`.
    pub name: String,
    /// What a program can do with it, as a fragment after "it can".
    pub summary: String,
    /// How much there is to lose.
    pub risk: Risk,
    /// What there is to lose, in a sentence; empty where there is nothing.
    pub concern: String,
    /// How a Rust program comes by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rust: Option<String>,
    /// Part of the group `std`.
    pub std: bool,
    /// Who has this capability has these too.
    pub includes: Vec<String>,
    /// Interfaces that ask for it, each for its whole track of versions.
    pub interfaces: Vec<String>,
    /// Functions that ask for it, by what has them: all of those interfaces, and some of what is
    /// judged by its functions.
    pub functions: Vec<KnownFunctions>,
}

/// Functions that ask for a capability.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KnownFunctions {
    /// The interfaces, or names of core modules.
    pub imports: Vec<String>,
    /// The functions, without `[method]` and the like.
    pub functions: Vec<String>,
}

/// The whole catalogue, in its order.
pub fn known_capabilities() -> Vec<KnownCapability> {
    let catalogue = Catalogue::get();
    let describe = |capability: &Capability| KnownCapability {
        name: capability.name.clone(),
        summary: capability.summary.clone(),
        risk: capability.risk,
        concern: capability.concern.clone(),
        rust: capability.rust.clone(),
        std: capability.std,
        includes: capability.includes.clone(),
        interfaces: names(capability.interfaces.keys()),
        functions: functions(capability, &catalogue.splits),
    };
    catalogue.capabilities.iter().map(describe).collect()
}

fn functions(capability: &Capability, splits: &[Split]) -> Vec<KnownFunctions> {
    let own = capability.interfaces.iter();
    let own = own.map(|(name, functions)| (names([name]), functions.iter().cloned().collect()));
    let split = splits.iter().map(|split| {
        let tables = [&split.functions, &split.opened].into_iter();
        let lists = tables.filter_map(|table| table.get(&capability.name));
        // One may ask for it with and without what opens something.
        let functions: BTreeSet<String> = lists.flatten().cloned().collect();
        (names(&split.imports), functions.into_iter().collect())
    });
    let all = own.chain(split);
    let all = all.map(|(imports, functions)| KnownFunctions { imports, functions });
    all.filter(|known| !known.functions.is_empty()).collect()
}

fn names<'a>(known: impl IntoIterator<Item = &'a Known>) -> Vec<String> {
    let name = |known: &Known| match known {
        Known::Interface(name) => name.to_string(),
        Known::Module(name) => name.clone(),
    };
    known.into_iter().map(name).collect()
}
