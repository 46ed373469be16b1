//! What is refused leaves nothing behind, and does not end an upload that could go on.

use std::path::PathBuf;

use wasmport_artifact::Digest;
use wasmport_registry::LoadedPolicy;

use super::{chunk, large, offset, with_digest};
use crate::registry::{Registry, files};

#[tokio::test]
async fn a_chunk_out_of_order_is_refused_and_the_upload_goes_on() {
    let whole = large();
    let registry = Registry::start().await;
    let location = registry.open_upload("app").await;
    let closing = with_digest(&location, &Digest::of(&whole));
    for method in ["PATCH", "PUT"] {
        let early = chunk(&registry, method, &closing, 5, &whole[5..10]).await;
        assert_eq!(early.status, 416, "{method}");
        assert_eq!(offset(&registry, &location).await, 0);
    }
    chunk(&registry, "PATCH", &location, 0, &whole[..300_000]).await;
    for method in ["PATCH", "PUT"] {
        for start in [0, 299_999, 300_001] {
            let wrong = chunk(&registry, method, &closing, start, &whole[start..]).await;
            assert_eq!(wrong.status, 416, "{method} {start}");
            assert_eq!(wrong.header("range"), "0-299999");
            assert_eq!(wrong.header("location"), location);
        }
    }
    let rest = chunk(&registry, "PUT", &closing, 300_000, &whole[300_000..]).await;
    assert_eq!(rest.status, 201, "{}", rest.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_chunk_may_follow_a_refused_one_at_once() {
    let registry = Registry::start().await;
    for _ in 0..50 {
        let location = registry.open_upload("app").await;
        let early = chunk(&registry, "PATCH", &location, 5, b"56789").await;
        assert_eq!(early.status, 416);
        let right = chunk(&registry, "PATCH", &location, 0, b"01234").await;
        assert_eq!(right.status, 202, "{}", right.text());
    }
}

#[tokio::test]
async fn a_stream_that_is_not_as_long_as_its_range_is_forgotten() {
    let registry = Registry::start().await;
    let location = registry.open_upload("app").await;
    chunk(&registry, "PATCH", &location, 0, b"01234").await;
    let body = reqwest::Body::wrap_stream(futures_util::stream::iter([Ok::<_, std::io::Error>(
        bytes::Bytes::from_static(b"567"),
    )]));
    let request = registry.request("PATCH", &location);
    let request = request.header("content-range", "5-9").body(body);
    let answer = crate::registry::Answer::of(request).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (400, "BLOB_UPLOAD_INVALID")
    );
    assert_eq!(offset(&registry, &location).await, 5);
}

#[tokio::test]
async fn other_bytes_than_the_digest_says_leave_nothing_in_any_style() {
    let digest = Digest::of(b"other");
    for bytes in [b"bytes".to_vec(), large()] {
        for style in ["post", "put", "patch", "chunks"] {
            let registry = Registry::start().await;
            let location = registry.open_upload("app").await;
            let closing = with_digest(&location, &digest);
            let refused = match style {
                "post" => {
                    let path = format!("/v2/app/blobs/uploads/?digest={digest}");
                    registry.send("POST", &path, bytes.clone()).await
                }
                "put" => registry.send("PUT", &closing, bytes.clone()).await,
                "patch" => {
                    registry.send("PATCH", &location, bytes.clone()).await;
                    registry.send("PUT", &closing, "").await
                }
                _ => {
                    chunk(&registry, "PATCH", &location, 0, &bytes[..3]).await;
                    chunk(&registry, "PUT", &closing, 3, &bytes[3..]).await
                }
            };
            assert_eq!(refused.status, 400, "{style}");
            assert_eq!(refused.code(), "DIGEST_INVALID", "{style}");
            for digest in [&digest, &Digest::of(&bytes)] {
                let path = format!("/v2/app/blobs/{digest}");
                assert_eq!(registry.get(&path).await.status, 404, "{style}");
            }
            if style != "post" {
                let status = registry.get(&location).await;
                assert_eq!(status.code(), "BLOB_UPLOAD_UNKNOWN", "{style}");
            }
            assert_eq!(files(&registry.store()), Vec::<PathBuf>::new(), "{style}");
        }
    }
}

#[tokio::test]
async fn a_cancelled_or_complete_upload_is_unknown() {
    let registry = Registry::start().await;
    for bytes in [b"bytes".to_vec(), large()] {
        let cancelled = registry.open_upload("app").await;
        registry.send("PATCH", &cancelled, bytes.clone()).await;
        assert_eq!(registry.send("DELETE", &cancelled, "").await.status, 204);
        let complete = registry.open_upload("app").await;
        let closing = with_digest(&complete, &Digest::of(&bytes));
        assert_eq!(registry.send("PUT", &closing, bytes).await.status, 201);
        for location in [cancelled, complete] {
            for method in ["GET", "PATCH", "PUT", "DELETE"] {
                let path = with_digest(&location, &Digest::of(b"x"));
                let answer = registry.send(method, &path, "").await;
                assert_eq!(
                    (answer.status.as_u16(), answer.code().as_str()),
                    (404, "BLOB_UPLOAD_UNKNOWN"),
                    "{method}"
                );
            }
        }
    }
}

#[tokio::test]
async fn an_upload_of_another_repository_is_unknown_also_after_a_restart() {
    let registry = Registry::start().await;
    let location = registry.open_upload("team/app").await;
    registry.send("PATCH", &location, "secret").await;
    let policy = LoadedPolicy::load("preset:standard").unwrap();
    let registry = registry.restart_with(&policy).await;
    let other = location.replace("team/app", "team/other");
    let digest = Digest::of(b"secret");
    for method in ["GET", "PATCH", "PUT", "DELETE"] {
        let answer = registry
            .send(method, &with_digest(&other, &digest), "")
            .await;
        assert_eq!(answer.code(), "BLOB_UPLOAD_UNKNOWN", "{method}");
    }
    assert_eq!(offset(&registry, &location).await, 6);
}

#[tokio::test]
async fn a_forged_identifier_is_unknown() {
    let registry = Registry::start().await;
    let stranger = Registry::start().await;
    let location = registry.open_upload("app").await;
    let (start, id) = location.rsplit_once('/').unwrap();
    let forged = [
        stranger.open_upload("app").await,
        format!("{start}/{}", "0".repeat(id.len())),
        format!(
            "{start}/{}{}",
            if id.starts_with('f') { "0" } else { "f" },
            &id[1..]
        ),
        format!("{start}/{id}00"),
        format!("{start}/x"),
        format!("{start}/..%2F..%2Fetc%2Fpasswd"),
    ];
    for location in forged {
        for method in ["GET", "PATCH", "DELETE"] {
            let answer = registry.send(method, &location, "").await;
            assert_eq!(
                (answer.status.as_u16(), answer.code().as_str()),
                (404, "BLOB_UPLOAD_UNKNOWN"),
                "{method} {location}"
            );
        }
    }
    assert_eq!(offset(&registry, &location).await, 0);
}
