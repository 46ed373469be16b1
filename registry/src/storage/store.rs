//! The store: the registry's nouns over records and blobs.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde::de::DeserializeOwned;
use wasmport_artifact::Algorithm;

use super::blob_writer::{BlobWriter, SMALL_BYTES};
use super::blobs::Blobs;
use super::contents::Contents;
use super::error::StorageError;
use super::files::{FileBlobs, sync_directory};
use super::generations::Generations;
use super::keys::{Key, Prefix};
use super::leases::Leases;
use super::memory::MemoryRecords;
use super::memory_blobs::MemoryBlobs;
use super::quota::Quotas;
use super::records::{Batch, CommitError, CommitWatch, Record, Records};
use super::redb::{RedbRecords, RedbSettings};
use crate::cache::CacheSettings;
use crate::metrics::StoreCounts;
use crate::traces;

/// How many records one listing reads at a time.
pub(super) const PAGE: usize = 100;

/// How often a change is tried again when another request changed the same records. Each
/// round one of the rivals gets through, so that this many must come at once to fail.
pub(super) const ATTEMPTS: usize = 100;

/// Everything that the registry keeps. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pub(super) records: Arc<dyn Records>,
    pub(super) blobs: Arc<dyn Blobs>,
    generations: Arc<Generations>,
    small_bytes: Arc<AtomicUsize>,
    pub(super) leases: Arc<Leases>,
    pub(super) quotas: Arc<Quotas>,
    pub(super) contents: Arc<Contents>,
    counts: Arc<StoreCounts>,
}

impl Store {
    /// A store over these engines.
    pub fn new(records: Arc<dyn Records>, blobs: Arc<dyn Blobs>) -> Self {
        let counts = Arc::<StoreCounts>::default();
        records.watch(Arc::clone(&counts) as Arc<dyn CommitWatch>);
        Self {
            records,
            blobs,
            generations: Arc::default(),
            small_bytes: Arc::new(SMALL_BYTES.into()),
            leases: Arc::default(),
            quotas: Arc::default(),
            contents: contents(&CacheSettings::default()),
            counts,
        }
    }

    /// The same store, which keeps blobs in memory as these settings say.
    #[must_use]
    pub fn with_cache(self, settings: &CacheSettings) -> Self {
        let contents = contents(settings);
        Self { contents, ..self }
    }

    /// The engines, for another store over them.
    pub fn engines(&self) -> (Arc<dyn Records>, Arc<dyn Blobs>) {
        (Arc::clone(&self.records), Arc::clone(&self.blobs))
    }

    /// A store that forgets.
    pub fn in_memory() -> Self {
        let records = Arc::new(MemoryRecords::default());
        Self::new(records, Arc::new(MemoryBlobs::default()))
    }

    /// Opens the store in `directory`, and makes it if it is not there. Blocks.
    ///
    /// The records are opened first: they are locked, and until they are ours nothing in the
    /// directory may be touched.
    pub fn open(directory: &Path) -> Result<Self, StorageError> {
        Self::open_with(directory, &RedbSettings::default())
    }

    /// The same with other settings of the database.
    pub fn open_with(directory: &Path, records: &RedbSettings) -> Result<Self, StorageError> {
        create_durably(directory)?;
        let path = directory.join("records.redb");
        let records = RedbRecords::open_with(&path, records)?;
        let blobs = FileBlobs::open(directory)?;
        let store = Self::new(Arc::new(records), Arc::new(blobs));
        store.counts.is_at(directory.to_owned(), path);
        Ok(store)
    }

    /// Checks that the records can be read.
    pub(crate) async fn check(&self) -> Result<(), StorageError> {
        let prefix = Prefix::all_pending();
        self.records.list(&prefix, None, 1).await.map(drop)
    }

    /// What was committed and collected, for the metrics.
    pub(crate) fn counts(&self) -> Arc<StoreCounts> {
        Arc::clone(&self.counts)
    }

    /// How caches know that what they kept is still true.
    pub fn generations(&self) -> &Generations {
        &self.generations
    }

    /// Applies a batch: the one way for records into the store.
    ///
    /// A request that is given up does not give up its batch, which may be on disk already:
    /// the caches must be told when it is done, and so it is waited for elsewhere.
    pub(super) async fn commit(&self, batch: Batch) -> Result<(), CommitError> {
        let writing = self.generations.writing(batch.changes());
        let records = Arc::clone(&self.records);
        let counts = Arc::clone(&self.counts);
        let committed = tokio::spawn(async move {
            let (changes, begun) = (batch.changes().len(), Instant::now());
            let committed = records.commit(batch).await;
            counts.committed(changes, begun.elapsed(), committed.is_ok());
            // Also after a failure: what an engine failed to write may be there all the same.
            drop(writing);
            committed
        });
        let committed = traces::step("commit", committed).await;
        committed.unwrap_or_else(|error| {
            Err(CommitError::Storage(StorageError::Engine {
                action: "write records".to_owned(),
                source: error.into(),
            }))
        })
    }

    /// Makes records of blobs that have at most so many bytes, from now on.
    pub(crate) fn set_small_bytes(&self, bytes: usize) {
        self.small_bytes.store(bytes, Ordering::Relaxed);
    }

    /// A writer for a new blob.
    pub(crate) fn blob_writer(&self, algorithm: Algorithm) -> BlobWriter {
        let small = self.small_bytes.load(Ordering::Relaxed);
        BlobWriter::new(Arc::clone(&self.blobs), algorithm).small(small)
    }
}

fn contents(settings: &CacheSettings) -> Arc<Contents> {
    let (capacity, largest) = (settings.blobs.0, settings.largest_blob.0);
    Arc::new(Contents::new(capacity, largest))
}

/// Makes a directory and those above it, so that they survive a loss of power.
fn create_durably(directory: &Path) -> Result<(), StorageError> {
    let is_missing = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
    let missing: Vec<&Path> = directory.ancestors().take_while(is_missing).collect();
    fs::create_dir_all(directory)
        .map_err(|error| StorageError::file("create", directory, error))?;
    for made in missing {
        let parent = made
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        sync_directory(parent.unwrap_or(Path::new(".")))?;
    }
    Ok(())
}

/// A record of ours is JSON, but for manifests.
pub(super) fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    // Structs of strings and numbers always have a JSON form.
    serde_json::to_vec(value).unwrap_or_default()
}

/// The other way round.
pub(super) fn decode<T: DeserializeOwned>(key: &Key, record: &Record) -> Result<T, StorageError> {
    serde_json::from_slice(&record.value).map_err(|error| unreadable(key, error.into()))
}

pub(super) fn unreadable(
    key: &Key,
    source: Box<dyn std::error::Error + Send + Sync>,
) -> StorageError {
    StorageError::Record {
        key: key.to_string(),
        source,
    }
}

/// Milliseconds since 1970.
pub(super) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = since.map_or(0, |duration| duration.as_millis());
    u64::try_from(millis).unwrap_or(u64::MAX)
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |duration| duration.as_secs())
}
