//! Bytes that no repository has.

use wasmport_artifact::Digest;

use super::{Run, STEP};
use crate::storage::blobs::ListedBlob;
use crate::storage::error::StorageError;
use crate::storage::keys::{Kind, Named, Prefix};
use crate::storage::leases::{Claims, unhindered};
use crate::storage::store::Store;
use crate::storage::walk::{SMALL, Walk};

impl Run<'_> {
    /// Bytes need no grace: whoever is about to have them holds a lease on them.
    pub(super) async fn bytes(&mut self) -> Result<(), StorageError> {
        let records = &*self.store.records;
        let mut holders = Walk::new(records, Prefix::all(Kind::Holders), SMALL);
        let mut after: Option<Digest> = None;
        let mut candidates = Vec::new();
        loop {
            let page = self.store.list_blobs(after.as_ref()).await?;
            let Some(last) = page.last() else {
                return self.remove_bytes(candidates).await;
            };
            after = Some(last.digest.clone());
            for blob in page {
                self.report.examined += 1;
                let doomed = &self.doomed;
                let is_held = holders.any_under(blob.digest.as_str(), |key| match key.named() {
                    Some(Named::Holder(digest, repository)) => {
                        !doomed.contains("grant", &repository, &digest)
                    }
                    _ => true,
                });
                if !is_held.await? {
                    candidates.push(blob);
                }
                if candidates.len() >= STEP {
                    self.remove_bytes(std::mem::take(&mut candidates)).await?;
                }
            }
        }
    }

    async fn remove_bytes(&mut self, candidates: Vec<ListedBlob>) -> Result<(), StorageError> {
        let found = candidates.len();
        let removed = if self.options.dry_run {
            candidates
        } else {
            let store = self.store.clone();
            unhindered(async move { remove_unheld(&store, candidates).await }).await?
        };
        self.report.in_use += (found - removed.len()) as u64;
        for blob in removed {
            self.report.blobs += 1;
            self.report.bytes += blob.size;
            let reason = "no repository has it";
            self.report.note("blob", None, &blob.digest, reason);
        }
        Ok(())
    }
}

/// Removes those that no repository came to have meanwhile. Under the claim none can.
async fn remove_unheld(
    store: &Store,
    candidates: Vec<ListedBlob>,
) -> Result<Vec<ListedBlob>, StorageError> {
    let mut removed = Vec::new();
    for blob in candidates {
        let mut claims = Claims::default();
        let holders = Prefix::holders(&blob.digest);
        if store.leases.try_claim(&mut claims, &blob.digest)
            && store.records.list(&holders, None, 1).await?.is_empty()
            && store.delete_blob(&blob.digest).await?
        {
            removed.push(blob);
        }
    }
    Ok(removed)
}
