//! The catalogue of capabilities: which import lets a program do what.
//!
//! It is data, `catalogue.toml`, and part of the program.

mod listing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;
use wasmport_artifact::InterfaceName;

use crate::capability::Risk;
use crate::likeness::Likeness;
pub use listing::{KnownCapability, KnownFunctions, known_capabilities};

/// The name under which everything goes that the catalogue does not know.
pub(crate) const CUSTOM: &str = "custom";

/// Everything that is known about WASI's imports.
#[derive(Debug, Default)]
pub(crate) struct Catalogue {
    capabilities: Vec<Capability>,
    splits: Vec<Split>,
    predecessors: Vec<Predecessor>,
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
    interfaces: Vec<Known>,
}

/// An import whose capabilities depend on its functions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Split {
    imports: Vec<Known>,
    /// The capability of an import that names no functions.
    least: String,
    opener: String,
    functions: BTreeMap<String, Vec<String>>,
    opened: BTreeMap<String, Vec<String>>,
}

/// Names of core modules that hosts provide under which there is something like WASI. They are
/// no part of what is known: nothing admits them but their own names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Predecessor {
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

/// The name of an import in the catalogue.
#[derive(Debug, Deserialize)]
#[serde(from = "String")]
enum Known {
    Interface(InterfaceName),
    Module(String),
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

    /// The capability of every import of this interface.
    pub(crate) fn of_interface(&self, name: &InterfaceName) -> Option<&Capability> {
        self.capabilities.iter().find(|capability| {
            let mut known = capability.interfaces.iter();
            known.any(|known| known.is_interface(name))
        })
    }

    /// The entry for an interface that is judged by its functions.
    pub(crate) fn split_interface(&self, name: &InterfaceName) -> Option<&Split> {
        let is_it = |split: &&Split| split.imports.iter().any(|known| known.is_interface(name));
        self.splits.iter().find(is_it)
    }

    /// The entry for a core module's import that is judged by its functions.
    pub(crate) fn split_module(&self, name: &str) -> Option<&Split> {
        let is_it = |split: &&Split| split.imports.iter().any(|known| known.is_module(name));
        self.splits.iter().find(is_it)
    }

    /// What an import of a name that is not known looks like, of any version and spelling.
    pub(crate) fn alike(&self, name: &str) -> Alike<'_> {
        let likeness = Likeness::of(name);
        let is_it = |known: &Known| match known {
            Known::Interface(known) => likeness.is_interface(known),
            Known::Module(known) => likeness.is_module(known),
        };
        let plain = self.capabilities.iter();
        let plain = plain.filter(|capability| capability.interfaces.iter().any(is_it));
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

    /// Whether an interface of this name is known, in any version when `name` has none; with
    /// `all`, any of the package.
    pub(crate) fn knows(&self, name: &InterfaceName, all: bool) -> bool {
        self.interfaces().any(|known| {
            (&known.namespace, &known.package) == (&name.namespace, &name.package)
                && (all || known.interface == name.interface)
                && (name.version.is_none()
                    || known.same_track(&InterfaceName {
                        version: name.version.clone(),
                        ..known.clone()
                    }))
        })
    }

    /// The functions of an interface that is judged by them, without `[method]` and the
    /// like; none of any other.
    pub(crate) fn functions_of(&self, name: &InterfaceName) -> Vec<&str> {
        let splits = self.splits.iter().filter(|split| {
            let mut imports = split.imports.iter();
            imports.any(|known| matches!(known, Known::Interface(known) if known.unversioned() == name.unversioned()))
        });
        splits.flat_map(Split::listed).collect()
    }

    fn interfaces(&self) -> impl Iterator<Item = &InterfaceName> {
        let plain = self.capabilities.iter().flat_map(|entry| &entry.interfaces);
        let split = self.splits.iter().flat_map(|split| &split.imports);
        plain.chain(split).filter_map(|known| match known {
            Known::Interface(known) => Some(known),
            Known::Module(_) => None,
        })
    }

    /// The versions under which an interface of this name is known.
    pub(crate) fn known_versions(&self, name: &InterfaceName) -> Vec<String> {
        let known = self.interfaces();
        known
            .filter(|known| known.unversioned() == name.unversioned())
            .filter_map(|known| known.version.as_ref().map(ToString::to_string))
            .collect()
    }
}

impl Split {
    /// What `functions` mean: capability, then the functions that ask for it. With
    /// `complete` false there may be more functions than these. `can_open` says that a
    /// function that opens something is imported, here or under another version.
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

    /// Every function that it lists.
    fn listed(&self) -> impl Iterator<Item = &str> {
        self.functions.values().flatten().map(String::as_str)
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

    /// True when `functions` have the one that opens something.
    pub(crate) fn opens(&self, functions: &[String]) -> bool {
        functions
            .iter()
            .any(|function| self.known_as(function) == self.opener)
    }

    fn capabilities_of(&self, function: &str, can_open: bool) -> Vec<&str> {
        let mut found: Vec<&str> = holders(&self.functions, function).collect();
        if can_open {
            found.extend(holders(&self.opened, function));
        }
        if found.is_empty() {
            return self.everything().collect();
        }
        found
    }

    fn everything(&self) -> impl Iterator<Item = &str> {
        self.functions.keys().map(String::as_str)
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
        let needs = split.needs(&functions, complete, can_open);
        all.extend(needs.into_keys());
        let is_listed = |function: &String| {
            let known = split.known_as(function);
            split.listed().any(|listed| listed == known)
        };
        if !complete || !functions.iter().all(is_listed) {
            all.extend(&self.others);
        }
        all
    }
}

impl Known {
    fn is_interface(&self, name: &InterfaceName) -> bool {
        matches!(self, Self::Interface(known) if known.same_track(name))
    }

    fn is_module(&self, name: &str) -> bool {
        matches!(self, Self::Module(known) if known == name)
    }
}

impl From<String> for Known {
    fn from(text: String) -> Self {
        text.parse().map_or(Self::Module(text), Self::Interface)
    }
}

/// What stands before the names of functions in the component model, and is no part of them:
/// some versions write it otherwise.
const PREFIXES: [&str; 7] = [
    "[method]",
    "[static]",
    "[constructor]",
    "[async]",
    "[async method]",
    "[async static]",
    "[resource-drop]",
];

/// The function of an interface without `[method]` and the like. In other names, such as those
/// that a core module imports from `env`, brackets are a part of the name.
pub(crate) fn plain(function: &str) -> &str {
    let mut prefixes = PREFIXES.iter();
    let name = prefixes.find_map(|prefix| function.strip_prefix(prefix));
    name.unwrap_or(function)
}

fn holders<'a>(
    table: &'a BTreeMap<String, Vec<String>>,
    function: &str,
) -> impl Iterator<Item = &'a str> {
    let holds = move |functions: &[String]| functions.iter().any(|known| known == function);
    table
        .iter()
        .filter(move |(_, functions)| holds(functions))
        .map(|(capability, _)| capability.as_str())
}

#[cfg(test)]
mod tests;
