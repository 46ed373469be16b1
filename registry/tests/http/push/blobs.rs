//! Pushing blobs: every way in, and what is refused on each.

use std::io;

use bytes::Bytes;
use futures_util::stream;
use reqwest::Body;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wasmport_artifact::Digest;

use super::LARGE;
use crate::registry::{Answer, Registry, files};

/// Sends a chunk with its range.
async fn chunk(registry: &Registry, method: &str, to: &str, range: &str, bytes: &[u8]) -> Answer {
    let request = registry.request(method, to).header("content-range", range);
    Answer::of(request.body(bytes.to_vec())).await
}

fn with_digest(location: &str, digest: &Digest) -> String {
    format!("{location}?digest={digest}")
}

#[tokio::test]
async fn a_blob_comes_in_chunks_and_in_order() {
    let registry = Registry::start().await;
    let digest = Digest::of(b"0123456789");
    let location = registry.open_upload("team/app").await;
    let answer = chunk(&registry, "PATCH", &location, "0-3", b"0123").await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("range")),
        (202, "0-3")
    );
    let answer = chunk(&registry, "PATCH", &location, "4-5", b"45").await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("range")),
        (202, "0-5")
    );
    let answer = chunk(
        &registry,
        "PUT",
        &with_digest(&location, &digest),
        "6-9",
        b"6789",
    )
    .await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let stored = registry.get(answer.header("location")).await;
    assert_eq!(stored.body, b"0123456789");
}

#[tokio::test]
async fn a_chunk_out_of_order_is_refused_and_the_upload_goes_on() {
    let registry = Registry::start().await;
    let digest = Digest::of(b"0123456789");
    let location = registry.open_upload("app").await;
    let early = chunk(&registry, "PATCH", &location, "4-5", b"45").await;
    assert_eq!(early.status, 416);
    let status = registry.get(&location).await;
    assert_eq!(
        (status.status.as_u16(), status.header("range")),
        (204, "0-0")
    );
    assert_eq!(status.header("location"), location);
    chunk(&registry, "PATCH", &location, "0-4", b"01234").await;
    let closing = with_digest(&location, &digest);
    let again = chunk(&registry, "PUT", &closing, "0-4", b"01234").await;
    assert_eq!((again.status.as_u16(), again.header("range")), (416, "0-4"));
    let wrong_length = chunk(&registry, "PATCH", &location, "5-9", b"56").await;
    assert_eq!(wrong_length.status, 416);
    let rest = chunk(&registry, "PUT", &closing, "5-9", b"56789").await;
    assert_eq!(rest.status, 201, "{}", rest.text());
}

#[tokio::test]
async fn a_blob_comes_as_a_stream_of_unknown_length() {
    let registry = Registry::start().await;
    let pieces = (0..50_u8).map(|n| Ok::<_, io::Error>(Bytes::from(vec![n; 10_000])));
    let whole: Vec<u8> = (0..50_u8).flat_map(|n| vec![n; 10_000]).collect();
    let location = registry.open_upload("app").await;
    let body = Body::wrap_stream(stream::iter(pieces));
    let answer = registry.send("PATCH", &location, body).await;
    assert_eq!(answer.header("range"), "0-499999");
    let digest = Digest::of(&whole);
    let answer = registry
        .send("PUT", &with_digest(&location, &digest), "")
        .await;
    assert_eq!(answer.status, 201);
    assert!(registry.get(&format!("/v2/app/blobs/{digest}")).await.body == whole);
}

#[tokio::test]
async fn other_bytes_than_the_digest_says_are_refused_and_leave_nothing() {
    let registry = Registry::start().await;
    let digest = Digest::of(b"other");
    let post = format!("/v2/app/blobs/uploads/?digest={digest}");
    let at_once = registry.send("POST", &post, "bytes").await;
    assert_eq!(
        (at_once.status.as_u16(), at_once.code().as_str()),
        (400, "DIGEST_INVALID")
    );
    let location = registry.open_upload("app").await;
    registry.send("PATCH", &location, "bytes").await;
    let closed = registry
        .send("PUT", &with_digest(&location, &digest), "")
        .await;
    assert_eq!(
        (closed.status.as_u16(), closed.code().as_str()),
        (400, "DIGEST_INVALID")
    );
    assert_eq!(
        registry
            .get(&format!("/v2/app/blobs/{digest}"))
            .await
            .status,
        404
    );
    assert_eq!(registry.get(&location).await.code(), "BLOB_UPLOAD_UNKNOWN");
    assert_eq!(files(&registry.store()), Vec::<std::path::PathBuf>::new());
}

#[tokio::test]
async fn the_smallest_blobs_can_be_stored() {
    let registry = Registry::start().await;
    for bytes in [&b""[..], b"{}"] {
        let digest = registry.push_blob("app", bytes).await;
        let path = format!("/v2/app/blobs/{digest}");
        assert_eq!(registry.get(&path).await.body, bytes);
        assert_eq!(registry.head(&path).await.length(), bytes.len() as u64);
    }
}

#[tokio::test]
async fn pushing_a_blob_twice_is_no_error() {
    let registry = Registry::start().await;
    for bytes in [&b"small"[..], LARGE] {
        let first = registry.push_blob("app", bytes).await;
        assert_eq!(registry.push_blob("app", bytes).await, first);
        let path = format!("/v2/app/blobs/{first}");
        assert!(registry.get(&path).await.body == bytes);
    }
    assert_eq!(files(&registry.store()).len(), 1);
}

#[tokio::test]
async fn a_cancelled_upload_is_gone_with_its_bytes() {
    let registry = Registry::start().await;
    let location = registry.open_upload("app").await;
    registry.send("PATCH", &location, LARGE).await;
    assert_eq!(files(&registry.store()).len(), 1);
    assert_eq!(registry.send("DELETE", &location, "").await.status, 204);
    assert_eq!(
        registry.send("PATCH", &location, "more").await.code(),
        "BLOB_UPLOAD_UNKNOWN"
    );
    assert_eq!(files(&registry.store()).len(), 0);
}

#[tokio::test]
async fn a_client_that_was_cut_off_goes_on_where_it_was() {
    let registry = Registry::start().await;
    let location = registry.open_upload("app").await;
    let mut connection = TcpStream::connect(&registry.host).await.unwrap();
    let head = format!(
        "PATCH {location} HTTP/1.1\r\nhost: {}\r\ncontent-length: 10\r\n\r\n01234",
        registry.host
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.shutdown().await.unwrap();
    // The answer, or the end, comes when the registry has noticed.
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await.unwrap();
    let status = registry.get(&location).await;
    assert_eq!(
        (status.status.as_u16(), status.header("range")),
        (204, "0-4")
    );
    let digest = Digest::of(b"0123456789");
    let rest = chunk(
        &registry,
        "PUT",
        &with_digest(&location, &digest),
        "5-9",
        b"56789",
    )
    .await;
    assert_eq!(rest.status, 201, "{}", rest.text());
}
