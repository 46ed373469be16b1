//! What a WIT package in its binary form defines.

use serde::{Deserialize, Serialize};

/// The content of a WIT package.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WitPackage {
    /// `namespace:name@version`, when anything in it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The interfaces, in the order of the bytes.
    pub interfaces: Vec<WitInterface>,
    /// The worlds, in the order of the bytes.
    pub worlds: Vec<WitWorld>,
}

/// An interface of a WIT package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WitInterface {
    /// The full name: `wasi:http/types@0.2.6`.
    pub name: String,
    /// Its functions, sorted.
    pub functions: Vec<String>,
    /// Its resources, sorted.
    pub resources: Vec<String>,
}

/// A world of a WIT package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WitWorld {
    /// The full name: `wasi:http/proxy@0.2.6`.
    pub name: String,
    /// Names of what it imports, in the order of the bytes.
    pub imports: Vec<String>,
    /// Names of what it exports, in the order of the bytes.
    pub exports: Vec<String>,
}
