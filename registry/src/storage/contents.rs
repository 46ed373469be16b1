//! The bytes of blobs that are asked for again and again, in bounded memory.
//!
//! A digest always means the same bytes, and so nothing here is ever wrong; who may have
//! them is asked elsewhere. A blob comes in at its second reading, when the first one was not
//! long ago, so that a walk over the whole store throws nothing out.

use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmport_artifact::Digest;

use super::blobs::OpenBlob;

/// What the budget is counted in, in bytes: a semaphore counts to four thousand million.
const UNIT_BYTES: u64 = 1024;

/// How many blobs there may be about, for the size of the tables.
const ENTRIES: usize = 4096;

/// Blobs in memory.
pub(super) struct Contents {
    kept: Cache<Digest, Bytes, Weight>,
    /// What was read lately, and has not been read again since.
    seen: Cache<Digest, u64, Weight>,
    largest: u64,
    /// All bytes that came in here and are still used, whether kept or only on their way to
    /// slow clients.
    budget: Arc<Semaphore>,
    /// One blob is read into memory at a time. Who does not get it need not wait.
    filling: Semaphore,
}

#[derive(Clone)]
struct Weight;

/// Bytes that give their part of the budget back with their last user.
struct Budgeted {
    bytes: Vec<u8>,
    _permit: OwnedSemaphorePermit,
}

impl Contents {
    /// At most `capacity` bytes of blobs that have at most `largest` each.
    pub(super) fn new(capacity: u64, largest: u64) -> Self {
        let largest = largest.min(capacity);
        // What comes in is there before what goes out for it is gone.
        let budget = (capacity + largest) / UNIT_BYTES;
        let budget = usize::try_from(budget).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            kept: cache(capacity),
            seen: cache(capacity),
            largest,
            budget: Arc::new(Semaphore::new(budget.min(Semaphore::MAX_PERMITS))),
            filling: Semaphore::new(1),
        }
    }

    pub(super) fn get(&self, digest: &Digest) -> Option<Bytes> {
        self.kept.get(digest)
    }

    /// Whether a blob that is read now shall be kept.
    fn is_wanted(&self, digest: &Digest, size: u64) -> bool {
        if size > self.largest || size == 0 {
            return false;
        }
        if self.seen.remove(digest).is_some() {
            return true;
        }
        self.seen.insert(digest.clone(), size);
        false
    }

    /// Reads a blob into memory, if it is wanted there and there is room.
    pub(super) async fn take_in(
        &self,
        digest: &Digest,
        blob: Box<dyn OpenBlob>,
    ) -> io::Result<Taken> {
        let size = blob.size();
        if !self.is_wanted(digest, size) {
            return Ok(Taken::Not(blob));
        }
        let Ok(_filling) = self.filling.try_acquire() else {
            // Its turn comes at the next reading.
            self.seen.insert(digest.clone(), size);
            return Ok(Taken::Not(blob));
        };
        let units = u32::try_from(size.div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX);
        let Ok(permit) = Arc::clone(&self.budget).try_acquire_many_owned(units) else {
            return Ok(Taken::Not(blob));
        };
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        let mut pieces = blob.stream(0..size);
        while let Some(piece) = pieces.next().await {
            bytes.extend_from_slice(&piece?);
        }
        let bytes = Bytes::from_owner(Budgeted {
            bytes,
            _permit: permit,
        });
        self.kept.insert(digest.clone(), bytes.clone());
        Ok(Taken::In(bytes))
    }
}

/// What became of a blob that was opened.
pub(super) enum Taken {
    /// It is in memory.
    In(Bytes),
    /// It is not, and can be read.
    Not(Box<dyn OpenBlob>),
}

/// One shard: with more, none could hold a large blob.
fn cache<V: Clone>(capacity: u64) -> Cache<Digest, V, Weight>
where
    Weight: Weighter<Digest, V>,
{
    let options = OptionsBuilder::new()
        .shards(1)
        .estimated_items_capacity(ENTRIES)
        .weight_capacity(capacity)
        .build();
    let (hasher, lifecycle) = (DefaultHashBuilder::default(), DefaultLifecycle::default());
    match options {
        Ok(options) => Cache::with_options(options, Weight, hasher, lifecycle),
        // Cannot be: everything that must be given is given.
        Err(_) => Cache::with_weighter(ENTRIES, capacity, Weight),
    }
}

impl Weighter<Digest, Bytes> for Weight {
    fn weight(&self, _: &Digest, bytes: &Bytes) -> u64 {
        bytes.len() as u64
    }
}

impl Weighter<Digest, u64> for Weight {
    fn weight(&self, _: &Digest, size: &u64) -> u64 {
        *size
    }
}

impl AsRef<[u8]> for Budgeted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for Contents {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Contents")
            .field("blobs", &self.kept.len())
            .field("bytes", &self.kept.weight())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::small_blobs::SmallBlob;

    async fn read(contents: &Contents, bytes: &[u8]) -> bool {
        let digest = Digest::of(bytes);
        if let Some(kept) = contents.get(&digest) {
            assert_eq!(kept, bytes);
            return true;
        }
        let blob = Box::new(SmallBlob(Bytes::copy_from_slice(bytes)));
        match contents.take_in(&digest, blob).await.unwrap() {
            Taken::In(kept) => assert_eq!(kept, bytes),
            Taken::Not(blob) => assert_eq!(blob.size(), bytes.len() as u64),
        }
        false
    }

    #[tokio::test]
    async fn a_blob_is_kept_from_its_second_reading_on() {
        let contents = Contents::new(1 << 20, 1 << 19);
        let blob = vec![7; 300_000];
        assert!(!read(&contents, &blob).await);
        assert!(!read(&contents, &blob).await);
        assert!(read(&contents, &blob).await);
    }

    #[tokio::test]
    async fn what_is_too_large_is_never_kept() {
        let contents = Contents::new(1 << 20, 1000);
        for _ in 0..4 {
            assert!(!read(&contents, &[1; 1001]).await);
        }
    }

    #[tokio::test]
    async fn bytes_that_a_client_still_reads_count_though_they_are_thrown_out() {
        let contents = Contents::new(16 * 1024, 4096);
        let mut held = Vec::new();
        for number in 0..20_u8 {
            let blob = vec![number; 4096];
            read(&contents, &blob).await;
            read(&contents, &blob).await;
            held.extend(contents.get(&Digest::of(&blob)));
        }
        let bytes: usize = held.iter().map(Bytes::len).sum();
        assert!(!held.is_empty() && bytes <= 20 * 1024, "{bytes}");
    }

    #[tokio::test]
    async fn a_walk_over_more_than_fits_throws_nothing_out() {
        let contents = Contents::new(64 * 1024, 8 * 1024);
        let favourite = vec![255; 8 * 1024];
        for _ in 0..3 {
            read(&contents, &favourite).await;
        }
        for number in 0..100_u8 {
            read(&contents, &vec![number; 8 * 1024]).await;
        }
        assert!(read(&contents, &favourite).await);
    }
}
