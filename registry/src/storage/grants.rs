//! Which repository may read which blob, and which manifests use it.

use std::collections::HashSet;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use wasmport_artifact::{Descriptor, Digest, Manifest, RepositoryName};

use super::blob_writer::{BlobWriter, Finished, VerifiedBlob, WriteBlobError};
use super::error::StorageError;
use super::keys::{Key, Prefix};
use super::leases::{Claims, unhindered};
use super::quota::Usage;
use super::records::Batch;
use super::small_blobs;
use super::store::{PAGE, Store, decode, encode, now};
use super::upload_records::{self, UploadName, UploadRecord};

/// After how many seconds a grant is written anew when its blob is pushed again, so that it
/// is young again. The shortest grace of the collector by default is many times as long.
const RENEWED: u64 = 60 * 60;

/// A repository's right to read a blob. A blob has one file for all repositories, and
/// without a grant of its own a repository does not have it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Grant {
    /// The size of the blob in bytes.
    pub(super) size: u64,
    /// When it was given, in seconds since 1970. The collector leaves young ones alone: a
    /// manifest may follow.
    pub(super) since: u64,
}

/// What came of taking a blob away from a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DeleteBlob {
    /// The repository has it no more.
    Deleted,
    /// The repository did not have it.
    Unknown,
    /// This manifest of the repository needs it.
    Used(Digest),
}

impl Store {
    /// Stores what was written as the blob `expected`, and lets `repository` read it. With it
    /// ends the upload that it came by, if that was recorded.
    pub(crate) async fn put_blob(
        &self,
        repository: &RepositoryName,
        writer: BlobWriter,
        expected: &Digest,
        upload: Option<(UploadName, UploadRecord)>,
    ) -> Result<VerifiedBlob, WriteBlobError> {
        let (store, repository, expected) = (self.clone(), repository.clone(), expected.clone());
        unhindered(async move {
            let _lease = store.leases.share([&expected]).await;
            let (blob, bytes) = match writer.finish(&expected).await? {
                Finished::Stored(blob) => (blob, Batch::new()),
                Finished::Small(blob, bytes) => {
                    let batch = small_blobs::put(Batch::new(), &expected, bytes);
                    (blob, batch)
                }
            };
            let is_record = !bytes.changes().is_empty();
            let ended = upload.as_ref().map(|(name, _)| name);
            store
                .grant(&repository, &expected, blob.size(), bytes, ended)
                .await?;
            store.counts().stored(blob.size(), is_record);
            let stage = upload.as_ref().and_then(|(_, upload)| upload.stage());
            store.leave_stage(stage).await;
            Ok(blob)
        })
        .await
    }

    /// Lets `repository` read a blob that `from` may read. False when `from` may not.
    pub(crate) async fn share(
        &self,
        from: &RepositoryName,
        repository: &RepositoryName,
        blob: &Digest,
    ) -> Result<bool, StorageError> {
        let (store, blob) = (self.clone(), blob.clone());
        let (from, repository) = (from.clone(), repository.clone());
        unhindered(async move {
            let _lease = store.leases.share([&blob]).await;
            let Some(size) = store.granted(&from, &blob).await? else {
                return Ok(false);
            };
            store
                .grant(&repository, &blob, size, Batch::new(), None)
                .await?;
            Ok(true)
        })
        .await
    }

    /// The repositories that have a blob, at most `limit`.
    pub(crate) async fn holders(
        &self,
        blob: &Digest,
        limit: usize,
    ) -> Result<Vec<RepositoryName>, StorageError> {
        let found = self
            .records
            .list(&Prefix::holders(blob), None, limit)
            .await?;
        Ok(found
            .iter()
            .filter_map(|(key, _)| key.as_holder())
            .collect())
    }

    /// Waits until nobody is taking the digest away, and notes that a push relies on it: from
    /// now on it stays, and so does what is about it, long enough for the push to be done.
    pub(crate) async fn announce(&self, digest: &Digest) {
        drop(self.leases.share([digest]).await);
    }

    /// A new period of grace begins: what was asked for before the last one may go.
    pub(crate) fn begin_period_of_grace(&self) {
        self.leases.next_period();
    }

    /// The size of a blob, if the repository may read it.
    pub(crate) async fn granted(
        &self,
        repository: &RepositoryName,
        blob: &Digest,
    ) -> Result<Option<u64>, StorageError> {
        let found = self.read_grant(repository, blob).await?;
        Ok(found.map(|grant| grant.size))
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

    /// Takes a blob away from a repository, unless one of its manifests uses it. Pushes that
    /// rely on the blob come before or after. What only this repository had is collected later.
    pub(crate) async fn remove_blob(
        &self,
        repository: &RepositoryName,
        blob: &Digest,
    ) -> Result<DeleteBlob, StorageError> {
        let (store, repository, blob) = (self.clone(), repository.clone(), blob.clone());
        unhindered(async move {
            let _claim = store.leases.claim(&blob).await;
            store.revoke_unused(&repository, &blob).await
        })
        .await
    }

    /// The same, unless a push relies on the blob just now: that will be decided on for itself.
    pub(crate) async fn withdraw(
        &self,
        repository: &RepositoryName,
        blob: &Digest,
    ) -> Result<(), StorageError> {
        let (store, repository, blob) = (self.clone(), repository.clone(), blob.clone());
        unhindered(async move {
            let mut claims = Claims::default();
            if store.leases.try_claim(&mut claims, &blob) {
                store.revoke_unused(&repository, &blob).await?;
            }
            Ok(())
        })
        .await
    }

    /// The caller has claimed the blob.
    async fn revoke_unused(
        &self,
        repository: &RepositoryName,
        blob: &Digest,
    ) -> Result<DeleteBlob, StorageError> {
        let users = self.users(repository, blob, None).await?;
        if let Some(user) = users.into_iter().next() {
            return Ok(DeleteBlob::Used(user));
        }
        if self.granted(repository, blob).await?.is_none() {
            return Ok(DeleteBlob::Unknown);
        }
        let batch = revoke(Batch::new(), repository, blob);
        self.write(batch).await?;
        self.quotas.forget(repository);
        Ok(DeleteBlob::Deleted)
    }

    pub(super) async fn read_grant(
        &self,
        repository: &RepositoryName,
        blob: &Digest,
    ) -> Result<Option<Grant>, StorageError> {
        let key = Key::grant(repository, blob);
        let record = self.records.get(&key).await?;
        record.map(|record| decode(&key, &record)).transpose()
    }

    /// Lets a repository read a blob whose bytes are there, or are put by `bytes`, and ends the
    /// upload that it came by. The caller has a lease on the blob. A grant that is there and
    /// young stays as it is, which saves the write: its blob is there too.
    async fn grant(
        &self,
        repository: &RepositoryName,
        blob: &Digest,
        size: u64,
        bytes: Batch,
        ended: Option<&UploadName>,
    ) -> Result<(), StorageError> {
        let since = now();
        let known = self.read_grant(repository, blob).await?;
        let asked = Usage {
            bytes: if known.is_some() { 0 } else { size },
            artifacts: 0,
        };
        let is_young =
            known.is_some_and(|known| known.size == size && known.since + RENEWED > since);
        let mut batch = if is_young {
            Batch::new()
        } else {
            grant(bytes, repository, blob, &Grant { size, since })
        };
        if let Some(name) = ended {
            batch = upload_records::end(batch, name);
        }
        if batch.is_empty() {
            return Ok(());
        }
        let room = self.reserve(repository, asked).await?;
        self.write(batch).await?;
        room.used();
        Ok(())
    }
}

/// Adds to `batch` that `repository` has a blob. The holder comes first: it keeps the bytes.
pub(super) fn grant(
    batch: Batch,
    repository: &RepositoryName,
    blob: &Digest,
    grant: &Grant,
) -> Batch {
    batch
        .put(Key::holder(blob, repository), Bytes::new())
        .put(Key::grant(repository, blob), encode(grant))
}

/// Adds to `batch` that `repository` has a blob no longer.
pub(super) fn revoke(batch: Batch, repository: &RepositoryName, blob: &Digest) -> Batch {
    batch
        .delete(Key::grant(repository, blob))
        .delete(Key::holder(blob, repository))
}

/// The blobs that a manifest names, each once; one that is named with two sizes is there
/// twice, and one of them is wrong.
pub(super) fn blobs(manifest: &Manifest) -> Vec<&Descriptor> {
    let mut known = HashSet::new();
    let named = manifest.config().into_iter().chain(manifest.layers());
    named
        .filter(|blob| known.insert((&blob.digest, blob.size)))
        .collect()
}

/// True for a layer that may be left out of a registry, since it must not be distributed
/// (image specification, `layer.md`, "Non-Distributable Layers").
pub(super) fn may_be_left_out(blob: &Descriptor) -> bool {
    let kind = blob.media_type.as_str();
    kind.starts_with("application/vnd.oci.image.layer.nondistributable.")
        || kind.starts_with("application/vnd.docker.image.rootfs.foreign.")
}
