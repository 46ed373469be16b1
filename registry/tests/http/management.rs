//! Content management: what is deleted is gone at once, and nothing else is.

use serde_json::json;
use wasmport_artifact::{Descriptor, Digest, media_type};

use crate::artifact::{Artifact, hello, hello_again};
use crate::registry::Registry;
use crate::signatures::{key, push_bundle, signed_by};

async fn delete(registry: &Registry, path: &str) -> (u16, String) {
    let answer = registry.send("DELETE", path, "").await;
    let code = match answer.status.as_u16() {
        202 => String::new(),
        _ => answer.code(),
    };
    (answer.status.as_u16(), code)
}

async fn status(registry: &Registry, path: &str) -> u16 {
    let head = registry.head(path).await.status;
    assert_eq!(head, registry.get(path).await.status);
    head.as_u16()
}

#[tokio::test]
async fn a_deleted_tag_is_gone_and_its_manifest_and_other_tags_stay() {
    let registry = Registry::start().await;
    let artifact = hello();
    registry.push("app", "1.0", &artifact).await;
    registry.push("app", "latest", &artifact).await;
    assert_eq!(delete(&registry, "/v2/app/manifests/1.0").await.0, 202);
    assert_eq!(status(&registry, "/v2/app/manifests/1.0").await, 404);
    assert_eq!(status(&registry, "/v2/app/manifests/latest").await, 200);
    let by_digest = format!("/v2/app/manifests/{}", artifact.digest());
    assert_eq!(status(&registry, &by_digest).await, 200);
    let tags = registry.get("/v2/app/tags/list").await.json();
    assert_eq!(tags["tags"], json!(["latest"]));
}

#[tokio::test]
async fn a_deleted_manifest_takes_its_tags_and_its_place_among_referrers_along() {
    let registry = Registry::start().await;
    let subject = hello();
    let referrer = Artifact::other(b"words", Some(subject.descriptor()), Some("text/words"));
    for tag in ["a", "b"] {
        registry.push("app", tag, &referrer).await;
    }
    registry.push("app", "c", &subject).await;
    let by_digest = format!("/v2/app/manifests/{}", referrer.digest());
    assert_eq!(delete(&registry, &by_digest).await.0, 202);
    for path in ["/v2/app/manifests/a", "/v2/app/manifests/b", &by_digest] {
        assert_eq!(status(&registry, path).await, 404, "{path}");
    }
    let referrers = format!("/v2/app/referrers/{}", subject.digest());
    assert_eq!(
        registry.get(&referrers).await.json()["manifests"],
        json!([])
    );
    let tags = registry.get("/v2/app/tags/list").await.json();
    assert_eq!(tags["tags"], json!(["c"]));
}

#[tokio::test]
async fn what_is_not_there_cannot_be_deleted() {
    let registry = Registry::start().await;
    registry.push("app", "1.0", &hello()).await;
    let digest = Digest::of(b"nothing");
    let unknown = |code: &str| (404, code.to_owned());
    for (path, code) in [
        ("/v2/app/manifests/2.0".to_owned(), "MANIFEST_UNKNOWN"),
        (format!("/v2/app/manifests/{digest}"), "MANIFEST_UNKNOWN"),
        (format!("/v2/app/blobs/{digest}"), "BLOB_UNKNOWN"),
        ("/v2/app/blobs/uploads/7f".to_owned(), "BLOB_UPLOAD_UNKNOWN"),
    ] {
        assert_eq!(delete(&registry, &path).await, unknown(code), "{path}");
    }
    let bad = "/v2/app/blobs/sha256:baddigeststring";
    assert_eq!(
        delete(&registry, bad).await,
        (400, "DIGEST_INVALID".to_owned())
    );
    // The same is true the second time.
    assert_eq!(delete(&registry, "/v2/app/manifests/1.0").await.0, 202);
    assert_eq!(delete(&registry, "/v2/app/manifests/1.0").await.0, 404);
}

#[tokio::test]
async fn a_blob_that_a_manifest_needs_stays_until_the_manifest_is_deleted() {
    let registry = Registry::start().await;
    let (one, two) = (hello(), hello_again());
    registry.push("app", "1.0", &one).await;
    registry.push("app", "2.0", &two).await;
    let layer = format!("/v2/app/blobs/{}", Digest::of(one.layer()));
    assert_eq!(delete(&registry, &layer).await, (405, "DENIED".to_owned()));
    assert_eq!(status(&registry, &layer).await, 200);
    let by_digest = format!("/v2/app/manifests/{}", one.digest());
    assert_eq!(delete(&registry, &by_digest).await.0, 202);
    assert_eq!(delete(&registry, &layer).await.0, 202);
    assert_eq!(status(&registry, &layer).await, 404);
    let other = format!("/v2/app/blobs/{}", Digest::of(two.layer()));
    assert_eq!(status(&registry, &other).await, 200);
}

#[tokio::test]
async fn a_blob_is_deleted_from_one_repository_and_not_from_another() {
    let registry = Registry::start().await;
    let digest = registry.push_blob("mine", b"bytes").await;
    registry.push_blob("yours", b"bytes").await;
    assert_eq!(
        delete(&registry, &format!("/v2/mine/blobs/{digest}"))
            .await
            .0,
        202
    );
    assert_eq!(
        status(&registry, &format!("/v2/mine/blobs/{digest}")).await,
        404
    );
    assert_eq!(
        status(&registry, &format!("/v2/yours/blobs/{digest}")).await,
        200
    );
}

#[tokio::test]
async fn what_was_deleted_can_be_pushed_again() {
    let registry = Registry::start().await;
    let artifact = hello();
    registry.push("app", "1.0", &artifact).await;
    let by_digest = format!("/v2/app/manifests/{}", artifact.digest());
    delete(&registry, &by_digest).await;
    for blob in &artifact.blobs {
        let path = format!("/v2/app/blobs/{}", Digest::of(blob));
        assert_eq!(delete(&registry, &path).await.0, 202);
    }
    assert_eq!(registry.push("app", "1.0", &artifact).await.status, 201);
    assert_eq!(status(&registry, "/v2/app/manifests/1.0").await, 200);
}

#[tokio::test]
async fn an_index_stays_when_a_manifest_that_it_names_is_deleted() {
    let registry = Registry::start().await;
    let artifact = hello();
    registry.push("app", "1.0", &artifact).await;
    let index = json!({
        "schemaVersion": 2,
        "mediaType": media_type::IMAGE_INDEX,
        "manifests": [Descriptor::of(media_type::IMAGE_MANIFEST, &artifact.manifest)],
    });
    let bytes = index.to_string().into_bytes();
    registry
        .put_manifest("app", "all", media_type::IMAGE_INDEX, &bytes)
        .await;
    let by_digest = format!("/v2/app/manifests/{}", artifact.digest());
    assert_eq!(delete(&registry, &by_digest).await.0, 202);
    assert_eq!(registry.get("/v2/app/manifests/all").await.body, bytes);
}

#[tokio::test]
async fn deleting_a_signature_closes_what_it_had_opened() {
    let key = key();
    let registry = Registry::start_with(&signed_by(&key)).await;
    let artifact = hello();
    registry.push("app", "1.0", &artifact).await;
    let signature = push_bundle(&registry, "app", &artifact, &key).await;
    assert_eq!(status(&registry, "/v2/app/manifests/1.0").await, 200);
    let path = signature.header("location").to_owned();
    assert_eq!(delete(&registry, &path).await.0, 202);
    // Who may push is told why by a GET; a HEAD says that it may be pushed.
    let tag = "/v2/app/manifests/1.0";
    assert_eq!(registry.get(tag).await.status, 403);
    assert_eq!(registry.head(tag).await.status, 404);
}

#[tokio::test]
async fn a_held_manifest_that_is_deleted_never_gets_its_tag() {
    let key = key();
    let registry = Registry::start_with(&signed_by(&key)).await;
    let artifact = hello();
    registry.push("app", "1.0", &artifact).await;
    let path = format!("/v2/app/manifests/{}", artifact.digest());
    assert_eq!(delete(&registry, &path).await.0, 202);
    push_bundle(&registry, "app", &artifact, &key).await;
    assert_eq!(status(&registry, "/v2/app/manifests/1.0").await, 404);
}

#[tokio::test]
async fn a_tag_that_is_deleted_while_its_manifest_is_held_stays_away() {
    let key = key();
    let registry = Registry::start_with(&signed_by(&key)).await;
    let artifact = hello();
    registry.push("app", "1.0", &artifact).await;
    assert_eq!(delete(&registry, "/v2/app/manifests/1.0").await.0, 202);
    push_bundle(&registry, "app", &artifact, &key).await;
    assert_eq!(status(&registry, "/v2/app/manifests/1.0").await, 404);
}
