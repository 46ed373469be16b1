//! Blobs in memory, which are gone with it: for tests, and for a registry inside a test.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use futures_util::future::{BoxFuture, FutureExt, ready};
use futures_util::stream::{self, StreamExt};
use wasmport_artifact::Digest;

use super::blobs::{Blobs, ListedBlob, ListedStage, OpenBlob, Pieces, Stage};
use super::error::StorageError;
use super::small_blobs::SmallBlob;
use super::stage_id::StageId;
use super::store::now;

/// Blobs in a map.
#[derive(Debug, Default)]
pub struct MemoryBlobs(Arc<Mutex<Maps>>);

#[derive(Debug, Default)]
struct Maps {
    /// With the time of their publication.
    blobs: BTreeMap<Digest, (Bytes, u64)>,
    /// Those that were synced, with the time of that.
    stages: BTreeMap<StageId, (Bytes, u64)>,
}

impl Blobs for MemoryBlobs {
    fn stage(&self) -> BoxFuture<'_, Result<Box<dyn Stage>, StorageError>> {
        let stage = StageId::random().map(|id| self.stage_of(id, BytesMut::new()));
        ready(stage).boxed()
    }

    fn resume<'a>(
        &'a self,
        id: &'a StageId,
        size: u64,
    ) -> BoxFuture<'a, Result<Option<Box<dyn Stage>>, StorageError>> {
        let found = lock(&self.0).stages.get(id).map(|(bytes, _)| bytes.clone());
        let kept = usize::try_from(size).unwrap_or(usize::MAX);
        let stage = found
            .filter(|bytes| bytes.len() >= kept)
            .map(|bytes| self.stage_of(id.clone(), bytes.slice(..kept).into()));
        ready(Ok(stage)).boxed()
    }

    fn discard<'a>(&'a self, id: &'a StageId) -> BoxFuture<'a, Result<(), StorageError>> {
        lock(&self.0).stages.remove(id);
        ready(Ok(())).boxed()
    }

    fn stages<'a>(
        &'a self,
        after: Option<&'a StageId>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<ListedStage>, StorageError>> {
        let maps = lock(&self.0);
        let after = maps.stages.range((from(after), Bound::Unbounded));
        let listed = after.take(limit).map(|(id, (bytes, written))| ListedStage {
            id: id.clone(),
            size: bytes.len() as u64,
            written: *written,
        });
        ready(Ok(listed.collect())).boxed()
    }

    fn open(
        &self,
        digest: &Digest,
    ) -> BoxFuture<'_, Result<Option<Box<dyn OpenBlob>>, StorageError>> {
        let maps = lock(&self.0);
        let found = maps.blobs.get(digest);
        let found = found.map(|(bytes, _)| Box::new(SmallBlob(bytes.clone())) as _);
        ready(Ok(found)).boxed()
    }

    fn delete(&self, digest: &Digest) -> BoxFuture<'_, Result<bool, StorageError>> {
        let deleted = lock(&self.0).blobs.remove(digest).is_some();
        ready(Ok(deleted)).boxed()
    }

    fn list(
        &self,
        after: Option<&Digest>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<ListedBlob>, StorageError>> {
        let maps = lock(&self.0);
        let after = maps.blobs.range((from(after), Bound::Unbounded));
        let listed = after
            .take(limit)
            .map(|(digest, (bytes, published))| ListedBlob {
                digest: digest.clone(),
                size: bytes.len() as u64,
                published: *published,
            });
        ready(Ok(listed.collect())).boxed()
    }
}

impl MemoryBlobs {
    fn stage_of(&self, id: StageId, bytes: BytesMut) -> Box<dyn Stage> {
        let maps = Arc::clone(&self.0);
        Box::new(MemoryStage { id, bytes, maps })
    }
}

#[derive(Debug)]
struct MemoryStage {
    id: StageId,
    bytes: BytesMut,
    maps: Arc<Mutex<Maps>>,
}

impl Stage for MemoryStage {
    fn id(&self) -> &StageId {
        &self.id
    }

    fn append(&mut self, bytes: Bytes) -> BoxFuture<'_, Result<(), StorageError>> {
        self.bytes.extend_from_slice(&bytes);
        ready(Ok(())).boxed()
    }

    fn sync(&mut self) -> BoxFuture<'_, Result<(), StorageError>> {
        let synced = (Bytes::copy_from_slice(&self.bytes), now());
        lock(&self.maps).stages.insert(self.id.clone(), synced);
        ready(Ok(())).boxed()
    }

    fn read(&mut self) -> BoxFuture<'_, Result<Pieces, StorageError>> {
        let bytes = Bytes::copy_from_slice(&self.bytes);
        ready(Ok(stream::iter([Ok(bytes)]).boxed())).boxed()
    }

    fn publish(self: Box<Self>, digest: Digest) -> BoxFuture<'static, Result<(), StorageError>> {
        let published = (self.bytes.freeze(), now());
        lock(&self.maps).blobs.insert(digest, published);
        ready(Ok(())).boxed()
    }
}

fn from<K>(after: Option<&K>) -> Bound<&K> {
    after.map_or(Bound::Unbounded, Bound::Excluded)
}

/// A thread that panicked while it held the lock left the maps whole: every change to them is
/// one call.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
