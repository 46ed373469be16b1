//! All blobs of the store, the small ones in its records and the others in its engine for
//! blobs. Nobody else need know which are where.

use futures_util::StreamExt;
use wasmport_artifact::Digest;

use super::blobs::{ListedBlob, OpenBlob};
use super::contents::Taken;
use super::error::StorageError;
use super::records::{Batch, CommitError};
use super::small_blobs::{self, SmallBlob};
use super::store::{PAGE, Store};

impl Store {
    /// A blob, whoever may read it.
    pub(crate) async fn open_blob(
        &self,
        digest: &Digest,
    ) -> Result<Option<Box<dyn OpenBlob>>, StorageError> {
        if let Some(bytes) = self.small_blob(digest).await? {
            return Ok(Some(Box::new(SmallBlob(bytes))));
        }
        self.blobs.open(digest).await
    }

    /// A blob that shall be sent, whoever may read it. What is asked for again and again comes
    /// from memory.
    pub(crate) async fn blob_to_send(
        &self,
        digest: &Digest,
    ) -> Result<Option<Box<dyn OpenBlob>>, StorageError> {
        let kept = self.contents.get(digest);
        self.counts().caches.blobs.count(kept.is_some());
        if let Some(bytes) = kept {
            return Ok(Some(Box::new(SmallBlob(bytes))));
        }
        // Boxed, so that what is in memory costs the future of a request nothing.
        Box::pin(self.stored_blob_to_send(digest)).await
    }

    async fn stored_blob_to_send(
        &self,
        digest: &Digest,
    ) -> Result<Option<Box<dyn OpenBlob>>, StorageError> {
        let Some(blob) = self.find_blob(digest).await? else {
            return Ok(None);
        };
        let taken = self.contents.take_in(digest, blob).await;
        let taken =
            taken.map_err(|error| StorageError::io(format!("read the blob `{digest}`"), error))?;
        Ok(Some(match taken {
            Taken::In(bytes) => Box::new(SmallBlob(bytes)),
            Taken::Not(blob) => blob,
        }))
    }

    /// The size of a blob, if it is there, whoever may read it.
    pub(crate) async fn blob_size(&self, digest: &Digest) -> Result<Option<u64>, StorageError> {
        if let Some(bytes) = self.contents.get(digest) {
            return Ok(Some(bytes.len() as u64));
        }
        let blob = self.find_blob(digest).await?;
        Ok(blob.map(|blob| blob.size()))
    }

    /// The same as [`open_blob`](Self::open_blob), but in the engine first, which mostly need
    /// not block to say whether it has a blob.
    async fn find_blob(&self, digest: &Digest) -> Result<Option<Box<dyn OpenBlob>>, StorageError> {
        if let Some(blob) = self.blobs.open(digest).await? {
            return Ok(Some(blob));
        }
        self.open_blob(digest).await
    }

    /// The first bytes of a blob, at most `length`, if it is there.
    pub(crate) async fn read_beginning(
        &self,
        digest: &Digest,
        length: u64,
    ) -> Result<Option<Vec<u8>>, StorageError> {
        let Some(blob) = self.open_blob(digest).await? else {
            return Ok(None);
        };
        let end = blob.size().min(length);
        read(blob, end, digest).await.map(Some)
    }

    /// The bytes of a blob, if it is there and has at most `limit` of them.
    pub(crate) async fn read_blob(
        &self,
        digest: &Digest,
        limit: u64,
    ) -> Result<Option<Vec<u8>>, StorageError> {
        let Some(blob) = self.open_blob(digest).await? else {
            return Ok(None);
        };
        let size = blob.size();
        if size > limit {
            return Ok(None);
        }
        read(blob, size, digest).await.map(Some)
    }

    /// Removes the bytes of a blob. True when they were there. Who removes them has claimed the
    /// digest, and has seen that no repository holds it.
    pub(crate) async fn delete_blob(&self, digest: &Digest) -> Result<bool, StorageError> {
        let is_small = self.small_blob(digest).await?.is_some();
        if is_small {
            let batch = small_blobs::delete(Batch::new(), digest);
            match self.commit(batch).await {
                Ok(()) | Err(CommitError::Changed(_)) => {}
                Err(CommitError::Storage(error)) => return Err(error),
            }
        }
        Ok(self.blobs.delete(digest).await? || is_small)
    }

    /// At most a page of blobs in the order of their digests, those strictly after `after`; the
    /// list is empty only when there are no more.
    pub(crate) async fn list_blobs(
        &self,
        after: Option<&Digest>,
    ) -> Result<Vec<ListedBlob>, StorageError> {
        let mut listed = self.small_blobs(after, PAGE).await?;
        listed.extend(self.blobs.list(after, PAGE).await?);
        // The youngest first, should a blob be in both.
        listed.sort_by(|a, b| (&a.digest, b.published).cmp(&(&b.digest, a.published)));
        listed.dedup_by(|later, first| later.digest == first.digest);
        listed.truncate(PAGE);
        Ok(listed)
    }
}

async fn read(blob: Box<dyn OpenBlob>, end: u64, digest: &Digest) -> Result<Vec<u8>, StorageError> {
    let mut bytes = Vec::with_capacity(usize::try_from(end).unwrap_or_default());
    let mut pieces = blob.stream(0..end);
    while let Some(piece) = pieces.next().await {
        let piece =
            piece.map_err(|error| StorageError::io(format!("read the blob `{digest}`"), error))?;
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}
