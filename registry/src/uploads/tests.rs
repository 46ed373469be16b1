use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use tempfile::TempDir;
use tokio::time::timeout;
use wasmport_artifact::Digest;

use super::*;
use crate::settings::Timespan;

/// Too large for the records.
static LARGE: [u8; 300_000] = [7; 300_000];

fn name(text: &str) -> RepositoryName {
    text.parse().unwrap()
}

async fn uploads_of(store: &Store) -> Arc<Uploads> {
    let settings = UploadSettings::default();
    Arc::new(Uploads::open_store(store.clone(), settings).await.unwrap())
}

/// Uploads over a store of their own, and one that is open.
async fn opened() -> (Arc<Uploads>, String) {
    let uploads = uploads_of(&Store::in_memory()).await;
    let id = uploads.open(&name("app"), Algorithm::Sha256).unwrap();
    (uploads, id)
}

async fn write(uploads: &Arc<Uploads>, id: &str, bytes: &'static [u8]) {
    let mut taken = uploads.take(&name("app"), id).await.unwrap();
    taken.write(Bytes::from_static(bytes)).await.unwrap();
    taken.keep().await.unwrap();
}

async fn size(uploads: &Arc<Uploads>, id: &str) -> u64 {
    uploads.size(&name("app"), id).await.unwrap()
}

#[tokio::test]
async fn an_upload_belongs_to_its_repository() {
    let (uploads, id) = opened().await;
    let other = uploads.take(&name("other"), &id).await;
    assert!(matches!(other, Err(UploadError::Unknown(_))));
    assert_eq!(size(&uploads, &id).await, 0);
}

#[tokio::test]
async fn one_request_at_a_time_has_it_and_gives_it_back() {
    let (uploads, id) = opened().await;
    let mut taken = uploads.take(&name("app"), &id).await.unwrap();
    let second = uploads.take(&name("app"), &id).await;
    assert!(matches!(second, Err(UploadError::Busy(_))));
    taken.write(Bytes::from_static(b"abc")).await.unwrap();
    taken.keep().await.unwrap();
    let taken = uploads.take(&name("app"), &id).await.unwrap();
    assert_eq!(taken.size(), 3);
}

#[tokio::test]
async fn a_request_that_is_given_up_while_it_takes_an_upload_has_its_turn_to_the_end() {
    let directory = TempDir::new().unwrap();
    let uploads = uploads_of(&Store::open(directory.path()).unwrap()).await;
    let id = uploads.open(&name("app"), Algorithm::Sha256).unwrap();
    write(&uploads, &id, &LARGE).await;
    // Files are resumed on another thread, so that the first request cannot be done yet.
    let first = uploads.take(&name("app"), &id).now_or_never();
    assert!(first.is_none());
    let second = uploads.take(&name("app"), &id).now_or_never();
    assert!(matches!(second, Some(Err(UploadError::Busy(_)))));
    let mut taken = loop {
        match uploads.take(&name("app"), &id).await {
            Err(UploadError::Busy(_)) => tokio::task::yield_now().await,
            done => break done.unwrap(),
        }
    };
    taken.write(Bytes::from_static(b"more")).await.unwrap();
    let digest = Digest::of(&[&LARGE[..], b"more"].concat());
    taken.finish(&digest).await.unwrap();
}

#[tokio::test]
async fn a_removal_goes_on_without_its_request_and_is_counted() {
    let (uploads, id) = opened().await;
    write(&uploads, &id, b"abc").await;
    let cancelled = uploads.cancel(&name("app"), &id).now_or_never();
    assert!(cancelled.is_none());
    let counted = async {
        while uploads.recorded.load(Ordering::Relaxed) > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), counted).await.unwrap();
    assert_eq!(uploads.store.uploads(None).await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_finished_or_cancelled_upload_is_unknown() {
    let (uploads, id) = opened().await;
    let taken = uploads.take(&name("app"), &id).await.unwrap();
    taken.finish(&Digest::of(b"")).await.unwrap();
    assert!(uploads.size(&name("app"), &id).await.is_err());
    let (uploads, id) = opened().await;
    write(&uploads, &id, b"abc").await;
    uploads.cancel(&name("app"), &id).await.unwrap();
    assert!(uploads.take(&name("app"), &id).await.is_err());
}

#[tokio::test]
async fn another_process_goes_on_where_an_upload_was() {
    for first in [&b"small"[..], &LARGE] {
        let store = Store::in_memory();
        let uploads = uploads_of(&store).await;
        let id = uploads.open(&name("app"), Algorithm::Sha256).unwrap();
        write(&uploads, &id, first).await;
        let uploads = uploads_of(&store).await;
        assert_eq!(size(&uploads, &id).await, first.len() as u64);
        write(&uploads, &id, b"more").await;
        let uploads = uploads_of(&store).await;
        let digest = Digest::of(&[first, b"more"].concat());
        let taken = uploads.take(&name("app"), &id).await.unwrap();
        taken.finish(&digest).await.unwrap();
        assert_eq!(store.uploads(None).await.unwrap().len(), 0);
        assert_eq!(store.stages(None).await.unwrap(), []);
    }
}

#[tokio::test]
async fn what_is_forgotten_was_never_there() {
    let (uploads, id) = opened().await;
    write(&uploads, &id, b"abc").await;
    let mut taken = uploads.take(&name("app"), &id).await.unwrap();
    taken.write(Bytes::from_static(b"def")).await.unwrap();
    taken.forget().await;
    assert_eq!(size(&uploads, &id).await, 3);
}

#[tokio::test]
async fn an_upload_that_lay_idle_is_unknown_and_swept() {
    let (uploads, id) = opened().await;
    write(&uploads, &id, &LARGE).await;
    let (_, record) = uploads.store.uploads(None).await.unwrap().remove(0);
    assert_eq!(uploads.sweep().await.unwrap(), sweep::Swept::default());
    assert!(!uploads.is_expired(record.touched()));
    assert!(uploads.is_expired(record.touched() - 24 * 60 * 60 - 1));
    // The clock moves on by a second at most while this runs, and so no time is waited for.
    uploads.set(UploadSettings {
        idle: Timespan::seconds(0),
        ..UploadSettings::default()
    });
    while !uploads.is_expired(record.touched()) {
        tokio::task::yield_now().await;
    }
    let unknown = uploads.size(&name("app"), &id).await;
    assert!(matches!(unknown, Err(UploadError::Unknown(_))));
    assert_eq!(uploads.sweep().await.unwrap().uploads, 1);
    assert_eq!(uploads.store.stages(None).await.unwrap(), []);
}

#[tokio::test]
async fn no_more_uploads_are_recorded_than_allowed() {
    let (uploads, id) = opened().await;
    uploads.set(UploadSettings {
        open: 1,
        ..UploadSettings::default()
    });
    write(&uploads, &id, b"abc").await;
    let other = uploads.open(&name("app"), Algorithm::Sha256).unwrap();
    let taken = uploads.take(&name("app"), &other).await.unwrap();
    let refused = uploads.check_room(&taken);
    assert!(matches!(refused, Err(UploadError::TooMany(1))));
    let first = uploads.take(&name("app"), &id).await.unwrap();
    uploads.check_room(&first).unwrap();
    drop(first);
    let first = loop {
        match uploads.cancel(&name("app"), &id).await {
            Err(UploadError::Busy(_)) => tokio::task::yield_now().await,
            done => break done,
        }
    };
    first.unwrap();
    uploads.check_room(&taken).unwrap();
}

#[tokio::test]
async fn what_is_small_is_a_setting() {
    let (uploads, id) = opened().await;
    uploads.store.set_small_bytes(2);
    write(&uploads, &id, b"ab").await;
    assert_eq!(uploads.store.stages(None).await.unwrap(), []);
    write(&uploads, &id, b"c").await;
    assert_eq!(uploads.store.stages(None).await.unwrap().len(), 1);
    let taken = uploads.take(&name("app"), &id).await.unwrap();
    taken.finish(&Digest::of(b"abc")).await.unwrap();
    let stored = uploads.store.read_blob(&Digest::of(b"abc"), 3).await;
    assert_eq!(stored.unwrap().unwrap(), b"abc");
}

#[tokio::test]
async fn an_upload_whose_stage_cannot_be_discarded_is_cancelled_and_counted_all_the_same() {
    let directory = TempDir::new().unwrap();
    let uploads = uploads_of(&Store::open(directory.path()).unwrap()).await;
    let id = uploads.open(&name("app"), Algorithm::Sha256).unwrap();
    write(&uploads, &id, &LARGE).await;
    let stages = directory.path().join("uploads");
    let stage = std::fs::read_dir(stages).unwrap().next().unwrap().unwrap();
    // No file can be removed here.
    std::fs::remove_file(stage.path()).unwrap();
    std::fs::create_dir(stage.path()).unwrap();
    uploads.cancel(&name("app"), &id).await.unwrap();
    assert_eq!(uploads.recorded.load(Ordering::Relaxed), 0);
    assert_eq!(uploads.store.uploads(None).await.unwrap().len(), 0);
}
