//! What was decided on a manifest when it came in, kept for whoever asks why it is there.

use serde::{Deserialize, Serialize};
use wasmport_artifact::{Digest, RepositoryName};
use wasmport_policies::{Decision, Previous};

use super::error::StorageError;
use super::keys::Key;
use super::store::{Store, decode, now_ms};

/// How many findings are kept. What has more is refused mostly, and so not stored.
const FINDINGS: usize = 100;

/// A decision as it was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DecisionRecord {
    #[serde(flatten)]
    pub(crate) decision: Decision,
    pub(crate) policy_digest: Digest,
    pub(crate) facts_digest: Digest,
    /// The day that the policy was applied as of, in UTC.
    pub(crate) date: String,
    /// When it was taken, in milliseconds since 1970.
    pub(crate) at: u64,
    /// The version that it was compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) previous: Option<Previous>,
}

impl DecisionRecord {
    /// Of a decision that is taken now.
    pub(crate) fn new(
        mut decision: Decision,
        policy_digest: Digest,
        facts_digest: Digest,
        date: String,
        previous: Option<Previous>,
    ) -> Self {
        decision.more += decision.findings.len().saturating_sub(FINDINGS);
        decision.findings.truncate(FINDINGS);
        Self {
            decision,
            policy_digest,
            facts_digest,
            date,
            at: now_ms(),
            previous,
        }
    }
}

impl Store {
    /// What was decided on a manifest when it was pushed, or when it was let out.
    pub(crate) async fn decision(
        &self,
        repository: &RepositoryName,
        manifest: &Digest,
    ) -> Result<Option<DecisionRecord>, StorageError> {
        let key = Key::decision(repository, manifest);
        let record = self.records.get(&key).await?;
        // Of another version of the registry: as if there were none.
        Ok(record.and_then(|record| decode(&key, &record).ok()))
    }
}
