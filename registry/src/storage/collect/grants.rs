//! Grants of blobs that no manifest of the repository uses.

use wasmport_artifact::{Digest, RepositoryName};

use super::{Run, STEP};
use crate::storage::error::StorageError;
use crate::storage::grants::{Grant, revoke};
use crate::storage::keys::{Kind, Named, Prefix};
use crate::storage::leases::{Claims, unhindered};
use crate::storage::records::{Batch, CommitError};
use crate::storage::store::{Store, decode};
use crate::storage::walk::{SMALL, Walk};

type Candidate = (RepositoryName, Digest);

impl Run<'_> {
    pub(super) async fn grants(&mut self) -> Result<(), StorageError> {
        let records = &*self.store.records;
        let mut grants = Walk::new(records, Prefix::all(Kind::Grants), SMALL);
        let mut users = Walk::new(records, Prefix::all(Kind::Users), SMALL);
        let mut candidates = Vec::new();
        while let Some((key, record)) = grants.next().await? {
            self.report.examined += 1;
            let doomed = &self.doomed;
            let is_used = users.any_under(key.rest(), |user| match user.named() {
                Some(Named::User(repository, _, manifest)) => {
                    !doomed.contains("manifest", &repository, &manifest)
                }
                _ => true,
            });
            if is_used.await? {
                continue;
            }
            let (Some(Named::Grant(repository, blob)), Ok(grant)) =
                (key.named(), decode::<Grant>(&key, &record))
            else {
                continue;
            };
            if self.is_old(grant.since) && !self.is_renewed(&blob) {
                candidates.push((repository, blob));
            }
            if candidates.len() >= STEP {
                self.revoke(std::mem::take(&mut candidates)).await?;
            }
        }
        self.revoke(candidates).await
    }

    async fn revoke(&mut self, candidates: Vec<Candidate>) -> Result<(), StorageError> {
        let found = candidates.len();
        let revoked = if self.options.dry_run {
            candidates
        } else {
            let store = self.store.clone();
            unhindered(async move { revoke_unused(&store, candidates).await }).await?
        };
        self.report.in_use += (found - revoked.len()) as u64;
        self.report.grants += revoked.len() as u64;
        for (repository, blob) in revoked {
            if self.options.dry_run {
                self.doomed.insert("grant", &repository, &blob);
            }
            let reason = "no manifest of the repository uses the blob";
            self.report.note_digest("grant", &repository, &blob, reason);
        }
        Ok(())
    }
}

/// Takes back those that nobody came to use meanwhile. Under the claim nobody can.
async fn revoke_unused(
    store: &Store,
    candidates: Vec<Candidate>,
) -> Result<Vec<Candidate>, StorageError> {
    let mut claims = Claims::default();
    let mut batch = Batch::new();
    let mut revoked = Vec::new();
    for (repository, blob) in candidates {
        let is_ours = store.leases.try_claim(&mut claims, &blob)
            && !store.leases.used_since_begin(&blob)
            && store.users(&repository, &blob, None).await?.is_empty();
        if is_ours {
            batch = revoke(batch, &repository, &blob);
            revoked.push((repository, blob));
        }
    }
    if revoked.is_empty() {
        return Ok(revoked);
    }
    match store.commit(batch).await {
        Ok(()) => {
            for (repository, _) in &revoked {
                store.quotas.forget(repository);
            }
            Ok(revoked)
        }
        Err(CommitError::Changed(_)) => Ok(Vec::new()),
        Err(CommitError::Storage(error)) => Err(error),
    }
}
