//! What is known about an artifact when a policy is applied to it.

mod gather;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use wasmport_artifact::{Digest, Disagreement, Inspection, RepositoryName, Tag};

/// Everything that a decision is taken on. Its JSON form is documented, so that another
/// engine can be given the same facts.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// Where the artifact is, or shall be.
    pub repository: RepositoryName,
    /// The tag that it is pushed under, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<Tag>,
    /// The manifest's digest.
    pub digest: Digest,
    /// What the manifest carries.
    pub content: Content,
    /// The manifest's annotations.
    pub annotations: BTreeMap<String, String>,
    /// Names of the policy's signers that have made a verified signature of `digest`.
    pub signed_by: BTreeSet<String>,
}

/// What a manifest carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Content {
    /// Wasm that was read and is valid.
    Wasm {
        /// What the bytes are, import and export.
        inspection: Box<Inspection>,
        /// What the config says wrongly about them.
        disagreements: Vec<Disagreement>,
    },
    /// Something that claims to be Wasm, and could not be read as such.
    Unreadable {
        /// Why not, as a fragment of a sentence.
        reason: String,
    },
    /// Words about another artifact: a signature, an attestation, a list of parts.
    Attachment,
    /// Anything else: a container image, an index, a chart.
    Other,
}
