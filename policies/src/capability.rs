//! What imports let a program do, in words that a person understands.

use serde::{Deserialize, Serialize};
use wasmport_artifact::Import;

/// A capability that a program asks for, and the imports that ask for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CapabilityUse {
    /// Its name in policies: `sockets`.
    pub capability: String,
    /// What a program can do with it, as a fragment after "it can".
    pub summary: String,
    /// How much there is to lose.
    pub risk: Risk,
    /// What there is to lose, in a sentence; empty where there is nothing.
    pub concern: String,
    /// The imports that ask for it, with their versions, in the order of the bytes.
    pub imports: Vec<String>,
}

/// How much there is to lose when a program that should not have a capability has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// Nothing by itself.
    None,
    /// Little: noise, or a hint about the host.
    Low,
    /// What the host has granted.
    Medium,
    /// Other systems and other people's data.
    High,
}

/// The capabilities that these imports ask for, in the catalogue's order.
pub fn capabilities(imports: &[Import]) -> Vec<CapabilityUse> {
    if imports.is_empty() {
        return Vec::new();
    }
    vec![CapabilityUse {
        capability: "custom".to_owned(),
        summary: "use interfaces that the catalogue does not know".to_owned(),
        risk: Risk::High,
        concern: "Nobody but the host knows what they do.".to_owned(),
        imports: imports.iter().map(|import| import.name.clone()).collect(),
    }]
}
