//! Small blobs, which are records: one that comes with its grant costs one commit and no
//! file, and many such commits share one sync of the disk.

use std::io;
use std::ops::Range;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use serde::{Deserialize, Serialize};
use wasmport_artifact::Digest;

use super::blobs::{ListedBlob, OpenBlob, Pieces};
use super::error::StorageError;
use super::keys::{Key, Prefix};
use super::records::Batch;
use super::store::{PAGE, Store, decode, encode, now};

/// What a listing says of a small blob. It is a record of its own, so that listing does not
/// read the bytes.
#[derive(Serialize, Deserialize)]
pub(super) struct Measures {
    pub(super) size: u64,
    published: u64,
}

/// Bytes that are in memory, as a blob.
pub(super) struct SmallBlob(pub(super) Bytes);

impl OpenBlob for SmallBlob {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn bytes_now(&self, range: &Range<u64>) -> Option<Bytes> {
        let start = usize::try_from(range.start).ok()?;
        let end = usize::try_from(range.end).ok()?;
        (start <= end && end <= self.0.len()).then(|| self.0.slice(start..end))
    }

    fn stream(self: Box<Self>, range: Range<u64>) -> Pieces {
        let position =
            |at: u64| usize::try_from(at).map_or(self.0.len(), |at| at.min(self.0.len()));
        let (start, end) = (position(range.start), position(range.end));
        let bytes = self.0.slice(start.min(end)..end);
        stream::iter([Ok::<_, io::Error>(bytes)]).boxed()
    }
}

impl Store {
    pub(super) async fn small_blob(&self, digest: &Digest) -> Result<Option<Bytes>, StorageError> {
        let record = self.records.get(&Key::bytes(digest)).await?;
        Ok(record.map(|record| record.value))
    }

    /// At most a page of small blobs, in the order of their digests.
    pub(super) async fn small_blobs(
        &self,
        after: Option<&Digest>,
        limit: usize,
    ) -> Result<Vec<ListedBlob>, StorageError> {
        let after = after.map(Key::small_blob);
        let prefix = Prefix::small_blobs();
        let limit = limit.min(PAGE);
        let found = self.records.list(&prefix, after.as_ref(), limit).await?;
        let mut listed = Vec::with_capacity(found.len());
        for (key, record) in &found {
            let Some(digest) = key.as_small_blob() else {
                continue;
            };
            let Measures { size, published } = decode(key, record)?;
            listed.push(ListedBlob {
                digest,
                size,
                published,
            });
        }
        Ok(listed)
    }
}

/// Adds the bytes of a small blob to `batch`.
pub(super) fn put(batch: Batch, digest: &Digest, bytes: Bytes) -> Batch {
    let measures = encode(&Measures {
        size: bytes.len() as u64,
        published: now(),
    });
    batch
        .put(Key::bytes(digest), bytes)
        .put(Key::small_blob(digest), measures)
}

/// Takes a small blob away with `batch`, if it is there.
pub(super) fn delete(batch: Batch, digest: &Digest) -> Batch {
    batch
        .delete(Key::small_blob(digest))
        .delete(Key::bytes(digest))
}
