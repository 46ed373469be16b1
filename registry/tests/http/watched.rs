//! Records that count what is committed to them, and fail after so many commits, as if the
//! process had been killed.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::{BoxFuture, FutureExt, ready};
use wasmport_registry::storage::{
    Batch, CommitError, Key, MemoryRecords, Prefix, Record, Records, StorageError,
};

#[derive(Debug)]
pub(crate) struct Watched {
    records: MemoryRecords,
    commits: AtomicUsize,
    left: AtomicUsize,
}

impl Default for Watched {
    fn default() -> Self {
        Self {
            records: MemoryRecords::default(),
            commits: AtomicUsize::new(0),
            left: AtomicUsize::new(usize::MAX),
        }
    }
}

impl Watched {
    /// The commits since this was asked last.
    pub(crate) fn commits(&self) -> usize {
        self.commits.swap(0, Ordering::SeqCst)
    }

    /// Takes so many commits from now on, and then none.
    pub(crate) fn take(&self, commits: usize) {
        self.left.store(commits, Ordering::SeqCst);
    }
}

impl Records for Watched {
    fn get(&self, key: &Key) -> BoxFuture<'_, Result<Option<Record>, StorageError>> {
        self.records.get(key)
    }

    fn list(
        &self,
        prefix: &Prefix,
        after: Option<&Key>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<(Key, Record)>, StorageError>> {
        self.records.list(prefix, after, limit)
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), CommitError>> {
        self.commits.fetch_add(1, Ordering::SeqCst);
        let one = |left: usize| left.checked_sub(1);
        let left = self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one);
        if left.is_err() {
            let killed = StorageError::io("write".to_owned(), std::io::Error::other("killed"));
            return ready(Err(CommitError::Storage(killed))).boxed();
        }
        self.records.commit(batch)
    }
}
