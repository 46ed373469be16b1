//! Records in one file, with the embedded database `redb`.
//!
//! Reads run side by side; all writes go through one thread, which makes them durable together.

mod database;
mod medium;
mod writer;

use std::path::Path;
use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt};

use super::disk::{Disk, RealDisk};
use super::error::StorageError;
use super::keys::{Key, Prefix};
use super::records::{Batch, CommitError, CommitWatch, Record, Records};
use database::RecordsFile;
use medium::Medium;
use writer::Writer;

pub use database::RedbSettings;
pub use writer::CommitCounts;

/// Records in a `redb` database.
///
/// `redb` blocks, and so every read runs on tokio's threads for blocking work. A commit is
/// synced before it is answered, and those that wait at the same time share one sync. Only
/// one process can have the file open.
#[derive(Clone, Debug)]
pub struct RedbRecords {
    file: Arc<RecordsFile>,
    writer: Arc<Writer>,
}

impl RedbRecords {
    /// Opens the database in the file `path`, and makes it if it is not there. Blocks.
    pub fn open(path: &Path) -> Result<Self, StorageError> {
        Self::open_with(path, &RedbSettings::default())
    }

    /// The same with other settings.
    pub fn open_with(path: &Path, settings: &RedbSettings) -> Result<Self, StorageError> {
        Self::open_on(path, settings, Arc::new(RealDisk))
    }

    /// The same on another disk, for tests of what one that fails leaves.
    pub fn open_on(
        path: &Path,
        settings: &RedbSettings,
        disk: Arc<dyn Disk>,
    ) -> Result<Self, StorageError> {
        let file = Arc::new(RecordsFile::open(settings, Medium::new(path, disk))?);
        let writer = Arc::new(Writer::start(Arc::clone(&file))?);
        Ok(Self { file, writer })
    }

    /// How many batches were written, and in how many transactions.
    pub fn commit_counts(&self) -> CommitCounts {
        self.writer.counts()
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&RecordsFile) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let file = Arc::clone(&self.file);
        let done = tokio::task::spawn_blocking(move || work(&file)).await;
        done.unwrap_or_else(|error| {
            Err(StorageError::Engine {
                action: "run a database operation".to_owned(),
                source: error.into(),
            })
        })
    }
}

impl Records for RedbRecords {
    fn get(&self, key: &Key) -> BoxFuture<'_, Result<Option<Record>, StorageError>> {
        let key = key.clone();
        self.blocking(move |file| file.get(&key)).boxed()
    }

    fn list(
        &self,
        prefix: &Prefix,
        after: Option<&Key>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<(Key, Record)>, StorageError>> {
        let (prefix, after) = (prefix.clone(), after.cloned());
        self.blocking(move |file| file.list(&prefix, after.as_ref(), limit))
            .boxed()
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), CommitError>> {
        self.writer.commit(batch).boxed()
    }

    fn watch(&self, watch: Arc<dyn CommitWatch>) {
        self.file.watch(watch);
    }
}
