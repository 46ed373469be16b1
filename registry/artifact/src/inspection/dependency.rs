//! The crates that cargo-auditable says a program was built from.

use serde::{Deserialize, Serialize};

/// The content of a `.dep-v0` section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dependencies {
    /// The crates, sorted by name and version. The program's own is among them.
    pub packages: Vec<Dependency>,
    /// True when a section could not be read, so that crates may be missing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unreadable: bool,
}

/// One crate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dependency {
    /// The crate's name.
    pub name: String,
    /// The crate's version.
    pub version: String,
    /// Where it came from: the public registry, `git`, `local`, `registry`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// True for the program itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub root: bool,
    /// True for what only ran during the build.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub build: bool,
}
