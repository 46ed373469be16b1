//! What a run of the collector did.

use serde::{Deserialize, Serialize};
use wasmport_artifact::{Digest, RepositoryName};

use super::CollectOptions;
use crate::storage::store::now;

/// How many things that went are named; the others are counted.
const NAMED: usize = 100;

/// What went, or would have gone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Collected {
    /// Nothing was taken away; this is what would have been.
    pub dry_run: bool,
    /// When the run began, in seconds since 1970.
    pub began: u64,
    /// How long it took.
    pub seconds: f64,
    /// The grace that it left, in seconds.
    pub grace_seconds: u64,
    /// Records and blobs that were looked at.
    pub examined: u64,
    /// Manifests that went: referrers without a subject, and untagged ones if so told.
    pub manifests: u64,
    /// Tags of signatures and referrers whose subject is gone.
    pub tags: u64,
    /// Rights of repositories to blobs that no manifest of theirs uses.
    pub grants: u64,
    /// Blobs that no repository had any more.
    pub blobs: u64,
    /// The bytes of those blobs.
    pub bytes: u64,
    /// Facts about manifests that are nowhere.
    pub facts: u64,
    /// Moves of tags that were deleted long ago.
    #[serde(default)]
    pub history: u64,
    /// What would have gone, if a push had not used it meanwhile.
    pub in_use: u64,
    /// The first hundred things that went.
    pub removed: Vec<Removed>,
}

/// Something that went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Removed {
    /// `manifest`, `tag`, `grant`, `blob` or `history`.
    pub kind: String,
    /// Where it was, unless it was a blob, which belongs to no repository any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<RepositoryName>,
    /// Its digest, or the tag.
    pub name: String,
    /// Why it went.
    pub reason: String,
}

impl Collected {
    pub(super) fn new(options: &CollectOptions) -> Self {
        Self {
            dry_run: options.dry_run,
            began: now(),
            grace_seconds: options.grace.as_secs(),
            ..Self::default()
        }
    }

    pub(super) fn note(
        &mut self,
        kind: &str,
        repository: Option<&RepositoryName>,
        name: &impl ToString,
        reason: &str,
    ) {
        if self.removed.len() < NAMED {
            self.removed.push(Removed {
                kind: kind.to_owned(),
                repository: repository.cloned(),
                name: name.to_string(),
                reason: reason.to_owned(),
            });
        }
    }

    pub(super) fn note_digest(
        &mut self,
        kind: &str,
        repository: &RepositoryName,
        digest: &Digest,
        reason: &str,
    ) {
        self.note(kind, Some(repository), digest, reason);
    }
}
