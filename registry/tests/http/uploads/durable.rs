//! What was acknowledged stays.

use wasmport_artifact::Digest;
use wasmport_registry::LoadedPolicy;

use super::{both, chunk, cut_off, large, offset, with_digest};
use crate::registry::{Registry, files};

async fn restart(registry: Registry) -> Registry {
    let policy = LoadedPolicy::load("preset:standard").unwrap();
    registry.restart_with(&policy).await
}

#[tokio::test]
async fn an_upload_goes_on_after_a_restart_with_the_right_digest() {
    for whole in [b"0123456789".to_vec(), large()] {
        for digest in both(&whole) {
            let (first, second) = (whole.len() / 3, whole.len() / 2);
            let registry = Registry::start().await;
            let location = registry.open_upload("team/app").await;
            let registry = restart(registry).await;
            assert_eq!(offset(&registry, &location).await, 0);
            let answer = chunk(&registry, "PATCH", &location, 0, &whole[..first]).await;
            assert_eq!(answer.status, 202, "{}", answer.text());
            let registry = restart(registry).await;
            assert_eq!(offset(&registry, &location).await, first);
            let answer = chunk(&registry, "PATCH", &location, first, &whole[first..second]).await;
            assert_eq!(answer.status, 202, "{}", answer.text());
            let registry = restart(registry).await;
            let closing = with_digest(&location, &digest);
            let answer = chunk(&registry, "PUT", &closing, second, &whole[second..]).await;
            assert_eq!(answer.status, 201, "{}", answer.text());
            assert!(registry.get(answer.header("location")).await.body == whole);
            let stored = files(&registry.store());
            assert!(stored.iter().all(|path| !path.ends_with("uploads")));
            assert_eq!(stored.len(), usize::from(whole.len() > 100_000));
        }
    }
}

#[tokio::test]
async fn a_chunk_that_breaks_off_is_kept_as_far_as_it_came() {
    let whole = large();
    let registry = Registry::start().await;
    let location = registry.open_upload("app").await;
    chunk(&registry, "PATCH", &location, 0, &whole[..100_000]).await;
    cut_off(
        &registry,
        "PATCH",
        &location,
        600_000,
        &whole[100_000..500_000],
    )
    .await;
    let arrived = offset(&registry, &location).await;
    assert_eq!(arrived, 500_000);
    let registry = restart(registry).await;
    assert_eq!(offset(&registry, &location).await, arrived);
    let digest = Digest::of(&whole);
    let closing = with_digest(&location, &digest);
    cut_off(
        &registry,
        "PUT",
        &closing,
        200_000,
        &whole[500_000..600_000],
    )
    .await;
    assert_eq!(offset(&registry, &location).await, 600_000);
    let answer = chunk(&registry, "PUT", &closing, 600_000, &whole[600_000..]).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert!(registry.get(answer.header("location")).await.body == whole);
}

#[tokio::test]
async fn a_sha512_digest_needs_no_announcement_in_any_style() {
    for whole in [b"bytes".to_vec(), large()] {
        let [_, digest] = both(&whole);
        for style in ["post", "put", "patch", "hint"] {
            let registry = Registry::start().await;
            let answer = match style {
                "post" => {
                    let path = format!("/v2/app/blobs/uploads/?digest={digest}");
                    registry.send("POST", &path, whole.clone()).await
                }
                "put" => {
                    let location = registry.open_upload("app").await;
                    let closing = with_digest(&location, &digest);
                    registry.send("PUT", &closing, whole.clone()).await
                }
                _ => {
                    let hint = if style == "hint" {
                        "?digest-algorithm=sha512"
                    } else {
                        ""
                    };
                    let path = format!("/v2/app/blobs/uploads/{hint}");
                    let opened = registry.send("POST", &path, "").await;
                    let location = opened.header("location").to_owned();
                    registry.send("PATCH", &location, whole.clone()).await;
                    registry
                        .send("PUT", &with_digest(&location, &digest), "")
                        .await
                }
            };
            assert_eq!(answer.status, 201, "{style}: {}", answer.text());
            assert_eq!(answer.header("docker-content-digest"), digest.as_str());
            let stored = registry.get(answer.header("location")).await;
            assert!(stored.body == whole, "{style}");
        }
    }
}

#[tokio::test]
async fn an_empty_blob_comes_in_every_style() {
    let digest = Digest::of(b"");
    let registry = Registry::start().await;
    let post = format!("/v2/a/blobs/uploads/?digest={digest}");
    assert_eq!(registry.send("POST", &post, "").await.status, 201);
    let location = registry.open_upload("b").await;
    let closing = with_digest(&location, &digest);
    assert_eq!(registry.send("PUT", &closing, "").await.status, 201);
    let location = registry.open_upload("c").await;
    assert_eq!(registry.send("PATCH", &location, "").await.status, 202);
    let closing = with_digest(&location, &digest);
    assert_eq!(registry.send("PUT", &closing, "").await.status, 201);
    for repository in ["a", "b", "c"] {
        let path = format!("/v2/{repository}/blobs/{digest}");
        assert_eq!(registry.head(&path).await.length(), 0);
    }
}

#[tokio::test]
async fn of_two_that_send_the_same_chunk_one_is_told_so() {
    let registry = Registry::start().await;
    let location = registry.open_upload("app").await;
    let whole = large();
    let (one, other) = tokio::join!(
        chunk(&registry, "PATCH", &location, 0, &whole),
        chunk(&registry, "PATCH", &location, 0, &whole),
    );
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses[0], 202);
    assert!(matches!(statuses[1], 409 | 416), "{statuses:?}");
    assert_eq!(offset(&registry, &location).await, whole.len());
    let digest = Digest::of(&whole);
    let closing = with_digest(&location, &digest);
    assert_eq!(registry.send("PUT", &closing, "").await.status, 201);
}
