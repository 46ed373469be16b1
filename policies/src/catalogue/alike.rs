//! What imports look like that are not known, for who denies what they look like.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::interface::Known;
use super::{Catalogue, Split};
use crate::likeness::Likeness;

/// Names of core modules that hosts provide under which there is something like WASI. They are
/// no part of what is known: nothing admits them but their own names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Predecessor {
    /// The names, in small letters; a `*` at the end stands for anything.
    modules: Vec<String>,
    /// The split whose functions it has.
    #[serde(default)]
    functions_of: Option<String>,
    /// What else it may ask for by functions that are not listed there.
    #[serde(default)]
    others: Vec<String>,
}

/// What an import that is not known looks like.
#[derive(Clone, Debug, Default)]
pub(crate) struct Alike<'a> {
    /// Capabilities that it would have, whatever its functions are.
    capabilities: Vec<&'a str>,
    /// The entry by whose functions it would be judged.
    pub(crate) split: Option<&'a Split>,
    /// What else functions may ask for that are not listed there.
    others: Vec<&'a str>,
}

impl Catalogue {
    /// What an import of a name that is not known looks like, of any version and spelling.
    pub(crate) fn alike(&self, name: &str) -> Alike<'_> {
        let likeness = Likeness::of(name);
        let is_it = |known: &Known| match known {
            Known::Interface(known) => likeness.is_interface(known),
            Known::Module(known) => likeness.is_module(known),
        };
        let plain = self.capabilities.iter();
        let plain = plain.filter(|capability| capability.interfaces.keys().any(is_it));
        let split = self.splits.iter();
        let mut alike = Alike {
            capabilities: plain.map(|capability| capability.name.as_str()).collect(),
            split: split.clone().find(|split| split.imports.iter().any(is_it)),
            others: Vec::new(),
        };
        let mut before = self.predecessors.iter();
        let is_before = |it: &&Predecessor| it.modules.iter().any(|it| likeness.is_module(it));
        if let Some(before) = before.find(is_before) {
            if let Some(name) = &before.functions_of {
                alike.split = self.split_module(name);
            }
            let others = before.others.iter().map(String::as_str);
            if alike.split.is_some() {
                alike.others.extend(others);
            } else {
                alike.capabilities.extend(others);
            }
        }
        alike
    }
}

impl<'a> Alike<'a> {
    /// Every capability that it may ask for with these functions.
    pub(crate) fn capabilities(
        &self,
        functions: &[String],
        complete: bool,
        can_open: bool,
    ) -> BTreeSet<&'a str> {
        let mut all: BTreeSet<&str> = self.capabilities.iter().copied().collect();
        let Some(split) = self.split else {
            return all;
        };
        // No function is named after one in large letters; who writes it so has a reason.
        let functions: Vec<String> = functions.iter().map(|it| it.to_ascii_lowercase()).collect();
        let is_complete = complete && functions.iter().all(|function| split.has(function));
        let needs = split.needs(&functions, is_complete, can_open);
        all.extend(needs.into_keys());
        if !is_complete {
            all.extend(&self.others);
        }
        all
    }
}
