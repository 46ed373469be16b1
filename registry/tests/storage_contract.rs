//! What every storage engine promises, checked on every engine.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and so may what it calls"
)]

use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use tempfile::TempDir;
use wasmport_artifact::{Algorithm, Digest, RepositoryName, Tag};
use wasmport_registry::storage::{
    Batch, BlobWriter, Blobs, CommitError, FileBlobs, Key, MemoryBlobs, MemoryRecords, Prefix,
    Records, RedbRecords, Stage, StageId, WriteBlobError,
};

/// Makes one module of tests for each engine.
macro_rules! contract {
    ($engine:expr => $($promise:ident),* $(,)?) => {$(
        #[tokio::test]
        async fn $promise() {
            // The directory lives as long as the engine.
            let (_directory, engine) = $engine;
            super::$promise(engine).await;
        }
    )*};
}

macro_rules! records_contract {
    ($engine:expr) => {
        contract!($engine =>
            what_was_put_can_be_read,
            a_batch_is_applied_in_whole,
            a_batch_whose_expectation_fails_changes_nothing,
            a_record_is_created_once,
            a_change_needs_the_version_that_was_read,
            deleting_what_is_not_there_is_no_error,
            a_listing_is_in_order_and_goes_on_from_a_key,
            a_listing_stays_within_its_prefix,
            of_many_that_create_a_record_one_does,
            no_update_is_lost,
        );
    };
}

macro_rules! blobs_contract {
    ($engine:expr) => {
        contract!($engine =>
            a_committed_blob_can_be_read,
            any_part_of_a_blob_can_be_read,
            an_empty_blob_can_be_read,
            a_blob_has_the_digest_that_was_asked_for_or_is_not_stored,
            a_blob_cannot_be_opened_before_it_is_committed,
            committing_the_same_blob_twice_is_no_error,
            many_can_commit_the_same_blob_at_once,
            a_deleted_blob_is_gone_and_who_reads_it_reads_on,
            a_listing_of_blobs_is_in_order_and_goes_on_from_a_digest,
            a_stage_that_was_synced_is_resumed_where_it_was,
            what_came_after_the_size_that_is_known_is_forgotten,
            a_stage_that_was_never_synced_cannot_be_resumed,
            a_stage_can_be_read_before_it_is_published,
            a_published_stage_stays_until_it_is_discarded,
            resuming_a_published_stage_does_not_touch_the_blob,
        );
    };
}

mod memory_records {
    records_contract!((None::<super::TempDir>, super::memory_records()));
}

mod redb_records {
    records_contract!(super::redb_records());
}

mod memory_blobs {
    blobs_contract!((None::<super::TempDir>, super::memory_blobs()));
}

mod file_blobs {
    blobs_contract!(super::file_blobs());
}

fn memory_records() -> Arc<dyn Records> {
    Arc::new(MemoryRecords::default())
}

fn redb_records() -> (TempDir, Arc<dyn Records>) {
    let directory = TempDir::new().unwrap();
    let records = RedbRecords::open(&directory.path().join("records.redb")).unwrap();
    (directory, Arc::new(records))
}

fn memory_blobs() -> Arc<dyn Blobs> {
    Arc::new(MemoryBlobs::default())
}

fn file_blobs() -> (TempDir, Arc<dyn Blobs>) {
    let directory = TempDir::new().unwrap();
    let blobs = FileBlobs::open(directory.path()).unwrap();
    (directory, Arc::new(blobs))
}

fn repository(name: &str) -> RepositoryName {
    name.parse().unwrap()
}

fn key(tag: &str) -> Key {
    let tag: Tag = tag.parse().unwrap();
    Key::tag(&repository("app"), &tag)
}

async fn value(records: &dyn Records, key: &Key) -> Option<Bytes> {
    records.get(key).await.unwrap().map(|record| record.value)
}

async fn what_was_put_can_be_read(records: Arc<dyn Records>) {
    assert_eq!(records.get(&key("a")).await.unwrap(), None);
    for text in ["one", "", "two"] {
        records
            .commit(Batch::new().put(key("a"), text))
            .await
            .unwrap();
        assert_eq!(value(&*records, &key("a")).await.unwrap(), text);
    }
}

async fn a_batch_is_applied_in_whole(records: Arc<dyn Records>) {
    records
        .commit(Batch::new().put(key("old"), "x"))
        .await
        .unwrap();
    let batch = Batch::new()
        .put(key("a"), "1")
        .put_if_absent(key("b"), "2")
        .delete(key("old"));
    records.commit(batch).await.unwrap();
    assert_eq!(value(&*records, &key("a")).await.unwrap(), "1");
    assert_eq!(value(&*records, &key("b")).await.unwrap(), "2");
    assert_eq!(value(&*records, &key("old")).await, None);
}

async fn a_batch_whose_expectation_fails_changes_nothing(records: Arc<dyn Records>) {
    records
        .commit(Batch::new().put(key("there"), "x"))
        .await
        .unwrap();
    let batch = Batch::new()
        .put(key("before"), "1")
        .put_if_absent(key("there"), "2")
        .delete(key("there"));
    let error = records.commit(batch).await.unwrap_err();
    assert!(matches!(error, CommitError::Changed(changed) if changed == key("there")));
    assert_eq!(value(&*records, &key("before")).await, None);
    assert_eq!(value(&*records, &key("there")).await.unwrap(), "x");
}

async fn a_record_is_created_once(records: Arc<dyn Records>) {
    let create = |text: &'static str| records.commit(Batch::new().put_if_absent(key("a"), text));
    create("first").await.unwrap();
    assert!(matches!(
        create("second").await,
        Err(CommitError::Changed(_))
    ));
    assert_eq!(value(&*records, &key("a")).await.unwrap(), "first");
}

async fn a_change_needs_the_version_that_was_read(records: Arc<dyn Records>) {
    records
        .commit(Batch::new().put(key("a"), "1"))
        .await
        .unwrap();
    let read = records.get(&key("a")).await.unwrap().unwrap();
    let update = Batch::new().put_if_unchanged(key("a"), read.version.clone(), "2");
    records.commit(update).await.unwrap();
    let stale = Batch::new().put_if_unchanged(key("a"), read.version.clone(), "3");
    assert!(matches!(
        records.commit(stale).await,
        Err(CommitError::Changed(_))
    ));
    let stale = Batch::new().delete_if_unchanged(key("a"), read.version.clone());
    assert!(matches!(
        records.commit(stale).await,
        Err(CommitError::Changed(_))
    ));
    let gone = Batch::new().put_if_unchanged(key("never"), read.version, "3");
    assert!(matches!(
        records.commit(gone).await,
        Err(CommitError::Changed(_))
    ));
    assert_eq!(value(&*records, &key("a")).await.unwrap(), "2");
}

async fn deleting_what_is_not_there_is_no_error(records: Arc<dyn Records>) {
    records.commit(Batch::new().delete(key("a"))).await.unwrap();
}

async fn a_listing_is_in_order_and_goes_on_from_a_key(records: Arc<dyn Records>) {
    for tag in ["c", "a", "B", "b", "1"] {
        records
            .commit(Batch::new().put(key(tag), tag.to_owned()))
            .await
            .unwrap();
    }
    let prefix = Prefix::tags(&repository("app"));
    let list = async |after: Option<&Key>, limit| -> Vec<String> {
        let found = records.list(&prefix, after, limit).await.unwrap();
        let text = |record: Bytes| String::from_utf8(record.to_vec()).unwrap();
        found
            .into_iter()
            .map(|(_, record)| text(record.value))
            .collect()
    };
    assert_eq!(list(None, 10).await, ["1", "B", "a", "b", "c"]);
    assert_eq!(list(None, 2).await, ["1", "B"]);
    assert_eq!(list(Some(&key("B")), 2).await, ["a", "b"]);
    assert_eq!(list(Some(&key("aa")), 10).await, ["b", "c"]);
    assert_eq!(list(Some(&key("c")), 10).await, Vec::<String>::new());
    assert_eq!(list(None, 0).await, Vec::<String>::new());
}

async fn a_listing_stays_within_its_prefix(records: Arc<dyn Records>) {
    let tag: Tag = "a".parse().unwrap();
    for name in ["ap", "app", "app/x", "apple", "b"] {
        let key = Key::tag(&repository(name), &tag);
        records.commit(Batch::new().put(key, "x")).await.unwrap();
    }
    let prefix = Prefix::tags(&repository("app"));
    let found = records.list(&prefix, None, 10).await.unwrap();
    let keys: Vec<_> = found.into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, [key("a")]);
    let before = Key::tag(&repository("a"), &tag);
    assert_eq!(
        records
            .list(&prefix, Some(&before), 10)
            .await
            .unwrap()
            .len(),
        1
    );
}

async fn of_many_that_create_a_record_one_does(records: Arc<dyn Records>) {
    let creators = (0..16).map(|number| {
        let records = Arc::clone(&records);
        let batch = Batch::new().put_if_absent(key("a"), number.to_string());
        tokio::spawn(async move { records.commit(batch).await.is_ok() })
    });
    let created = futures_util::future::join_all(creators).await;
    assert_eq!(
        created
            .into_iter()
            .filter(|done| *done.as_ref().unwrap())
            .count(),
        1
    );
}

async fn no_update_is_lost(records: Arc<dyn Records>) {
    records
        .commit(Batch::new().put(key("a"), "0"))
        .await
        .unwrap();
    let counters = (0..8).map(|_| {
        let records = Arc::clone(&records);
        tokio::spawn(async move { while !count(&*records).await {} })
    });
    for counter in futures_util::future::join_all(counters).await {
        counter.unwrap();
    }
    assert_eq!(value(&*records, &key("a")).await.unwrap(), "8");
}

/// Adds one, unless somebody else does at the same time.
async fn count(records: &dyn Records) -> bool {
    let record = records.get(&key("a")).await.unwrap().unwrap();
    let number: u32 = std::str::from_utf8(&record.value).unwrap().parse().unwrap();
    let next = (number + 1).to_string();
    let batch = Batch::new().put_if_unchanged(key("a"), record.version, next);
    records.commit(batch).await.is_ok()
}

async fn writer(blobs: &Arc<dyn Blobs>, pieces: &[&'static [u8]]) -> BlobWriter {
    let mut writer = BlobWriter::new(Arc::clone(blobs), Algorithm::Sha256);
    for piece in pieces {
        writer.write(Bytes::from_static(piece)).await.unwrap();
    }
    writer
}

/// A part of a blob, or `None` when the blob is not there.
async fn read(blobs: &dyn Blobs, digest: &Digest, part: Option<(u64, u64)>) -> Option<Vec<u8>> {
    let blob = blobs.open(digest).await.unwrap()?;
    let (start, end) = part.unwrap_or((0, blob.size()));
    let mut pieces = blob.stream(start..end);
    let mut bytes = Vec::new();
    while let Some(piece) = pieces.next().await {
        bytes.extend_from_slice(&piece.unwrap());
    }
    Some(bytes)
}

async fn a_committed_blob_can_be_read(blobs: Arc<dyn Blobs>) {
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        let digest = Digest::with(algorithm, b"one two");
        assert_eq!(read(&*blobs, &digest, None).await, None);
        let verified = writer(&blobs, &[b"one", b" ", b"two"])
            .await
            .commit(&digest)
            .await;
        let verified = verified.unwrap();
        assert_eq!((verified.digest(), verified.size()), (&digest, 7));
        assert_eq!(read(&*blobs, &digest, None).await.unwrap(), b"one two");
    }
}

async fn any_part_of_a_blob_can_be_read(blobs: Arc<dyn Blobs>) {
    let bytes: Vec<u8> = (0..1_000_000_u32)
        .map(|number| (number % 253) as u8)
        .collect();
    let digest = Digest::of(&bytes);
    let mut writer = BlobWriter::new(Arc::clone(&blobs), Algorithm::Sha256);
    writer.write(bytes.clone().into()).await.unwrap();
    writer.commit(&digest).await.unwrap();
    for (start, end) in [
        (0, 1),
        (999_999, 1_000_000),
        (5, 900_000),
        (7, 7),
        (0, 1_000_000),
    ] {
        let part = read(&*blobs, &digest, Some((start, end))).await.unwrap();
        let range = usize::try_from(start).unwrap()..usize::try_from(end).unwrap();
        assert!(part == bytes[range], "{start}..{end}");
    }
}

async fn an_empty_blob_can_be_read(blobs: Arc<dyn Blobs>) {
    let digest = Digest::of(b"");
    writer(&blobs, &[]).await.commit(&digest).await.unwrap();
    assert_eq!(read(&*blobs, &digest, None).await.unwrap(), b"");
}

async fn a_blob_has_the_digest_that_was_asked_for_or_is_not_stored(blobs: Arc<dyn Blobs>) {
    let digest = Digest::of(b"other");
    let error = writer(&blobs, &[b"bytes"])
        .await
        .commit(&digest)
        .await
        .unwrap_err();
    assert!(matches!(error, WriteBlobError::Digest(_)));
    for digest in [digest, Digest::of(b"bytes")] {
        assert_eq!(read(&*blobs, &digest, None).await, None);
    }
}

async fn a_blob_cannot_be_opened_before_it_is_committed(blobs: Arc<dyn Blobs>) {
    let digest = Digest::of(b"bytes");
    let writer = writer(&blobs, &[b"bytes"]).await;
    assert_eq!(read(&*blobs, &digest, None).await, None);
    drop(writer);
    assert_eq!(read(&*blobs, &digest, None).await, None);
}

async fn committing_the_same_blob_twice_is_no_error(blobs: Arc<dyn Blobs>) {
    let digest = Digest::of(b"bytes");
    for _ in 0..2 {
        writer(&blobs, &[b"bytes"])
            .await
            .commit(&digest)
            .await
            .unwrap();
        assert_eq!(read(&*blobs, &digest, None).await.unwrap(), b"bytes");
    }
}

async fn many_can_commit_the_same_blob_at_once(blobs: Arc<dyn Blobs>) {
    let digest = Digest::of(b"bytes");
    let pushes = (0..16).map(|_| {
        let (blobs, digest) = (Arc::clone(&blobs), digest.clone());
        tokio::spawn(async move { writer(&blobs, &[b"bytes"]).await.commit(&digest).await })
    });
    for push in futures_util::future::join_all(pushes).await {
        push.unwrap().unwrap();
    }
    assert_eq!(read(&*blobs, &digest, None).await.unwrap(), b"bytes");
}

async fn stage(blobs: &dyn Blobs, bytes: &'static [u8]) -> Box<dyn Stage> {
    let mut stage = blobs.stage().await.unwrap();
    stage.append(Bytes::from_static(bytes)).await.unwrap();
    stage
}

async fn synced(blobs: &dyn Blobs, bytes: &'static [u8]) -> StageId {
    let mut stage = stage(blobs, bytes).await;
    stage.sync().await.unwrap();
    stage.id().clone()
}

async fn resumed(blobs: &dyn Blobs, id: &StageId, size: u64) -> Box<dyn Stage> {
    blobs.resume(id, size).await.unwrap().unwrap()
}

async fn stages(blobs: &dyn Blobs) -> Vec<(StageId, u64)> {
    let listed = blobs.stages(None, 100).await.unwrap();
    listed
        .into_iter()
        .map(|stage| (stage.id, stage.size))
        .collect()
}

async fn a_deleted_blob_is_gone_and_who_reads_it_reads_on(blobs: Arc<dyn Blobs>) {
    let digest = Digest::of(b"bytes");
    assert!(!blobs.delete(&digest).await.unwrap());
    let written = writer(&blobs, &[b"bytes"]).await;
    written.commit(&digest).await.unwrap();
    let open = blobs.open(&digest).await.unwrap().unwrap();
    assert!(blobs.delete(&digest).await.unwrap());
    assert!(!blobs.delete(&digest).await.unwrap());
    assert!(blobs.open(&digest).await.unwrap().is_none());
    let pieces: Vec<_> = open.stream(0..5).collect().await;
    assert_eq!(pieces[0].as_ref().unwrap(), "bytes");
    let written = writer(&blobs, &[b"bytes"]).await;
    written.commit(&digest).await.unwrap();
    assert!(blobs.open(&digest).await.unwrap().is_some());
}

async fn a_listing_of_blobs_is_in_order_and_goes_on_from_a_digest(blobs: Arc<dyn Blobs>) {
    let mut digests = Vec::new();
    for number in 0..20_u8 {
        let algorithm = [Algorithm::Sha256, Algorithm::Sha512][usize::from(number % 2)];
        let digest = Digest::with(algorithm, &[number]);
        let mut stage = blobs.stage().await.unwrap();
        stage.append(vec![number].into()).await.unwrap();
        stage.publish(digest.clone()).await.unwrap();
        digests.push(digest);
    }
    digests.sort();
    let whole = blobs.list(None, 100).await.unwrap();
    assert!(whole.iter().all(|blob| blob.size == 1));
    assert!(whole.iter().all(|blob| blob.published > 1_600_000_000));
    let mut found: Vec<Digest> = Vec::new();
    loop {
        let page = blobs.list(found.last(), 3).await.unwrap();
        assert!(page.len() <= 3);
        if page.is_empty() {
            break;
        }
        found.extend(page.into_iter().map(|blob| blob.digest));
    }
    assert_eq!(found, digests);
    assert_eq!(blobs.list(None, 0).await.unwrap(), []);
}

async fn a_stage_that_was_synced_is_resumed_where_it_was(blobs: Arc<dyn Blobs>) {
    let id = synced(&*blobs, b"one ").await;
    assert_eq!(stages(&*blobs).await, [(id.clone(), 4)]);
    let mut stage = resumed(&*blobs, &id, 4).await;
    stage.append(Bytes::from_static(b"two ")).await.unwrap();
    stage.sync().await.unwrap();
    drop(stage);
    let mut stage = resumed(&*blobs, &id, 8).await;
    stage.append(Bytes::from_static(b"three")).await.unwrap();
    let digest = Digest::of(b"one two three");
    stage.publish(digest.clone()).await.unwrap();
    let whole = read(&*blobs, &digest, None).await.unwrap();
    assert_eq!(whole, b"one two three");
}

async fn what_came_after_the_size_that_is_known_is_forgotten(blobs: Arc<dyn Blobs>) {
    let id = synced(&*blobs, b"0123456789").await;
    assert!(blobs.resume(&id, 11).await.unwrap().is_none());
    let mut stage = resumed(&*blobs, &id, 4).await;
    stage.append(Bytes::from_static(b"four")).await.unwrap();
    let digest = Digest::of(b"0123four");
    stage.publish(digest.clone()).await.unwrap();
    let whole = read(&*blobs, &digest, None).await.unwrap();
    assert_eq!(whole, b"0123four");
}

async fn a_stage_that_was_never_synced_cannot_be_resumed(blobs: Arc<dyn Blobs>) {
    let stage = stage(&*blobs, b"bytes").await;
    let id = stage.id().clone();
    assert_eq!(stages(&*blobs).await, []);
    drop(stage);
    assert!(blobs.resume(&id, 0).await.unwrap().is_none());
    blobs.discard(&id).await.unwrap();
}

async fn a_stage_can_be_read_before_it_is_published(blobs: Arc<dyn Blobs>) {
    for is_synced in [false, true] {
        let mut stage = stage(&*blobs, b"0123").await;
        stage.append(Bytes::from_static(b"45")).await.unwrap();
        if is_synced {
            stage.sync().await.unwrap();
        }
        let pieces: Vec<_> = stage.read().await.unwrap().collect().await;
        let pieces: Vec<_> = pieces.into_iter().map(Result::unwrap).collect();
        assert_eq!(pieces.concat(), b"012345");
        let digest = Digest::of(b"012345");
        stage.publish(digest.clone()).await.unwrap();
        assert_eq!(read(&*blobs, &digest, None).await.unwrap(), b"012345");
    }
}

async fn a_published_stage_stays_until_it_is_discarded(blobs: Arc<dyn Blobs>) {
    let digest = Digest::of(b"bytes");
    let id = synced(&*blobs, b"bytes").await;
    let stage = resumed(&*blobs, &id, 5).await;
    stage.publish(digest.clone()).await.unwrap();
    assert_eq!(stages(&*blobs).await, [(id.clone(), 5)]);
    blobs.discard(&id).await.unwrap();
    assert_eq!(stages(&*blobs).await, []);
    assert_eq!(read(&*blobs, &digest, None).await.unwrap(), b"bytes");
    blobs.discard(&id).await.unwrap();
}

async fn resuming_a_published_stage_does_not_touch_the_blob(blobs: Arc<dyn Blobs>) {
    let digest = Digest::of(b"bytes");
    let id = synced(&*blobs, b"bytes").await;
    let stage = resumed(&*blobs, &id, 5).await;
    stage.publish(digest.clone()).await.unwrap();
    let mut stage = resumed(&*blobs, &id, 3).await;
    stage.append(Bytes::from_static(b"es!")).await.unwrap();
    stage.sync().await.unwrap();
    assert_eq!(read(&*blobs, &digest, None).await.unwrap(), b"bytes");
    let other = Digest::of(b"bytes!");
    stage.publish(other.clone()).await.unwrap();
    assert_eq!(read(&*blobs, &other, None).await.unwrap(), b"bytes!");
    assert_eq!(read(&*blobs, &digest, None).await.unwrap(), b"bytes");
}

#[tokio::test]
async fn records_on_disk_survive_the_engine() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("records.redb");
    let records = RedbRecords::open(&path).unwrap();
    records
        .commit(Batch::new().put(key("a"), "1"))
        .await
        .unwrap();
    drop(records);
    let records = RedbRecords::open(&path).unwrap();
    assert_eq!(value(&records, &key("a")).await.unwrap(), "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_that_come_together_share_a_transaction() {
    const COMMITS: usize = 400;
    let directory = TempDir::new().unwrap();
    let records = RedbRecords::open(&directory.path().join("records.redb")).unwrap();
    let commits = (0..COMMITS).map(|number| {
        let records = records.clone();
        let batch = Batch::new().put_if_absent(key(&format!("t{number}")), "x");
        tokio::spawn(async move { records.commit(batch).await })
    });
    for commit in futures_util::future::join_all(commits).await {
        commit.unwrap().unwrap();
    }
    let counts = records.commit_counts();
    assert_eq!(counts.batches, COMMITS as u64);
    assert!(counts.transactions * 10 <= counts.batches, "{counts:?}");
}

#[tokio::test]
async fn of_batches_in_one_transaction_each_is_applied_or_refused_on_its_own() {
    let (_directory, records) = redb_records();
    // Nothing is awaited between them, so that they wait together.
    let commits = (0..32).map(|number| {
        let own = key(&format!("own{number}"));
        let batch = Batch::new().put_if_absent(key(&format!("shared{}", number / 2)), "x");
        records.commit(batch.put(own, "x"))
    });
    let commits = futures_util::future::join_all(commits).await;
    for (number, commit) in commits.iter().enumerate() {
        assert_eq!(commit.is_ok(), number % 2 == 0, "{number}: {commit:?}");
        let own = value(&*records, &key(&format!("own{number}"))).await;
        assert_eq!(own.is_some(), commit.is_ok(), "{number}");
    }
}

#[tokio::test]
async fn what_waits_when_the_engine_is_dropped_is_written() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("records.redb");
    let records = RedbRecords::open(&path).unwrap();
    for number in 0..50 {
        let batch = Batch::new().put(key(&format!("t{number}")), "x");
        // Polled once, which puts it in the queue, and given up.
        let _ = futures_util::FutureExt::now_or_never(records.commit(batch));
    }
    drop(records);
    let records = RedbRecords::open(&path).unwrap();
    let found = records.list(&Prefix::tags(&repository("app")), None, 100);
    assert_eq!(found.await.unwrap().len(), 50);
}

#[tokio::test]
async fn blobs_on_disk_survive_the_engine_and_leftovers_do_not() {
    let (directory, blobs) = file_blobs();
    let digest = Digest::of(b"bytes");
    writer(&blobs, &[b"bytes"])
        .await
        .commit(&digest)
        .await
        .unwrap();
    let uploads = directory.path().join("uploads");
    std::fs::write(uploads.join("upload-Xy12"), "half").unwrap();
    std::fs::write(uploads.join("a file of somebody else"), "").unwrap();
    let blobs = FileBlobs::open(directory.path()).unwrap();
    assert_eq!(read(&blobs, &digest, None).await.unwrap(), b"bytes");
    let left: Vec<_> = std::fs::read_dir(uploads).unwrap().collect();
    assert_eq!(left.len(), 1);
    assert_eq!(
        left[0].as_ref().unwrap().file_name(),
        "a file of somebody else"
    );
}
