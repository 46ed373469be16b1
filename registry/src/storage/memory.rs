//! Engines that forget: for tests, and for a registry inside a test.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::ops::{Bound, Range};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use futures_util::future::{BoxFuture, FutureExt, ready};
use futures_util::stream::{self, BoxStream, StreamExt};
use wasmport_artifact::Digest;

use super::blobs::{Blobs, OpenBlob, Stage};
use super::error::StorageError;
use super::keys::{Key, Prefix};
use super::records::{Batch, CommitError, Record, Records, Version};

/// Records in a map.
#[derive(Debug, Default)]
pub struct MemoryRecords(Mutex<BTreeMap<Key, Bytes>>);

/// Blobs in a map.
#[derive(Debug, Default)]
pub struct MemoryBlobs(Arc<Mutex<HashMap<Digest, Bytes>>>);

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

impl Blobs for MemoryBlobs {
    fn stage(&self) -> BoxFuture<'_, Result<Box<dyn Stage>, StorageError>> {
        let stage = MemoryStage {
            bytes: BytesMut::new(),
            blobs: Arc::clone(&self.0),
        };
        ready(Ok(Box::new(stage) as Box<dyn Stage>)).boxed()
    }

    fn open(
        &self,
        digest: &Digest,
    ) -> BoxFuture<'_, Result<Option<Box<dyn OpenBlob>>, StorageError>> {
        let found = lock(&self.0).get(digest).cloned();
        ready(Ok(found.map(|bytes| Box::new(MemoryBlob(bytes)) as _))).boxed()
    }
}

#[derive(Debug)]
struct MemoryStage {
    bytes: BytesMut,
    blobs: Arc<Mutex<HashMap<Digest, Bytes>>>,
}

impl Stage for MemoryStage {
    fn append(&mut self, bytes: Bytes) -> BoxFuture<'_, Result<(), StorageError>> {
        self.bytes.extend_from_slice(&bytes);
        ready(Ok(())).boxed()
    }

    fn publish(self: Box<Self>, digest: Digest) -> BoxFuture<'static, Result<(), StorageError>> {
        lock(&self.blobs).insert(digest, self.bytes.freeze());
        ready(Ok(())).boxed()
    }
}

struct MemoryBlob(Bytes);

impl OpenBlob for MemoryBlob {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn stream(self: Box<Self>, range: Range<u64>) -> BoxStream<'static, io::Result<Bytes>> {
        let position =
            |at: u64| usize::try_from(at).map_or(self.0.len(), |at| at.min(self.0.len()));
        let (start, end) = (position(range.start), position(range.end));
        let bytes = self.0.slice(start.min(end)..end);
        stream::iter([Ok(bytes)]).boxed()
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
