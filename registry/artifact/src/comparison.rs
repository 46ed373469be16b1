//! What came and went between two artifacts, and whether the second can take the place of
//! the first.

mod obstacles;

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;
use serde::Serialize;

use crate::function_types::FunctionTypes;
use crate::inspection::{Export, Import, Inspection, ItemKind, WitInterface};
use crate::interface_name::InterfaceName;
pub use obstacles::Obstacle;

/// How a second artifact differs from a first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// Why the second cannot take the place of the first; empty when it can. Interfaces,
    /// functions and versions are compared; with [`Comparison::with_types`] the types of functions
    /// are too.
    pub obstacles: Vec<Obstacle>,
    /// The step in its version that the second needs at least.
    pub step: Step,
    /// What a host has to provide.
    pub imports: Changes,
    /// What a host can use.
    pub exports: Changes,
    /// Sizes in bytes.
    pub size: Sizes,
}

/// A step from one version to the next, as semver has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// Everything is as it was from outside.
    Patch,
    /// Something is there that was not.
    Minor,
    /// Something that was relied on is not there any more, or something is needed that was not.
    Major,
}

/// What came, went and changed in one list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Changes {
    /// Only in the second.
    pub added: Vec<Item>,
    /// Only in the first.
    pub removed: Vec<Item>,
    /// In both, and not the same.
    pub changed: Vec<ChangedItem>,
}

/// One import or export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// The full name, with its version.
    pub name: String,
    /// The functions that are named, sorted.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub functions: BTreeSet<String>,
    #[serde(skip)]
    interface: Option<InterfaceName>,
    #[serde(skip)]
    kind: ItemKind,
    /// False when there may be more functions than are named.
    #[serde(skip)]
    is_complete: bool,
    /// The types of its functions, as far as they were read.
    #[serde(skip)]
    types: BTreeMap<String, String>,
}

/// An import or export that both have, in the same track of versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangedItem {
    /// Its name in the second.
    pub name: String,
    /// Its name in the first, when that is another version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was: Option<String>,
    /// Functions that only the second names.
    pub functions_added: BTreeSet<String>,
    /// Functions that only the first names.
    pub functions_removed: BTreeSet<String>,
    /// Functions that both name, and that have another type.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub functions_retyped: Vec<Retyped>,
}

/// A function whose type is another one. Types are written like those of WIT, with their structure
/// in place of names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Retyped {
    /// The function.
    pub function: String,
    /// Its type in the first.
    pub before: String,
    /// Its type in the second.
    pub after: String,
}

/// Sizes in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Sizes {
    /// Of the first.
    pub before: u64,
    /// Of the second.
    pub after: u64,
}

impl Comparison {
    /// Compares what was found in two artifacts, without the types of functions.
    pub fn between(before: &Inspection, after: &Inspection) -> Self {
        let none = FunctionTypes::default();
        Self::with_types((before, &none), (after, &none))
    }

    /// Compares what was found in two artifacts. A function of another type is another function:
    /// runtimes and validators ask for the same structure, so that there is no type that stands in
    /// for another one.
    pub fn with_types(
        before: (&Inspection, &FunctionTypes),
        after: (&Inspection, &FunctionTypes),
    ) -> Self {
        let (old_imports, old_exports) = sides(before);
        let (new_imports, new_exports) = sides(after);
        let mut obstacles = Vec::new();
        obstacles.extend(obstacles::of_kind(before.0.kind, after.0.kind));
        obstacles.extend(obstacles::of_imports(&old_imports, &new_imports));
        obstacles.extend(obstacles::of_exports(&old_exports, &new_exports));
        obstacles.extend(obstacles::of_types(
            (&old_imports, &new_imports),
            (&old_exports, &new_exports),
        ));
        let exports = Changes::between(&old_exports, &new_exports);
        Self {
            step: Step::needed(&obstacles, &exports),
            obstacles,
            imports: Changes::between(&old_imports, &new_imports),
            exports,
            size: Sizes {
                before: before.0.size,
                after: after.0.size,
            },
        }
    }

    /// True when the second can take the place of the first: it needs nothing that a host
    /// of the first need not have, and offers everything that the first offers.
    pub fn can_replace(&self) -> bool {
        self.obstacles.is_empty()
    }
}

impl Step {
    fn needed(obstacles: &[Obstacle], exports: &Changes) -> Self {
        let mut changed = exports.changed.iter();
        if !obstacles.is_empty() {
            Self::Major
        } else if !exports.added.is_empty() || changed.any(ChangedItem::offers_more) {
            Self::Minor
        } else {
            Self::Patch
        }
    }

    /// The step from one version to another; none when it goes back or stays. Before 1.0.0
    /// the second number counts as the first does later, as cargo has it.
    pub fn between(before: &Version, after: &Version) -> Option<Self> {
        if after <= before {
            return None;
        }
        let levels = |version: &Version| match (version.major, version.minor) {
            (0, 0) => (version.patch, 0),
            (0, minor) => (minor, version.patch),
            (major, minor) => (major, minor),
        };
        let (old, new) = (levels(before), levels(after));
        Some(if before.major != after.major || old.0 != new.0 {
            Self::Major
        } else if old.1 != new.1 {
            Self::Minor
        } else {
            Self::Patch
        })
    }
}

impl Changes {
    /// True when nothing changed.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }

    fn between(before: &[Item], after: &[Item]) -> Self {
        let missing = |items: &[Item], others: &[Item]| -> Vec<Item> {
            let is_missing = |item: &&Item| item.among(others).is_none();
            items.iter().filter(is_missing).cloned().collect()
        };
        let changed = after.iter().filter_map(|new| {
            let old = new.among(before)?;
            ChangedItem::between(old, new)
        });
        Self {
            added: missing(after, before),
            removed: missing(before, after),
            changed: changed.collect(),
        }
    }
}

impl ChangedItem {
    fn between(old: &Item, new: &Item) -> Option<Self> {
        let only = |these: &Item, those: &Item| {
            let these = these.functions.difference(&those.functions);
            these.cloned().collect::<BTreeSet<_>>()
        };
        let changed = Self {
            name: new.name.clone(),
            was: (old.name != new.name).then(|| old.name.clone()),
            functions_added: only(new, old),
            functions_removed: only(old, new),
            functions_retyped: new.retyped(old),
        };
        let is_change = changed.was.is_some()
            || !changed.functions_added.is_empty()
            || !changed.functions_removed.is_empty()
            || !changed.functions_retyped.is_empty();
        is_change.then_some(changed)
    }

    fn offers_more(&self) -> bool {
        self.was.is_some() || !self.functions_added.is_empty()
    }
}

impl Item {
    /// The same import or export in another list: by its name, else the newest of its track.
    fn among<'a>(&self, others: &'a [Self]) -> Option<&'a Self> {
        let mut same_name = others.iter().filter(|other| other.kind == self.kind);
        if let Some(other) = same_name.find(|other| other.name == self.name) {
            return Some(other);
        }
        let own = self.interface.as_ref()?;
        let is_alike = |other: &&Self| {
            let interface = other.interface.as_ref();
            other.kind == self.kind && interface.is_some_and(|other| own.same_track(other))
        };
        let alike = others.iter().filter(is_alike);
        alike.max_by_key(|item| item.version())
    }

    /// The functions that have another type than in `old`.
    fn retyped(&self, old: &Self) -> Vec<Retyped> {
        let types = self.types.iter();
        let retyped = types.filter_map(|(function, after)| {
            let before = old.types.get(function)?;
            (before != after).then(|| Retyped {
                function: function.clone(),
                before: before.clone(),
                after: after.clone(),
            })
        });
        retyped.collect()
    }

    fn version(&self) -> Option<&Version> {
        self.interface.as_ref()?.version.as_ref()
    }
}

impl From<&Import> for Item {
    fn from(import: &Import) -> Self {
        Self {
            name: import.name.clone(),
            functions: import.functions.iter().cloned().collect(),
            interface: import.interface(),
            kind: import.kind,
            is_complete: !import.opaque,
            types: BTreeMap::new(),
        }
    }
}

impl From<&Export> for Item {
    fn from(export: &Export) -> Self {
        Self {
            name: export.name.clone(),
            functions: export.functions.iter().cloned().collect(),
            interface: export.interface(),
            kind: export.kind,
            is_complete: !export.opaque,
            types: BTreeMap::new(),
        }
    }
}

impl From<&WitInterface> for Item {
    fn from(interface: &WitInterface) -> Self {
        Self {
            name: interface.name.clone(),
            functions: interface.functions.iter().cloned().collect(),
            interface: interface.name.parse().ok(),
            kind: ItemKind::Instance,
            is_complete: true,
            types: BTreeMap::new(),
        }
    }
}

/// Imports and exports. A WIT package has no code: what it offers are its interfaces.
fn sides((inspection, types): (&Inspection, &FunctionTypes)) -> (Vec<Item>, Vec<Item>) {
    let mut imports = items(&inspection.imports);
    for item in &mut imports {
        item.types = types.import(&item.name);
    }
    let mut exports = match &inspection.package {
        Some(package) => items(&package.interfaces),
        None => items(&inspection.exports),
    };
    for item in &mut exports {
        item.types = types.export(&item.name);
    }
    (imports, exports)
}

fn items<'a, T>(list: &'a [T]) -> Vec<Item>
where
    Item: From<&'a T>,
{
    list.iter().map(Item::from).collect()
}

#[cfg(test)]
mod tests;
