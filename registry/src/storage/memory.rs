//! Records that are gone with the process: for tests, and for a registry inside a test.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt, ready};

use super::error::StorageError;
use super::keys::{Key, Prefix};
use super::records::{Batch, CommitError, Record, Records, Version};

/// Records in a map.
#[derive(Debug, Default)]
pub struct MemoryRecords(Mutex<BTreeMap<Key, Bytes>>);

impl Records for MemoryRecords {
    fn get(&self, key: &Key) -> BoxFuture<'_, Result<Option<Record>, StorageError>> {
        let found = lock(&self.0).get(key).map(record);
        ready(Ok(found)).boxed()
    }

    fn list(
        &self,
        prefix: &Prefix,
        after: Option<&Key>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<(Key, Record)>, StorageError>> {
        let first = Key::from_stored(prefix.as_str().to_owned());
        let from = match after {
            Some(after) if *after >= first => Bound::Excluded(after.clone()),
            _ => Bound::Included(first),
        };
        let map = lock(&self.0);
        let found = map
            .range((from, Bound::Unbounded))
            .take_while(|(key, _)| key.as_str().starts_with(prefix.as_str()))
            .take(limit)
            .map(|(key, value)| (key.clone(), record(value)))
            .collect();
        ready(Ok(found)).boxed()
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), CommitError>> {
        ready(self.apply(batch)).boxed()
    }
}

impl MemoryRecords {
    fn apply(&self, batch: Batch) -> Result<(), CommitError> {
        let mut map = lock(&self.0);
        let changes = batch.into_changes();
        for change in &changes {
            let current = map.get(&change.key).cloned().map(Version);
            if !change.expect.is_met_by(current.as_ref()) {
                return Err(CommitError::Changed(change.key.clone()));
            }
        }
        for change in changes {
            match change.value {
                Some(value) => map.insert(change.key, value),
                None => map.remove(&change.key),
            };
        }
        Ok(())
    }
}

fn record(value: &Bytes) -> Record {
    Record {
        value: value.clone(),
        version: Version(value.clone()),
    }
}

/// A thread that panicked while it held the lock left the map whole: every change to it is
/// one call.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
