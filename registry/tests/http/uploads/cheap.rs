//! What pushing a blob costs: commits, since each waits for the disk, and files.

use std::sync::Arc;

use wasmport_artifact::Digest;
use wasmport_registry::storage::{Blobs, FileBlobs, Records, Store};

use super::{chunk, large, with_digest};
use crate::registry::{Registry, files};
use crate::watched::Watched;

struct Costs {
    registry: Registry,
    records: Arc<Watched>,
    directory: tempfile::TempDir,
}

impl Costs {
    async fn start() -> Self {
        let directory = tempfile::TempDir::new().unwrap();
        let records = Arc::new(Watched::default());
        let blobs: Arc<dyn Blobs> = Arc::new(FileBlobs::open(directory.path()).unwrap());
        let store = Store::new(Arc::clone(&records) as Arc<dyn Records>, blobs);
        let registry = Registry::over_store(store).await;
        let costs = Self {
            registry,
            records,
            directory,
        };
        costs.commits();
        costs
    }

    /// The commits since this was asked last.
    fn commits(&self) -> usize {
        self.records.commits()
    }

    fn files(&self) -> usize {
        files(self.directory.path()).len()
    }
}

#[tokio::test]
async fn a_small_blob_costs_one_commit_and_no_file() {
    let costs = Costs::start().await;
    costs.registry.push_blob("app", b"at once").await;
    assert_eq!(costs.commits(), 1);
    let location = costs.registry.open_upload("app").await;
    assert_eq!(costs.commits(), 0, "opening an upload writes nothing");
    let closing = with_digest(&location, &Digest::of(b"in two"));
    let answer = costs.registry.send("PUT", &closing, "in two").await;
    assert_eq!((answer.status.as_u16(), costs.commits()), (201, 1));
    assert_eq!(costs.files(), 0);
}

#[tokio::test]
async fn a_blob_that_the_repository_has_costs_nothing() {
    let costs = Costs::start().await;
    for bytes in [b"small".to_vec(), large()] {
        costs.registry.push_blob("app", &bytes).await;
        assert_eq!(costs.commits(), 1);
        costs.registry.push_blob("app", &bytes).await;
        assert_eq!(costs.commits(), 0);
    }
    assert_eq!(costs.files(), 1);
}

#[tokio::test]
async fn each_chunk_costs_one_commit_and_small_ones_no_file() {
    let costs = Costs::start().await;
    let whole = large();
    let location = costs.registry.open_upload("app").await;
    chunk(&costs.registry, "PATCH", &location, 0, &whole[..1000]).await;
    chunk(
        &costs.registry,
        "PATCH",
        &location,
        1000,
        &whole[1000..2000],
    )
    .await;
    assert_eq!((costs.commits(), costs.files()), (2, 0));
    chunk(
        &costs.registry,
        "PATCH",
        &location,
        2000,
        &whole[2000..300_000],
    )
    .await;
    assert_eq!((costs.commits(), costs.files()), (1, 1));
    let closing = with_digest(&location, &Digest::of(&whole));
    let last = chunk(&costs.registry, "PUT", &closing, 300_000, &whole[300_000..]).await;
    assert_eq!(last.status, 201, "{}", last.text());
    assert_eq!((costs.commits(), costs.files()), (1, 1));
}
