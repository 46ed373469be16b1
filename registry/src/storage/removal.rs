//! Taking manifests away, with everything that hangs on them.

use thiserror::Error;
use wasmport_artifact::{Digest, Manifest, RepositoryName, Tag};

use super::error::StorageError;
use super::grants::blobs;
use super::keys::Key;
use super::leases::unhindered;
use super::records::{Batch, CommitError, Version};
use super::store::{ATTEMPTS, Store};
use super::tags::{TagError, TagTerms};

/// Why a manifest was not deleted.
#[derive(Debug, Error)]
pub(crate) enum RemoveError {
    /// One of its tags may not go.
    #[error(transparent)]
    Tag(#[from] TagError),
    /// Other requests changed the same records again and again.
    #[error("too many requests change `{0}` at once")]
    Contended(RepositoryName),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Store {
    /// Deletes a manifest, its tags, its place among the referrers of its subject, its use of
    /// blobs, and its wishes for tags, in one batch. False when it is not there. The blobs
    /// stay until they are collected.
    pub(crate) async fn delete_manifest(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        terms: impl Fn(Tag) -> TagTerms + Send + Sync + 'static,
    ) -> Result<bool, RemoveError> {
        let (store, repository, digest) = (self.clone(), repository.clone(), digest.clone());
        unhindered(async move {
            // A push of the same manifest under another tag comes before or after.
            let _claim = store.leases.claim(&digest).await;
            store.remove_manifest(&repository, &digest, terms).await
        })
        .await
    }

    async fn remove_manifest(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        terms: impl Fn(Tag) -> TagTerms,
    ) -> Result<bool, RemoveError> {
        for _ in 0..ATTEMPTS {
            let Some((manifest, version)) = self.versioned(repository, digest).await? else {
                return Ok(false);
            };
            let key = Key::manifest(repository, digest);
            let batch = Batch::new().delete_if_unchanged(key, version);
            let batch = unlinked(batch, repository, digest, manifest.as_ref());
            let batch = self.remove_wishes_of(batch, repository, digest).await?;
            let batch = self
                .remove_tags_of(batch, repository, digest, &terms)
                .await?;
            match self.commit(batch).await {
                Ok(()) => {
                    self.quotas.forget(repository);
                    return Ok(true);
                }
                Err(CommitError::Changed(_)) => {}
                Err(CommitError::Storage(error)) => return Err(error.into()),
            }
        }
        Err(RemoveError::Contended(repository.clone()))
    }

    /// A manifest and its version. One that cannot be read can still be deleted.
    async fn versioned(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Option<(Option<Manifest>, Version)>, StorageError> {
        let key = Key::manifest(repository, digest);
        let Some(record) = self.records.get(&key).await? else {
            return Ok(None);
        };
        let stored = super::manifests::split(&key, &record).ok();
        let manifest = stored.and_then(|stored| stored.parse().ok());
        Ok(Some((manifest, record.version)))
    }
}

fn unlinked(
    mut batch: Batch,
    repository: &RepositoryName,
    digest: &Digest,
    manifest: Option<&Manifest>,
) -> Batch {
    let Some(manifest) = manifest else {
        return batch;
    };
    batch = batch.delete(Key::decision(repository, digest));
    for blob in blobs(manifest) {
        batch = batch.delete(Key::user(repository, &blob.digest, digest));
    }
    match manifest.subject() {
        Some(subject) => batch.delete(Key::referrer(repository, &subject.digest, digest)),
        None => batch,
    }
}
