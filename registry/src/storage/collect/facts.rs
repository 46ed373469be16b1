//! Facts of manifests that no repository has.

use wasmport_artifact::Digest;

use super::{Run, STEP};
use crate::storage::digest_set::DigestSet;
use crate::storage::error::StorageError;
use crate::storage::keys::{Key, Kind, Named, Prefix};
use crate::storage::leases::{Claims, unhindered};
use crate::storage::records::{Batch, CommitError};
use crate::storage::store::Store;
use crate::storage::walk::{LARGE, SMALL, Walk};

impl Run<'_> {
    pub(super) async fn facts(&mut self) -> Result<(), StorageError> {
        let records = &*self.store.records;
        let mut stored = DigestSet::new(self.salt());
        let mut manifests = Walk::new(records, Prefix::all(Kind::Manifests), LARGE);
        while let Some((key, _)) = manifests.next().await? {
            if let Some(Named::Manifest(repository, digest)) = key.named()
                && !self.doomed.contains("manifest", &repository, &digest)
            {
                stored.insert(&digest);
            }
        }
        let mut facts = Walk::new(records, Prefix::all(Kind::Facts), SMALL);
        let mut candidates = Vec::new();
        while let Some((key, _)) = facts.next().await? {
            self.report.examined += 1;
            if let Some(Named::Facts(digest)) = key.named()
                && !stored.contains(&digest)
            {
                candidates.push(digest);
            }
            if candidates.len() >= STEP {
                self.remove_facts(std::mem::take(&mut candidates)).await?;
            }
        }
        self.remove_facts(candidates).await
    }

    async fn remove_facts(&mut self, candidates: Vec<Digest>) -> Result<(), StorageError> {
        let mut removed = candidates.len();
        if !self.options.dry_run {
            let store = self.store.clone();
            removed = unhindered(async move { forget(&store, candidates).await }).await?;
        }
        self.report.facts += removed as u64;
        Ok(())
    }
}

/// Whoever pushes the manifest meanwhile has a lease on it, or has used it since the run began.
async fn forget(store: &Store, candidates: Vec<Digest>) -> Result<usize, StorageError> {
    let mut claims = Claims::default();
    let mut batch = Batch::new();
    let mut forgotten = 0;
    for digest in candidates {
        if store.leases.try_claim(&mut claims, &digest) && !store.leases.used_since_begin(&digest) {
            batch = batch.delete(Key::facts(&digest));
            forgotten += 1;
        }
    }
    if forgotten == 0 {
        return Ok(0);
    }
    match store.commit(batch).await {
        Ok(()) => Ok(forgotten),
        Err(CommitError::Changed(_)) => Ok(0),
        Err(CommitError::Storage(error)) => Err(error),
    }
}
