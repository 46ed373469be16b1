//! Which repository may read which blob, and which manifests use it.

use serde::{Deserialize, Serialize};
use wasmport_artifact::{Descriptor, Digest, Manifest, RepositoryName};

use super::blob_writer::VerifiedBlob;
use super::error::StorageError;
use super::keys::{Key, Prefix};
use super::records::{Batch, CommitError, Version};
use super::store::{PAGE, Store, decode, encode};

/// A repository's right to read a blob. A blob has one file for all repositories, and
/// without a grant of its own a repository does not have it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Grant {
    /// The size of the blob in bytes.
    pub(super) size: u64,
    /// Goes up whenever a manifest that uses the blob is stored, so that taking the grant
    /// back notices a manifest that was stored in between.
    pub(super) uses: u64,
}

impl Store {
    /// Lets `repository` read `blob`.
    pub(crate) async fn grant(
        &self,
        repository: &RepositoryName,
        blob: &VerifiedBlob,
    ) -> Result<(), StorageError> {
        self.grant_size(repository, blob.digest(), blob.size())
            .await
    }

    /// Lets `repository` read a blob that `from` may read. False when `from` may not.
    pub(crate) async fn share(
        &self,
        from: &RepositoryName,
        repository: &RepositoryName,
        blob: &Digest,
    ) -> Result<bool, StorageError> {
        let Some(size) = self.granted(from, blob).await? else {
            return Ok(false);
        };
        self.grant_size(repository, blob, size).await?;
        Ok(true)
    }

    /// The size of a blob, if the repository may read it.
    pub(crate) async fn granted(
        &self,
        repository: &RepositoryName,
        blob: &Digest,
    ) -> Result<Option<u64>, StorageError> {
        let found = self.read_grant(repository, blob).await?;
        Ok(found.map(|(grant, _)| grant.size))
    }

    /// The manifests in `repository` that use `blob`, at most a page of them after `after`.
    pub(crate) async fn users(
        &self,
        repository: &RepositoryName,
        blob: &Digest,
        after: Option<&Digest>,
    ) -> Result<Vec<Digest>, StorageError> {
        let after = after.map(|manifest| Key::user(repository, blob, manifest));
        let prefix = Prefix::users(repository, blob);
        let found = self.records.list(&prefix, after.as_ref(), PAGE).await?;
        Ok(found
            .iter()
            .filter_map(|(key, _)| key.as_digest())
            .collect())
    }

    /// Takes back the right to a blob that no stored manifest of the repository uses.
    pub(crate) async fn withdraw(
        &self,
        repository: &RepositoryName,
        blob: &Digest,
    ) -> Result<(), StorageError> {
        let Some((_, version)) = self.read_grant(repository, blob).await? else {
            return Ok(());
        };
        if !self.users(repository, blob, None).await?.is_empty() {
            return Ok(());
        }
        let batch = Batch::new().delete_if_unchanged(Key::grant(repository, blob), version);
        match self.commit(batch).await {
            // Changed: another manifest came to use it.
            Ok(()) | Err(CommitError::Changed(_)) => Ok(()),
            Err(CommitError::Storage(error)) => Err(error),
        }
    }

    pub(super) async fn read_grant(
        &self,
        repository: &RepositoryName,
        blob: &Digest,
    ) -> Result<Option<(Grant, Version)>, StorageError> {
        let key = Key::grant(repository, blob);
        let Some(record) = self.records.get(&key).await? else {
            return Ok(None);
        };
        Ok(Some((decode(&key, &record)?, record.version)))
    }

    async fn grant_size(
        &self,
        repository: &RepositoryName,
        blob: &Digest,
        size: u64,
    ) -> Result<(), StorageError> {
        let grant = encode(&Grant { size, uses: 0 });
        let batch = Batch::new().put_if_absent(Key::grant(repository, blob), grant);
        match self.commit(batch).await {
            // Changed: it is there already.
            Ok(()) | Err(CommitError::Changed(_)) => Ok(()),
            Err(CommitError::Storage(error)) => Err(error),
        }
    }
}

/// The blobs that must be there for a manifest to be complete, each once; one that is named
/// with two sizes is there twice, and one of them is wrong. Layers that may
/// not be distributed are left out (image specification, `layer.md`, "Non-Distributable
/// Layers").
pub(super) fn blobs(manifest: &Manifest) -> Vec<&Descriptor> {
    let mut blobs: Vec<&Descriptor> = Vec::new();
    for blob in manifest.config().into_iter().chain(manifest.layers()) {
        let is_known = blobs
            .iter()
            .any(|known| (&known.digest, known.size) == (&blob.digest, blob.size));
        if !is_known && !is_nondistributable(&blob.media_type) {
            blobs.push(blob);
        }
    }
    blobs
}

fn is_nondistributable(media_type: &str) -> bool {
    media_type.starts_with("application/vnd.oci.image.layer.nondistributable.")
        || media_type.starts_with("application/vnd.docker.image.rootfs.foreign.")
}
