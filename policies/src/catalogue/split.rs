//! Imports that mean different things by function.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::function::{is_drop, plain};
use super::interface::Known;

/// An import whose capabilities depend on its functions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Split {
    pub(super) imports: Vec<Known>,
    /// The capability of an import that names no functions.
    pub(super) least: String,
    pub(super) opener: String,
    pub(super) functions: Functions,
    pub(super) opened: Functions,
}

/// Functions by the capability that they ask for.
type Functions = BTreeMap<String, BTreeSet<String>>;

impl Split {
    /// What those of `functions` mean that are listed: capability, then the functions that ask
    /// for it. With `complete` false there may be more functions than these. `can_open` says
    /// that a function that opens something is imported, here or under another version.
    pub(crate) fn needs(
        &self,
        functions: &[String],
        complete: bool,
        can_open: bool,
    ) -> BTreeMap<&str, Vec<String>> {
        let mut needs: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for function in functions {
            for capability in self.capabilities_of(self.known_as(function), can_open) {
                needs.entry(capability).or_default().push(function.clone());
            }
        }
        if !complete {
            for capability in self.everything() {
                needs.entry(capability).or_default();
            }
        }
        if needs.is_empty() {
            needs.insert(&self.least, Vec::new());
        }
        needs
    }

    /// Whether it lists this function.
    pub(crate) fn has(&self, function: &str) -> bool {
        let name = self.known_as(function);
        let is_dropped = is_drop(function) && name != function;
        is_dropped || self.functions.values().any(|listed| listed.contains(name))
    }

    /// Every capability that any of its functions asks for.
    pub(crate) fn everything(&self) -> impl Iterator<Item = &str> {
        self.functions.keys().map(String::as_str)
    }

    /// True when `functions` have the one that opens something.
    pub(crate) fn opens(&self, functions: &[String]) -> bool {
        functions
            .iter()
            .any(|function| self.known_as(function) == self.opener)
    }

    /// The name that a function has in the lists. Modules without an interface have names
    /// without prefixes: there brackets make another function.
    fn known_as<'a>(&self, function: &'a str) -> &'a str {
        let mut imports = self.imports.iter();
        if imports.any(|known| matches!(known, Known::Interface(_))) {
            plain(function)
        } else {
            function
        }
    }

    fn capabilities_of(&self, function: &str, can_open: bool) -> impl Iterator<Item = &str> {
        let opened = can_open.then(|| holders(&self.opened, function));
        holders(&self.functions, function).chain(opened.into_iter().flatten())
    }
}

fn holders<'a>(table: &'a Functions, function: &str) -> impl Iterator<Item = &'a str> {
    table
        .iter()
        .filter(move |(_, functions)| functions.contains(function))
        .map(|(capability, _)| capability.as_str())
}
