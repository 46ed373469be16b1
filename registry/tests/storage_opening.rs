//! How the records are opened: cleanly, after a crash, and after one in a quiet moment.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, and so may what it calls"
)]

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use futures_util::future::join_all;
use tempfile::TempDir;
use wasmport_artifact::{Digest, RepositoryName};
use wasmport_registry::storage::{Batch, Key, Records, RedbRecords, RedbSettings};

/// What a power loss or a SIGKILL leaves: the file as it is now, while it is open.
fn crashed(path: &Path) -> PathBuf {
    let copy = path.with_extension("crashed");
    fs::copy(path, &copy).unwrap();
    // So that whoever opens the copy does not pay for writing it.
    File::open(&copy).unwrap().sync_all().unwrap();
    copy
}

/// The records of one manifest with a config and a layer.
fn push(number: usize) -> Batch {
    let repository: RepositoryName = format!("team/app{}", number % 1000).parse().unwrap();
    let manifest = Digest::of(format!("manifest {number}").as_bytes());
    let tag = format!("v{number}").parse().unwrap();
    let mut batch = Batch::new()
        .put(Key::facts(&manifest), vec![b'f'; 500])
        .put(Key::manifest(&repository, &manifest), vec![b'm'; 700])
        .put(Key::tag(&repository, &tag), vec![b't'; 100]);
    for part in ["config", "layer"] {
        let blob = Digest::of(format!("{part} {number}").as_bytes());
        batch = batch
            .put(Key::grant(&repository, &blob), vec![b'g'; 40])
            .put(Key::user(&repository, &blob, &manifest), "");
    }
    batch
}

async fn fill(records: &RedbRecords, manifests: usize) {
    for first in (0..manifests).step_by(512) {
        let last = manifests.min(first + 512);
        for pushed in join_all((first..last).map(|number| records.commit(push(number)))).await {
            pushed.unwrap();
        }
    }
}

async fn is_there(records: &RedbRecords, number: usize) -> bool {
    let tag = format!("v{number}").parse().unwrap();
    let repository = format!("team/app{}", number % 1000).parse().unwrap();
    let found = records.get(&Key::tag(&repository, &tag)).await.unwrap();
    found.is_some()
}

#[tokio::test]
async fn a_store_that_was_closed_needs_no_repair_and_one_that_crashed_is_repaired() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("records.redb");
    let records = RedbRecords::open(&path).unwrap();
    fill(&records, 100).await;
    let copy = crashed(&path);
    drop(records);
    for (path, repairs) in [(path, 0), (copy, 1)] {
        let records = RedbRecords::open(&path).unwrap();
        assert!(is_there(&records, 99).await);
        assert_eq!(records.commit_counts().repairs, repairs);
    }
}

#[tokio::test]
async fn a_crash_in_a_quiet_moment_needs_no_repair() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("records.redb");
    let records = RedbRecords::open(&path).unwrap();
    fill(&records, 100).await;
    while records.commit_counts().checkpoints == 0 {
        tokio::task::yield_now().await;
    }
    let opened = RedbRecords::open(&crashed(&path)).unwrap();
    assert!(is_there(&opened, 99).await);
    assert_eq!(opened.commit_counts().repairs, 0);
}

#[tokio::test]
async fn with_quick_repair_no_crash_needs_one() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("records.redb");
    let settings = RedbSettings {
        quick_repair: true,
        ..RedbSettings::default()
    };
    let records = RedbRecords::open_with(&path, &settings).unwrap();
    fill(&records, 100).await;
    let opened = RedbRecords::open(&crashed(&path)).unwrap();
    assert!(is_there(&opened, 99).await);
    assert_eq!(opened.commit_counts().repairs, 0);
}
