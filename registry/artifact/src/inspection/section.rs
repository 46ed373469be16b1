//! Sections of modules and components, added up by kind.

use serde::{Deserialize, Serialize};

/// All sections of one kind, or all custom sections of one name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Section {
    /// What is in them.
    pub kind: SectionKind,
    /// The name of custom sections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How many there are.
    pub count: u64,
    /// Their size in bytes, without their headers.
    pub size: u64,
}

/// What is in a section. Nested modules and components count with what is in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SectionKind {
    /// Bodies of functions.
    Code,
    /// Initial content of memories.
    Data,
    /// Anything that does not change what the program does.
    Custom,
    /// Types of functions, or types and interfaces of a component.
    Type,
    /// Imports.
    Import,
    /// Exports.
    Export,
    /// Everything else that belongs to core modules.
    Core,
    /// Everything else that belongs to components: instances, aliases, adapters.
    Component,
}
