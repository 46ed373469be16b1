//! What keeps one artifact from taking the place of another.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::{Item, Retyped};
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
    /// It calls functions as what they are not at a host of the first.
    ImportRetyped {
        /// The import.
        name: String,
        /// The functions.
        functions: Vec<Retyped>,
    },
    /// It offers functions as something else.
    ExportRetyped {
        /// The export.
        name: String,
        /// The functions.
        functions: Vec<Retyped>,
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

/// Functions that both have, with another type.
pub(super) fn of_types(
    (old_imports, new_imports): (&[Item], &[Item]),
    (old_exports, new_exports): (&[Item], &[Item]),
) -> Vec<Obstacle> {
    let imports = retyped(old_imports, new_imports);
    let imports = imports.map(|(name, functions)| Obstacle::ImportRetyped { name, functions });
    let exports = retyped(old_exports, new_exports);
    let exports = exports.map(|(name, functions)| Obstacle::ExportRetyped { name, functions });
    imports.chain(exports).collect()
}

fn retyped(before: &[Item], after: &[Item]) -> impl Iterator<Item = (String, Vec<Retyped>)> {
    after.iter().filter_map(|new| {
        let functions = new.retyped(new.among(before)?);
        (!functions.is_empty()).then(|| (new.name.clone(), functions))
    })
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
            Self::ImportRetyped { name, functions } => write!(
                formatter,
                "it calls {} of `{name}` with another type than the first",
                list(functions.iter().map(|it| &it.function))
            ),
            Self::ExportRetyped { name, functions } => write!(
                formatter,
                "its `{name}` has {} with another type",
                list(functions.iter().map(|it| &it.function))
            ),
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

fn list<'a>(functions: impl IntoIterator<Item = &'a String>) -> String {
    let names: Vec<String> = functions
        .into_iter()
        .map(|name| format!("`{name}`"))
        .collect();
    names.join(", ")
}
