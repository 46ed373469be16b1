use bytes::Bytes;
use wasmport_artifact::{Descriptor, Selector, media_type};
use wasmport_client::{Kind, Registry};

use crate::stand_in::{Call, StandIn, access, answer, answer_with};

const MANIFEST: &[u8] = br#"{"schemaVersion":2,"config":{"mediaType":"x","size":2,
    "digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},"layers":[]}"#;

fn tag() -> Selector {
    Selector::Tag("v1".parse().unwrap())
}

/// Answers the first `times` requests of `method` for `part` with `status`.
async fn failing(method: &'static str, part: &'static str, times: usize, status: u16) -> StandIn {
    let hook = move |call: &Call, before| {
        let now = call.is(method, part) && before < times;
        now.then(|| answer(status, ""))
    };
    let stand_in = StandIn::with(hook).await;
    stand_in.hold_manifest("v1", media_type::IMAGE_MANIFEST, MANIFEST);
    stand_in
}

#[tokio::test]
async fn a_busy_registry_is_asked_again() {
    for status in [429, 500, 503] {
        let stand_in = failing("GET", "/manifests/", 2, status).await;
        stand_in.connect().await.get_manifest(&tag()).await.unwrap();
        assert_eq!(stand_in.count("GET", "/manifests/"), 3, "{status}");
    }
}

#[tokio::test]
async fn after_the_last_attempt_the_answer_is_an_error() {
    let stand_in = failing("GET", "/manifests/", 3, 503).await;
    let error = stand_in
        .connect()
        .await
        .get_manifest(&tag())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Busy);
    assert_eq!(stand_in.count("GET", "/manifests/"), 3);
}

#[tokio::test]
async fn a_wait_that_the_registry_asks_for_is_kept_unless_it_is_too_long() {
    let ask = |seconds: &'static str| {
        move |call: &Call, before| {
            let now = call.is("GET", "/manifests/") && before == 0;
            now.then(|| answer_with(429, &[("retry-after", seconds)], ""))
        }
    };
    let short = StandIn::with(ask("0")).await;
    short.hold_manifest("v1", media_type::IMAGE_MANIFEST, MANIFEST);
    short.connect().await.get_manifest(&tag()).await.unwrap();

    let long = StandIn::with(ask("3600")).await;
    let error = long.connect().await.get_manifest(&tag()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Busy);
    assert_eq!(long.count("GET", "/manifests/"), 1);
}

#[tokio::test]
async fn an_upload_that_fails_on_its_way_starts_anew() {
    for (method, part) in [
        ("POST", "/uploads/"),
        ("PUT", "/uploads/"),
        ("HEAD", "/blobs/"),
    ] {
        let stand_in = failing(method, part, 1, 502).await;
        let blob = Descriptor::of("application/octet-stream", b"content");
        let registry = stand_in.connect().await;
        let content = Bytes::from_static(b"content");
        registry.push_blob_bytes(&blob, &content).await.unwrap();
        assert_eq!(stand_in.blob(&blob.digest).unwrap(), "content", "{method}");
    }
}

#[tokio::test]
async fn what_the_registry_rejects_is_not_sent_again() {
    let stand_in = failing("PUT", "/manifests/", 9, 400).await;
    let manifest = Bytes::from_static(MANIFEST);
    let registry = stand_in.connect().await;
    let selector = tag();
    let put = registry.put_manifest(&selector, &manifest, media_type::IMAGE_MANIFEST);
    assert_eq!(put.await.unwrap_err().kind(), Kind::Rejected);
    assert_eq!(stand_in.count("PUT", "/manifests/"), 1);
}

#[tokio::test]
async fn a_registry_that_is_down_is_unreachable() {
    // A port that was free a moment ago, and that nobody listens on.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let reference = format!("{}/team/app:v1", listener.local_addr().unwrap());
    drop(listener);
    let reference = reference.parse().unwrap();
    let registry = Registry::connect(&reference, &access()).await.unwrap();
    let error = registry.resolve(&reference).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unreachable);
    assert!(error.to_string().contains("/team/app"), "{error}");
    assert!(error.hint().is_some());
}
