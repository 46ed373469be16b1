//! What keeps one artifact from taking the place of another.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::Item;
use crate::inspection::{ItemKind, Kind};

/// A core module's imports of this name are one interface that never changes.
const PREVIEW1: &str = "wasi_snapshot_preview1";

/// A reason why an artifact cannot take the place of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum Obstacle {
    /// They are not the same kind of thing.
    Kind {
        /// What the first is.
        before: Kind,
        /// What the second is.
        after: Kind,
    },
    /// It imports what the first does not.
    ImportAdded {
        /// The import.
        name: String,
    },
    /// It calls functions that a host of the first need not have.
    ImportGrew {
        /// The import.
        name: String,
        /// The functions; empty when nobody can say which.
        functions: BTreeSet<String>,
    },
    /// It does not export what the first does.
    ExportRemoved {
        /// The export.
        name: String,
    },
    /// It exports an older version.
    ExportOlder {
        /// The export of the first.
        before: String,
        /// The export of the second.
        after: String,
    },
    /// It lacks functions of an export.
    ExportShrank {
        /// The export.
        name: String,
        /// The functions.
        functions: BTreeSet<String>,
    },
}

pub(super) fn of_kind(before: Kind, after: Kind) -> Option<Obstacle> {
    (before != after).then_some(Obstacle::Kind { before, after })
}

/// What the second needs that a host of the first need not have.
pub(super) fn of_imports(before: &[Item], after: &[Item]) -> Vec<Obstacle> {
    let needs = after.iter().filter_map(|new| {
        let Some(old) = new.among(before) else {
            let name = new.name.clone();
            return Some(Obstacle::ImportAdded { name });
        };
        if is_whole_at_host(old, new) {
            return None;
        }
        let functions: BTreeSet<_> = new.functions.difference(&old.functions).cloned().collect();
        (!functions.is_empty() || !new.is_complete).then(|| Obstacle::ImportGrew {
            name: new.name.clone(),
            functions,
        })
    });
    needs.collect()
}

/// True when a host that provides `old` provides all that `new` could call: an interface
/// with a version is provided whole, also the functions that the first left unused.
fn is_whole_at_host(old: &Item, new: &Item) -> bool {
    if new.kind == ItemKind::Core && new.name == PREVIEW1 {
        return true;
    }
    let versions = new.version().zip(old.version());
    versions.is_some_and(|(new, old)| new <= old)
}

/// What the first offers and the second does not.
pub(super) fn of_exports(before: &[Item], after: &[Item]) -> Vec<Obstacle> {
    let lacks = before.iter().filter_map(|old| {
        let Some(new) = old.among(after) else {
            let name = old.name.clone();
            return Some(Obstacle::ExportRemoved { name });
        };
        if new.version() < old.version() {
            let (before, after) = (old.name.clone(), new.name.clone());
            return Some(Obstacle::ExportOlder { before, after });
        }
        let functions: BTreeSet<_> = old.functions.difference(&new.functions).cloned().collect();
        (!functions.is_empty()).then(|| Obstacle::ExportShrank {
            name: new.name.clone(),
            functions,
        })
    });
    lacks.collect()
}

impl fmt::Display for Obstacle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind { before, after } => {
                write!(
                    formatter,
                    "it is {}, and the first is {}",
                    kind(*after),
                    kind(*before)
                )
            }
            Self::ImportAdded { name } => {
                write!(
                    formatter,
                    "it imports `{name}`, which a host of the first need not have"
                )
            }
            Self::ImportGrew { name, functions } if functions.is_empty() => write!(
                formatter,
                "nobody can say which functions of `{name}` it calls, and a host of the first need not have all"
            ),
            Self::ImportGrew { name, functions } => write!(
                formatter,
                "it calls {} of `{name}`, which a host of the first need not have",
                list(functions)
            ),
            Self::ExportRemoved { name } => write!(formatter, "it does not export `{name}`"),
            Self::ExportOlder { before, after } => {
                write!(
                    formatter,
                    "it exports `{after}`, which is older than `{before}`"
                )
            }
            Self::ExportShrank { name, functions } => {
                write!(formatter, "its `{name}` lacks {}", list(functions))
            }
        }
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Component => "a component",
        Kind::CoreModule => "a core module",
        Kind::WitPackage => "a WIT package",
    }
}

fn list(functions: &BTreeSet<String>) -> String {
    let names: Vec<String> = functions.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}
