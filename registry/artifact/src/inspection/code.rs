//! What core modules declare outside of their code.

use serde::{Deserialize, Serialize};

/// A memory that a core module declares or imports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Memory {
    /// Its size at the start, in pages.
    pub minimum: u64,
    /// How far it may grow, in pages, when it says so.
    pub maximum: Option<u64>,
    /// The size of a page in bytes: 65,536 but for the proposal of custom page sizes.
    pub page_size: u64,
    /// Whether threads may share it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shared: bool,
    /// Whether its addresses have 64 bits.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub memory64: bool,
    /// Whether the module only asks for it. In a component another module provides it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub imported: bool,
}

/// What runs by itself when the artifact is instantiated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// The start function of a core module, wherever that lies.
    CoreModule,
    /// The start function of a component.
    Component,
}
