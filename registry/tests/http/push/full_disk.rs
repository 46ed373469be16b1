//! A disk on which there is no room.

use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt, ready};
use futures_util::stream::{self, StreamExt};
use wasmport_artifact::Digest;
use wasmport_registry::storage::{
    Blobs, ListedBlob, ListedStage, MemoryBlobs, MemoryRecords, OpenBlob, Pieces, Stage, StageId,
    StorageError, Store,
};

use super::LARGE;
use crate::registry::Registry;

#[tokio::test]
async fn a_full_disk_is_said_to_be_full_and_nothing_is_stored() {
    let blobs = Arc::new(FullDisk(MemoryBlobs::default()));
    let store = Store::new(Arc::new(MemoryRecords::default()), blobs);
    let registry = Registry::over_store(store).await;
    let digest = Digest::of(LARGE);
    let path = format!("/v2/app/blobs/uploads/?digest={digest}");
    let answer = registry.send("POST", &path, LARGE).await;
    assert_eq!(answer.status, 507);
    let location = registry.open_upload("app").await;
    assert_eq!(registry.send("PATCH", &location, LARGE).await.status, 507);
    assert_eq!(registry.get(&location).await.header("range"), "0-0");
    assert_eq!(
        registry
            .get(&format!("/v2/app/blobs/{digest}"))
            .await
            .status,
        404
    );
}

/// Blobs on a disk that takes no byte.
#[derive(Debug)]
struct FullDisk(MemoryBlobs);

#[derive(Debug)]
struct FullStage(StageId);

impl Blobs for FullDisk {
    fn stage(&self) -> BoxFuture<'_, Result<Box<dyn Stage>, StorageError>> {
        ready(StageId::random().map(|id| Box::new(FullStage(id)) as Box<dyn Stage>)).boxed()
    }

    fn open(
        &self,
        digest: &Digest,
    ) -> BoxFuture<'_, Result<Option<Box<dyn OpenBlob>>, StorageError>> {
        self.0.open(digest)
    }

    fn resume<'a>(
        &'a self,
        id: &'a StageId,
        size: u64,
    ) -> BoxFuture<'a, Result<Option<Box<dyn Stage>>, StorageError>> {
        self.0.resume(id, size)
    }

    fn discard<'a>(&'a self, id: &'a StageId) -> BoxFuture<'a, Result<(), StorageError>> {
        self.0.discard(id)
    }

    fn stages<'a>(
        &'a self,
        after: Option<&'a StageId>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<ListedStage>, StorageError>> {
        self.0.stages(after, limit)
    }

    fn delete(&self, digest: &Digest) -> BoxFuture<'_, Result<bool, StorageError>> {
        self.0.delete(digest)
    }

    fn list(
        &self,
        after: Option<&Digest>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<ListedBlob>, StorageError>> {
        self.0.list(after, limit)
    }
}

impl Stage for FullStage {
    fn id(&self) -> &StageId {
        &self.0
    }

    fn sync(&mut self) -> BoxFuture<'_, Result<(), StorageError>> {
        self.append(Bytes::new())
    }

    fn read(&mut self) -> BoxFuture<'_, Result<Pieces, StorageError>> {
        ready(Ok(stream::empty().boxed())).boxed()
    }

    fn append(&mut self, _: Bytes) -> BoxFuture<'_, Result<(), StorageError>> {
        let error = io::Error::from(io::ErrorKind::StorageFull);
        ready(Err(StorageError::io("write".to_owned(), error))).boxed()
    }

    fn publish(self: Box<Self>, _: Digest) -> BoxFuture<'static, Result<(), StorageError>> {
        let error = io::Error::other(fmt::Error);
        ready(Err(StorageError::io("publish".to_owned(), error))).boxed()
    }
}
