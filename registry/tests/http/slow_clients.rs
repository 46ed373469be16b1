//! Clients that take their time, by accident or to wear the registry out.

use futures_util::stream::{self, StreamExt};
use reqwest::{Body, Client, StatusCode};
use wasmport_artifact::Digest;
use wasmport_registry::settings::{ByteSize, Timespan};

use crate::raw::{Tuned, soon, within};

/// More than the sockets on both sides hold for a client that does not read.
const LARGE: usize = 32 << 20;

async fn is_served(registry: &Tuned) {
    let head = registry.connect().await.get("/healthz").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
}

#[tokio::test]
async fn who_says_nothing_is_cut() {
    let registry = Tuned::start(|config| config.settings.server.header_timeout = soon()).await;
    assert_eq!(registry.connect().await.closed().await, b"");
    is_served(&registry).await;
}

#[tokio::test]
async fn headers_that_come_byte_by_byte_are_cut() {
    let registry = Tuned::start(|config| config.settings.server.header_timeout = soon()).await;
    let mut raw = registry.connect().await;
    raw.send("GET /v2/ HTTP/1.1\r\n").await;
    // However often something comes, the headers have to be there in time.
    within(async { while raw.try_send("x: 1\r\n").await {} }).await;
    is_served(&registry).await;
}

#[tokio::test]
async fn the_headers_of_a_second_request_have_no_more_time_than_the_first() {
    let registry = Tuned::start(|config| config.settings.server.header_timeout = soon()).await;
    let mut raw = registry.connect().await;
    assert!(raw.get("/healthz").await.starts_with("HTTP/1.1 200"));
    raw.send("GET /v2/ HT").await;
    assert_eq!(raw.closed().await, b"");
}

#[tokio::test]
async fn a_connection_without_a_request_is_closed_after_a_while() {
    let registry = Tuned::start(|config| config.settings.server.keep_alive_timeout = soon()).await;
    let mut raw = registry.connect().await;
    assert!(raw.get("/healthz").await.starts_with("HTTP/1.1 200"));
    assert_eq!(raw.closed().await, b"");
}

#[tokio::test]
async fn a_body_that_stops_coming_is_cut_and_its_upload_stays() {
    let registry = Tuned::start(|config| config.settings.server.stall_timeout = soon()).await;
    let location = registry.open_upload().await;
    let mut raw = registry.begin_patch(&location, 1000).await;
    raw.send("ten bytes!").await;
    assert_eq!(raw.closed().await, b"");
    let head = registry.connect().await.get(&location).await;
    assert!(head.starts_with("HTTP/1.1 204"), "{head}");
}

#[tokio::test]
async fn a_body_that_comes_byte_by_byte_is_cut() {
    let registry = Tuned::start(|config| {
        config.settings.server.stall_timeout = soon();
        config.settings.server.min_bytes = ByteSize::gib(1);
    })
    .await;
    let location = registry.open_upload().await;
    let mut raw = registry.begin_patch(&location, 1 << 30).await;
    let mut sent = 0;
    within(async {
        while raw.try_send("x").await {
            sent += 1;
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(sent > 1);
    is_served(&registry).await;
}

async fn push_large(registry: &Tuned) -> String {
    let bytes = vec![7; LARGE];
    let digest = Digest::of(&bytes);
    let url = format!(
        "http://{}/v2/app/blobs/uploads/?digest={digest}",
        registry.addr
    );
    let pushed = Client::new().post(url).body(bytes).send().await.unwrap();
    assert_eq!(pushed.status(), StatusCode::CREATED);
    format!("/v2/app/blobs/{digest}")
}

#[tokio::test]
async fn an_answer_that_nobody_reads_is_cut() {
    let mut registry = Tuned::start(|config| {
        config.settings.server.stall_timeout = soon();
        config.settings.server.drain_timeout = Timespan::hours(1);
    })
    .await;
    let path = push_large(&registry).await;
    let mut raw = registry.connect_with_buffer(4096).await;
    assert!(raw.get(&path).await.starts_with("HTTP/1.1 200"));
    // It has let go of the client when it stops, and does not wait for it until then.
    registry.stop();
    registry.stopped().await;
    assert!(raw.closed().await.len() < LARGE);
}

#[tokio::test]
async fn an_answer_that_is_read_in_time_is_whole() {
    let registry = Tuned::start(|config| config.settings.server.stall_timeout = soon()).await;
    let path = push_large(&registry).await;
    let mut raw = registry.connect().await;
    raw.send(&format!(
        "GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
    ))
    .await;
    assert!(raw.head().await.starts_with("HTTP/1.1 200"));
    assert_eq!(raw.closed().await.len(), LARGE);
}

#[tokio::test]
async fn a_slow_request_over_http_2_is_cut_and_the_others_are_not() {
    let registry = Tuned::start(|config| config.settings.server.stall_timeout = soon()).await;
    let location = registry.open_upload().await;
    let client = Client::builder().http2_prior_knowledge().build().unwrap();
    let first = stream::once(async { Ok::<_, std::io::Error>("ten bytes!") });
    let body = Body::wrap_stream(first.chain(stream::pending()));
    let url = format!("http://{}{location}", registry.addr);
    let slow = client.patch(&url).body(body).send();
    assert!(within(slow).await.is_err());
    let status = client.get(&url).send().await.unwrap();
    assert_eq!(status.version(), reqwest::Version::HTTP_2);
    assert_eq!(status.status(), StatusCode::NO_CONTENT);
}
