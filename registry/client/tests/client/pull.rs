use std::path::Path;
use std::time::Duration;

use wasmport_artifact::{Descriptor, Digest, ImageManifest, Selector, media_type};
use wasmport_client::{Access, Kind, pull_wasm, pull_wasm_bytes};

use crate::stand_in::{Call, StandIn, access, answer, answer_with, truncated};

const WASM: &[u8] = b"\0asm\x0d\0\x01\0";

fn layer() -> Descriptor {
    Descriptor::of(media_type::WASM, WASM)
}

fn manifest() -> Vec<u8> {
    let config = Descriptor::of(media_type::WASM_CONFIG, b"{}");
    ImageManifest::new(config, vec![layer()]).to_bytes()
}

/// A registry that answers every request for a blob like this.
async fn with_blob(
    answer: impl Fn() -> axum::response::Response + Send + Sync + 'static,
) -> StandIn {
    StandIn::with(move |call: &Call, _| call.is("GET", "/blobs/").then(&answer)).await
}

fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name();
    let mut names: Vec<_> = entries
        .map(name)
        .map(|name| name.into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn what_was_pushed_comes_back() {
    let stand_in = StandIn::start().await;
    stand_in.hold_blob(WASM);
    stand_in.hold_manifest("v1", media_type::IMAGE_MANIFEST, &manifest());
    let registry = stand_in.connect().await;
    let directory = tempfile::tempdir().unwrap();
    let destination = directory.path().join("app.wasm");
    std::fs::write(&destination, "what was there before").unwrap();

    let by_tag = registry.resolve(&stand_in.reference(":v1")).await.unwrap();
    let digest = stand_in.reference(&format!(":other@{}", by_tag.digest()));
    assert_eq!(registry.resolve(&digest).await.unwrap(), by_tag);
    pull_wasm(&registry, &by_tag, &destination).await.unwrap();
    assert_eq!(std::fs::read(&destination).unwrap(), WASM);
    assert_eq!(names(directory.path()), ["app.wasm"]);
    assert_eq!(pull_wasm_bytes(&registry, &by_tag).await.unwrap(), WASM);
}

#[cfg(unix)]
#[tokio::test]
async fn a_pulled_file_has_the_mode_of_an_ordinary_new_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let stand_in = StandIn::start().await;
    stand_in.hold_blob(WASM);
    let directory = tempfile::tempdir().unwrap();
    let (ordinary, pulled) = (directory.path().join("a"), directory.path().join("b"));
    std::fs::write(&ordinary, "").unwrap();
    let registry = stand_in.connect().await;
    registry.pull_blob_to(&layer(), &pulled, 100).await.unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode();
    assert_eq!(mode(&pulled), mode(&ordinary));
}

#[tokio::test]
async fn bytes_that_are_not_the_blob_leave_nothing_behind() {
    for (what, kind) in [
        (&b"\0asm\x01\0\0\0"[..], Kind::DigestMismatch),
        (b"\0asm", Kind::DigestMismatch),
        (b"\0asm\x0d\0\x01\0 and more", Kind::DigestMismatch),
    ] {
        let stand_in = with_blob(move || answer(200, what)).await;
        let registry = stand_in.connect().await;
        let directory = tempfile::tempdir().unwrap();
        let destination = directory.path().join("app.wasm");
        let error = registry
            .pull_blob_to(&layer(), &destination, 100)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), kind, "{what:?}");
        assert!(names(directory.path()).is_empty(), "{what:?}");
        assert_eq!(stand_in.count("GET", "/blobs/"), 1, "{what:?}");
    }
}

#[tokio::test]
async fn a_failed_pull_leaves_the_old_file_as_it_was() {
    let stand_in = with_blob(|| answer(200, "nonsense")).await;
    let registry = stand_in.connect().await;
    let directory = tempfile::tempdir().unwrap();
    let destination = directory.path().join("app.wasm");
    std::fs::write(&destination, "old").unwrap();
    registry
        .pull_blob_to(&layer(), &destination, 100)
        .await
        .unwrap_err();
    assert_eq!(std::fs::read(&destination).unwrap(), b"old");
    assert_eq!(names(directory.path()), ["app.wasm"]);
}

#[tokio::test]
async fn a_connection_that_breaks_is_tried_again_and_then_given_up() {
    let stand_in = with_blob(|| truncated(&WASM[..4], WASM.len())).await;
    let registry = stand_in.connect().await;
    let directory = tempfile::tempdir().unwrap();
    let destination = directory.path().join("app.wasm");
    let error = registry
        .pull_blob_to(&layer(), &destination, 100)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Unreachable);
    assert_eq!(stand_in.count("GET", "/blobs/"), 3);
    assert!(names(directory.path()).is_empty());
}

#[tokio::test]
async fn a_pull_that_is_dropped_leaves_nothing_behind() {
    let stuck = || {
        use futures_util::StreamExt as _;
        let first = futures_util::stream::iter([Ok::<_, std::io::Error>(WASM[..4].to_vec())]);
        let body = axum::body::Body::from_stream(first.chain(futures_util::stream::pending()));
        answer_with(200, &[("content-length", "8")], body)
    };
    let registry = with_blob(stuck).await.connect().await;
    let directory = tempfile::tempdir().unwrap();
    let destination = directory.path().join("app.wasm");
    let descriptor = layer();
    let mut pull = Box::pin(registry.pull_blob_to(&descriptor, &destination, 100));
    while names(directory.path()).is_empty() {
        tokio::select! {
            _ = &mut pull => panic!("the pull cannot end"),
            () = tokio::task::yield_now() => {}
        }
    }
    drop(pull);
    assert!(names(directory.path()).is_empty());
}

#[tokio::test]
async fn a_registry_that_goes_silent_is_given_up() {
    let stuck = || {
        answer(
            200,
            axum::body::Body::from_stream(futures_util::stream::pending::<
                Result<Vec<u8>, std::io::Error>,
            >()),
        )
    };
    let stand_in = with_blob(stuck).await;
    let impatient = Access {
        idle_timeout: Duration::from_millis(50),
        ..access()
    };
    let registry = stand_in.connect_with(&impatient).await.unwrap();
    let error = registry.pull_blob_bytes(&layer(), 100).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unreachable);
}

#[tokio::test]
async fn what_is_larger_than_the_limit_is_not_asked_for() {
    let stand_in = StandIn::start().await;
    stand_in.hold_blob(WASM);
    let registry = stand_in.connect().await;
    let error = registry.pull_blob_bytes(&layer(), 7).await.unwrap_err();
    assert_eq!(error.kind(), Kind::TooLarge);
    assert_eq!(stand_in.count("GET", "/blobs/"), 0);
}

#[tokio::test]
async fn a_destination_that_cannot_be_written_is_named() {
    let stand_in = StandIn::start().await;
    stand_in.hold_blob(WASM);
    let registry = stand_in.connect().await;
    let directory = tempfile::tempdir().unwrap();
    let inside_nothing = directory.path().join("no/app.wasm");
    for destination in [inside_nothing.as_path(), directory.path()] {
        let error = registry
            .pull_blob_to(&layer(), destination, 100)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), Kind::Io);
        let words = error.failure().to_string();
        assert!(
            words.contains(&destination.display().to_string()),
            "{words}"
        );
    }
}

#[tokio::test]
async fn a_manifest_must_have_the_digest_that_was_asked_for_and_the_one_that_is_claimed() {
    let other = |call: &Call, _| {
        call.is("GET", "/manifests/")
            .then(|| answer(200, manifest()))
    };
    let registry = StandIn::with(other).await.connect().await;
    let selector = Selector::Digest(Digest::of(b"what we want"));
    let error = registry.get_manifest(&selector).await.unwrap_err();
    assert_eq!(error.kind(), Kind::DigestMismatch);

    let claim = Digest::of(b"what it claims").to_string();
    let lie = move |call: &Call, _| {
        let headers = [("docker-content-digest", claim.as_str())];
        call.is("GET", "/manifests/")
            .then(|| answer_with(200, &headers, manifest()))
    };
    let registry = StandIn::with(lie).await.connect().await;
    let tag = Selector::Tag("v1".parse().unwrap());
    let error = registry.get_manifest(&tag).await.unwrap_err();
    assert_eq!(error.kind(), Kind::DigestMismatch);
}

#[tokio::test]
async fn a_manifest_that_is_not_there_is_not_found() {
    let stand_in = StandIn::start().await;
    let registry = stand_in.connect().await;
    let tag = Selector::Tag("v1".parse().unwrap());
    let error = registry.get_manifest(&tag).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(error.hint().is_some());
    assert_eq!(registry.find_manifest(&tag).await.unwrap(), None);
}

#[tokio::test]
async fn a_manifest_without_a_useful_content_type_says_itself_what_it_is() {
    let vague = |call: &Call, _| {
        let headers = [("content-type", "application/json; charset=utf-8")];
        call.is("GET", "/manifests/")
            .then(|| answer_with(200, &headers, manifest()))
    };
    let registry = StandIn::with(vague).await.connect().await;
    let tag = Selector::Tag("v1".parse().unwrap());
    let got = registry.get_manifest(&tag).await.unwrap();
    assert_eq!(got.media_type(), media_type::IMAGE_MANIFEST);
}

#[tokio::test]
async fn what_is_not_a_manifest_is_refused() {
    let web_page = |call: &Call, _| {
        let headers = [("content-type", "text/html")];
        call.is("GET", "/manifests/")
            .then(|| answer_with(200, &headers, "<html>"))
    };
    let registry = StandIn::with(web_page).await.connect().await;
    let tag = Selector::Tag("v1".parse().unwrap());
    let error = registry.get_manifest(&tag).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Protocol);
}

#[tokio::test]
async fn an_endless_manifest_is_cut_off() {
    let endless = |call: &Call, _| {
        let piece = || Some((Ok::<_, std::io::Error>(vec![b' '; 65536]), ()));
        let pieces = futures_util::stream::unfold((), move |()| async move { piece() });
        call.is("GET", "/manifests/")
            .then(|| answer(200, axum::body::Body::from_stream(pieces)))
    };
    let registry = StandIn::with(endless).await.connect().await;
    let tag = Selector::Tag("v1".parse().unwrap());
    let error = registry.get_manifest(&tag).await.unwrap_err();
    assert_eq!(error.kind(), Kind::TooLarge);
}
