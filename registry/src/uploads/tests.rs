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

async fn take(uploads: &Arc<Uploads>, id: &str) -> Result<TakenUpload, UploadError> {
    uploads.take(&name("app"), id, "me").await
}

async fn write(uploads: &Arc<Uploads>, id: &str, bytes: &'static [u8]) {
    let mut taken = take(uploads, id).await.unwrap();
    taken.write(Bytes::from_static(bytes)).await.unwrap();
    taken.keep().await.unwrap();
}

async fn size(uploads: &Arc<Uploads>, id: &str) -> u64 {
    uploads.size(&name("app"), id).await.unwrap()
}

#[tokio::test]
async fn an_upload_belongs_to_its_repository() {
    let (uploads, id) = opened().await;
    let other = uploads.take(&name("other"), &id, "me").await;
    assert!(matches!(other, Err(UploadError::Unknown(_))));
    assert_eq!(size(&uploads, &id).await, 0);
}

#[tokio::test]
async fn one_request_at_a_time_has_it_and_gives_it_back() {
    let (uploads, id) = opened().await;
    let mut taken = take(&uploads, &id).await.unwrap();
    let second = take(&uploads, &id).await;
    assert!(matches!(second, Err(UploadError::Busy(_))));
    taken.write(Bytes::from_static(b"abc")).await.unwrap();
    taken.keep().await.unwrap();
    let taken = take(&uploads, &id).await.unwrap();
    assert_eq!(taken.size(), 3);
}

#[tokio::test]
async fn a_request_that_is_given_up_while_it_takes_an_upload_has_its_turn_to_the_end() {
    let directory = TempDir::new().unwrap();
    let uploads = uploads_of(&Store::open(directory.path()).unwrap()).await;
    let id = uploads.open(&name("app"), Algorithm::Sha256).unwrap();
    write(&uploads, &id, &LARGE).await;
    // Files are resumed on another thread, so that the first request cannot be done yet.
    let first = take(&uploads, &id).now_or_never();
    assert!(first.is_none());
    let second = take(&uploads, &id).now_or_never();
    assert!(matches!(second, Some(Err(UploadError::Busy(_)))));
    let mut taken = loop {
        match take(&uploads, &id).await {
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
        while uploads.places.all() > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), counted).await.unwrap();
    assert_eq!(uploads.store.uploads(None).await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_finished_or_cancelled_upload_is_unknown() {
    let (uploads, id) = opened().await;
    let taken = take(&uploads, &id).await.unwrap();
    taken.finish(&Digest::of(b"")).await.unwrap();
    assert!(uploads.size(&name("app"), &id).await.is_err());
    let (uploads, id) = opened().await;
    write(&uploads, &id, b"abc").await;
    uploads.cancel(&name("app"), &id).await.unwrap();
    assert!(take(&uploads, &id).await.is_err());
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
        let taken = take(&uploads, &id).await.unwrap();
        taken.finish(&digest).await.unwrap();
        assert_eq!(store.uploads(None).await.unwrap().len(), 0);
        assert_eq!(store.stages(None).await.unwrap(), []);
    }
}

#[tokio::test]
async fn what_is_forgotten_was_never_there() {
    let (uploads, id) = opened().await;
    write(&uploads, &id, b"abc").await;
    let mut taken = take(&uploads, &id).await.unwrap();
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

fn set_open(uploads: &Uploads, open: usize, open_per_sender: usize) {
    uploads.set(UploadSettings {
        open,
        open_per_sender,
        ..UploadSettings::default()
    });
}

/// What becomes of an upload of which these bytes arrive in a PATCH.
async fn arrive(
    uploads: &Arc<Uploads>,
    sender: &str,
    bytes: &'static [u8],
) -> Result<String, UploadError> {
    let id = uploads.open(&name("app"), Algorithm::Sha256)?;
    let mut taken = uploads.take(&name("app"), &id, sender).await?;
    taken.reserve()?;
    taken.write(Bytes::from_static(bytes)).await.unwrap();
    taken.keep().await?;
    Ok(id)
}

#[tokio::test]
async fn no_more_uploads_are_recorded_than_allowed_of_one_sender_and_of_all() {
    let uploads = uploads_of(&Store::in_memory()).await;
    set_open(&uploads, 3, 2);
    let first = arrive(&uploads, "alice", b"1").await.unwrap();
    arrive(&uploads, "alice", b"2").await.unwrap();
    let refused = arrive(&uploads, "alice", b"3").await;
    assert!(matches!(refused, Err(UploadError::TooManyOf(2, sender)) if sender == "alice"));
    arrive(&uploads, "bob", b"3").await.unwrap();
    let refused = arrive(&uploads, "bob", b"4").await;
    assert!(matches!(refused, Err(UploadError::TooMany(3))));
    // What is recorded goes on, and what arrived of it is alice's, whoever goes on.
    let mut taken = uploads.take(&name("app"), &first, "bob").await.unwrap();
    taken.reserve().unwrap();
    taken.write(Bytes::from_static(b"more")).await.unwrap();
    taken.keep().await.unwrap();
    // After a restart they are counted as before.
    let uploads = uploads_of(&uploads.store).await;
    set_open(&uploads, 3, 2);
    assert!(arrive(&uploads, "carol", b"5").await.is_err());
    uploads.cancel(&name("app"), &first).await.unwrap();
    let id = arrive(&uploads, "alice", b"5").await.unwrap();
    let taken = take(&uploads, &id).await.unwrap();
    taken.finish(&Digest::of(b"5")).await.unwrap();
    assert_eq!(uploads.places.all(), 2);
    arrive(&uploads, "alice", b"6").await.unwrap();
}

#[tokio::test]
async fn what_breaks_off_is_kept_only_where_there_is_a_place_for_it() {
    let uploads = uploads_of(&Store::in_memory()).await;
    set_open(&uploads, 10, 1);
    arrive(&uploads, "me", b"1").await.unwrap();
    // Bytes that came with a PUT: it needs no place unless it breaks off.
    for bytes in [&b"small"[..], &LARGE] {
        let id = uploads.open(&name("app"), Algorithm::Sha256).unwrap();
        let mut taken = take(&uploads, &id).await.unwrap();
        taken.write(Bytes::from_static(bytes)).await.unwrap();
        taken.break_off().await;
        assert_eq!(size(&uploads, &id).await, 0);
    }
    assert_eq!(uploads.store.uploads(None).await.unwrap().len(), 1);
    assert_eq!(uploads.store.stages(None).await.unwrap(), []);
    assert_eq!(uploads.places.all(), 1);
}

#[tokio::test]
async fn many_that_arrive_at_once_share_the_places() {
    let uploads = uploads_of(&Store::in_memory()).await;
    set_open(&uploads, 10, 3);
    let arrivals = (0..10).map(|_| arrive(&uploads, "me", b"bytes"));
    let arrived = futures_util::future::join_all(arrivals).await;
    assert_eq!(arrived.iter().filter(|arrived| arrived.is_ok()).count(), 3);
    assert_eq!(uploads.store.uploads(None).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_sweep_counts_anew_what_was_counted_wrong() {
    let uploads = uploads_of(&Store::in_memory()).await;
    arrive(&uploads, "me", b"1").await.unwrap();
    let place = uploads
        .places
        .take(&"me".into(), &UploadSettings::default());
    place.unwrap().used();
    assert_eq!(uploads.places.all(), 2);
    uploads.sweep().await.unwrap();
    assert_eq!(uploads.places.all(), 1);
}

#[tokio::test]
async fn what_is_small_is_a_setting() {
    let (uploads, id) = opened().await;
    uploads.store.set_small_bytes(2);
    write(&uploads, &id, b"ab").await;
    assert_eq!(uploads.store.stages(None).await.unwrap(), []);
    write(&uploads, &id, b"c").await;
    assert_eq!(uploads.store.stages(None).await.unwrap().len(), 1);
    let taken = take(&uploads, &id).await.unwrap();
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
    assert_eq!(uploads.places.all(), 0);
    assert_eq!(uploads.store.uploads(None).await.unwrap().len(), 0);
}
