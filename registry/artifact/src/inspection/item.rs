//! What goes into and comes out of an artifact: its outermost imports and exports.

use serde::{Deserialize, Serialize};

use crate::interface_name::InterfaceName;

/// What kind of thing an import or export is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ItemKind {
    /// An instance: an interface with functions and types.
    Instance,
    /// A single function.
    Func,
    /// A type or resource.
    Type,
    /// A core module, whose own imports the host would satisfy.
    CoreModule,
    /// A component, whose own imports the host would satisfy.
    Component,
    /// A value.
    Value,
    /// Functions, memories, tables, globals or tags of a core module, under one name.
    Core,
}

/// One outermost import.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Import {
    /// The full name: `wasi:http/types@0.2.6`, or the module name in a core module.
    pub name: String,
    /// The interface behind a label of one's own, `(implements "…")`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub implements: Option<String>,
    /// What is imported.
    pub kind: ItemKind,
    /// The functions that the program can call through it, sorted. In a core module also
    /// the names of imported memories, tables and globals.
    pub functions: Vec<String>,
    /// The resources that it names, sorted.
    pub resources: Vec<String>,
    /// True when what it holds is more than functions and types, so that the list of
    /// functions is not known to be complete.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub opaque: bool,
}

impl Import {
    /// An import of which nothing else is known.
    pub(crate) fn named(name: String, kind: ItemKind) -> Self {
        Self {
            name,
            implements: None,
            kind,
            functions: Vec::new(),
            resources: Vec::new(),
            opaque: false,
        }
    }

    /// The interface that a host must provide, when the import is of one: the one behind
    /// `implements`, else the name.
    pub fn interface(&self) -> Option<InterfaceName> {
        interface(self.implements.as_deref(), &self.name)
    }
}

/// One outermost export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Export {
    /// The full name: `wasi:cli/run@0.2.6`, or the name of a function.
    pub name: String,
    /// The interface behind a label of one's own, `(implements "…")`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub implements: Option<String>,
    /// What is exported.
    pub kind: ItemKind,
    /// The functions of an instance, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<String>,
    /// The resources of an instance, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// What an exported component or core module would ask of whoever instantiates it.
    /// These are no imports of the artifact: a host that only instantiates the artifact
    /// provides none of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub imports: Vec<Import>,
    /// True when the lists above are not known to be complete.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub opaque: bool,
}

impl Export {
    /// An export of which nothing else is known.
    pub(crate) fn named(name: String, kind: ItemKind) -> Self {
        Self {
            name,
            implements: None,
            kind,
            functions: Vec::new(),
            resources: Vec::new(),
            imports: Vec::new(),
            opaque: false,
        }
    }

    /// The interface that is offered, when the export is of one.
    pub fn interface(&self) -> Option<InterfaceName> {
        interface(self.implements.as_deref(), &self.name)
    }
}

fn interface(implements: Option<&str>, name: &str) -> Option<InterfaceName> {
    implements.unwrap_or(name).parse().ok()
}
