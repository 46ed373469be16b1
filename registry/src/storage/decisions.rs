//! What was decided on a manifest when it came in, kept for whoever asks why it is there.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use wasmport_artifact::{Digest, RepositoryName};
use wasmport_policies::{Decision, Previous};

use super::error::StorageError;
use super::keys::Key;
use super::records::{Batch, CommitError};
use super::store::{Store, decode, encode, now_ms};
use crate::admission::Judged;

/// How many findings are kept. What has more is refused mostly, and so not stored.
const FINDINGS: usize = 100;

/// How many versions are remembered that an artifact was compared with. It has a tag or two
/// mostly, each of which pointed to something else before.
const VERSIONS: usize = 100;

/// How many referrers are remembered in which something was signed. Of a hundred items that are
/// read, a third are referrers at least.
pub(crate) const PROOFS: usize = 32;

/// How often a change is tried again that others were faster than.
const ATTEMPTS: usize = 10;

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
    /// The policy of the last decision that a signed summary was published of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) summarized: Option<Digest>,
    /// Who pushed it last, when that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pushed_by: Option<String>,
    /// Blobs in which a signer was found to have signed something about it, each with a referrer
    /// that names it. What they prove is asked anew each time; others are read after them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) proofs: BTreeMap<Digest, Digest>,
    /// The versions that it was compared with, each once.
    #[serde(default)]
    pub(crate) previous: Vec<Previous>,
    /// Which of them each push was compared with: the versions that its tags pointed to.
    #[serde(default)]
    pub(crate) pushes: BTreeSet<Compared>,
}

/// The digests of versions that a push was compared with. None when it was the first in its
/// repository, or when the policy did not ask.
pub(crate) type Compared = BTreeSet<Digest>;

impl DecisionRecord {
    /// Of a decision that is taken now.
    pub(crate) fn new(
        mut decision: Decision,
        policy_digest: Digest,
        facts_digest: Digest,
        date: String,
        previous: Vec<Previous>,
    ) -> Self {
        decision.more += decision.findings.len().saturating_sub(FINDINGS);
        decision.findings.truncate(FINDINGS);
        Self {
            decision,
            policy_digest,
            facts_digest,
            date,
            at: now_ms(),
            summarized: None,
            pushed_by: None,
            proofs: BTreeMap::new(),
            pushes: BTreeSet::from([digests(&previous)]),
            previous,
        }
    }

    /// This decision, which does not make what was compared before it forgotten: a tag of then
    /// may still point here.
    #[must_use]
    fn after(mut self, before: Self) -> Self {
        for version in before.previous {
            let is_known = self.previous.iter().any(|it| it.digest == version.digest);
            if !is_known && self.previous.len() < VERSIONS {
                self.previous.push(version);
            }
        }
        self.summarized = before.summarized;
        self.proofs = before.proofs;
        let known = digests(&self.previous);
        let pushes = before.pushes.into_iter();
        self.pushes
            .extend(pushes.filter(|push| push.is_subset(&known)));
        self
    }
}

/// What versions are told by.
fn digests(versions: &[Previous]) -> Compared {
    versions.iter().map(|it| it.digest.clone()).collect()
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

    /// Writes down that a summary was published of what this policy decided.
    pub(crate) async fn summarized(
        &self,
        repository: &RepositoryName,
        manifest: &Digest,
        policy: &Digest,
    ) -> Result<(), StorageError> {
        self.amend(repository, manifest, |record| {
            let before = record.summarized.replace(policy.clone());
            before.as_ref() != Some(policy)
        })
        .await
    }

    /// Writes down that a referrer holds, in `blob`, what a signer has signed about a manifest.
    /// Another manifest around the same blob says nothing more.
    pub(crate) async fn proved(
        &self,
        repository: &RepositoryName,
        manifest: &Digest,
        referrer: &Digest,
        blob: &Digest,
    ) -> Result<(), StorageError> {
        self.amend(repository, manifest, |record| {
            let is_new = record.proofs.len() < PROOFS && !record.proofs.contains_key(blob);
            if is_new {
                record.proofs.insert(blob.clone(), referrer.clone());
            }
            is_new
        })
        .await
    }

    /// Changes what was written down of a manifest, if anything was; `change` says whether it
    /// did. When others write all the time, it is left undone at last.
    async fn amend(
        &self,
        repository: &RepositoryName,
        manifest: &Digest,
        change: impl Fn(&mut DecisionRecord) -> bool,
    ) -> Result<(), StorageError> {
        let key = Key::decision(repository, manifest);
        for _ in 0..ATTEMPTS {
            let Some(known) = self.records.get(&key).await? else {
                return Ok(());
            };
            // Of another version of the registry: as if there were none.
            let Ok(mut record) = decode::<DecisionRecord>(&key, &known) else {
                return Ok(());
            };
            if !change(&mut record) {
                return Ok(());
            }
            let batch = Batch::new().put_if_unchanged(key.clone(), known.version, encode(&record));
            match self.commit(batch).await {
                Ok(()) => return Ok(()),
                Err(CommitError::Changed(_)) => {}
                Err(CommitError::Storage(error)) => return Err(error),
            }
        }
        Ok(())
    }

    /// Adds to `batch` what was decided. The batch fails when somebody else decides on the same
    /// manifest in the meantime.
    pub(super) async fn write_down(
        &self,
        batch: Batch,
        judged: &Judged,
    ) -> Result<Batch, StorageError> {
        let Some(record) = judged.record() else {
            return Ok(batch);
        };
        let key = Key::decision(judged.repository(), judged.digest());
        let Some(known) = self.records.get(&key).await? else {
            return Ok(batch.put_if_absent(key, encode(&record)));
        };
        let record = match decode(&key, &known) {
            Ok(before) => record.after(before),
            Err(_) => record,
        };
        Ok(batch.put_if_unchanged(key, known.version, encode(&record)))
    }
}
