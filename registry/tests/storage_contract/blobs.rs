//! What every engine for blobs promises.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use tempfile::TempDir;
use wasmport_artifact::{Algorithm, Digest};
use wasmport_registry::storage::{
    BlobWriter, Blobs, FileBlobs, MemoryBlobs, Stage, StageId, WriteBlobError,
};

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

mod memory_blobs {
    blobs_contract!((None::<super::TempDir>, super::memory_blobs()));
}

mod file_blobs {
    blobs_contract!(super::file_blobs());
}

fn memory_blobs() -> Arc<dyn Blobs> {
    Arc::new(MemoryBlobs::default())
}

fn file_blobs() -> (TempDir, Arc<dyn Blobs>) {
    let directory = TempDir::new().unwrap();
    let blobs = FileBlobs::open(directory.path()).unwrap();
    (directory, Arc::new(blobs))
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
