//! Measures how long it takes to open a store of 100,000 manifests, cleanly and after a crash
//! under load, and one of 100,000 blobs.
//!
//! `cargo run --release -p wasmport-registry --example opening`

#![allow(clippy::print_stdout, reason = "it prints what it measured")]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use tempfile::TempDir;
use wasmport_artifact::{Digest, RepositoryName};
use wasmport_registry::storage::{Batch, Blobs, FileBlobs, Key, Records, RedbRecords};

/// How many manifests, and then how many blobs.
const NUMBER: usize = 100_000;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    records().await?;
    blobs().await
}

async fn records() -> anyhow::Result<()> {
    let directory = TempDir::new()?;
    let path = directory.path().join("records.redb");
    let crashed = directory.path().join("crashed.redb");
    let records = RedbRecords::open(&path)?;
    for first in (0..NUMBER).step_by(512) {
        let pushes = (first..NUMBER.min(first + 512)).map(push);
        let pushes = pushes.collect::<Result<Vec<_>, _>>()?.into_iter();
        try_join_all(pushes.map(|batch| records.commit(batch))).await?;
    }
    // What a crash leaves: the file as it is now, while it is open.
    fs::copy(&path, &crashed)?;
    drop(records);
    let megabytes = fs::metadata(&path)?.len() / 1_000_000;
    let (clean, crashed) = (open_records(&path)?, open_records(&crashed)?);
    println!("{NUMBER} manifests, {megabytes} MB: clean {clean:?}, after a crash {crashed:?}");
    Ok(())
}

async fn blobs() -> anyhow::Result<()> {
    let directory = TempDir::new()?;
    drop(FileBlobs::open(directory.path())?);
    for number in 0..NUMBER {
        let digest = Digest::of(&number.to_le_bytes());
        let shard: String = digest.hex().chars().take(2).collect();
        let shard = directory.path().join("blobs/sha256").join(shard);
        fs::write(shard.join(digest.hex()), "")?;
    }
    let begun = Instant::now();
    let blobs = FileBlobs::open(directory.path())?;
    let opened = begun.elapsed();
    let begun = Instant::now();
    let mut last = None;
    while let Some(found) = blobs
        .list(last.as_ref(), 1000)
        .await?
        .into_iter()
        .next_back()
    {
        last = Some(found.digest);
    }
    let listed = begun.elapsed();
    println!("{NUMBER} blobs: opened in {opened:?}, listed in {listed:?}");
    Ok(())
}

/// The records of one manifest with a config and a layer.
fn push(number: usize) -> anyhow::Result<Batch> {
    let repository: RepositoryName = format!("team/app{}", number % 1000).parse()?;
    let manifest = Digest::of(format!("manifest {number}").as_bytes());
    let tag = format!("v{number}").parse()?;
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
    Ok(batch)
}

fn open_records(path: &Path) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    drop(RedbRecords::open(path)?);
    Ok(begun.elapsed())
}
