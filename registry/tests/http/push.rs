//! Pushing: manifests, and what is refused of them.

mod blobs;
mod full_disk;

use std::sync::Arc;

use wasmport_artifact::{Algorithm, Descriptor, Digest, ImageManifest, limits, media_type};

use crate::artifact::{Artifact, hello};
use crate::registry::Registry;

/// More than what is kept in the records, and in memory until it is complete.
const LARGE: &[u8] = &[7; 300 * 1024];

#[tokio::test]
async fn a_manifest_that_was_pushed_by_sha512_answers_with_sha512() {
    let registry = Registry::start().await;
    let artifact = hello();
    for blob in &artifact.blobs {
        registry.push_blob("app", blob).await;
    }
    let digest = Digest::with(Algorithm::Sha512, &artifact.manifest);
    let kind = media_type::IMAGE_MANIFEST;
    let answer = registry
        .put_manifest("app", digest.as_str(), kind, &artifact.manifest)
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let pulled = registry.get(&format!("/v2/app/manifests/{digest}")).await;
    assert_eq!(pulled.header("docker-content-digest"), digest.as_str());
    assert_eq!(pulled.body, artifact.manifest);
}

#[tokio::test]
async fn a_manifest_must_be_what_its_digest_says() {
    let registry = Registry::start().await;
    let artifact = hello();
    let digest = Digest::of(b"another manifest");
    let kind = media_type::IMAGE_MANIFEST;
    for reference in [digest.as_str(), "sha256:baddigeststring"] {
        let answer = registry
            .put_manifest("app", reference, kind, &artifact.manifest)
            .await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (400, "DIGEST_INVALID")
        );
    }
}

#[tokio::test]
async fn what_is_no_manifest_is_refused() {
    let registry = Registry::start().await;
    for (kind, body) in [
        (media_type::IMAGE_MANIFEST, "no JSON"),
        (media_type::IMAGE_MANIFEST, r#"{"schemaVersion":1}"#),
        (media_type::IMAGE_MANIFEST, r#"{"schemaVersion":2}"#),
        (
            media_type::IMAGE_INDEX,
            r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json"}"#,
        ),
    ] {
        let answer = registry
            .put_manifest("app", "1.0", kind, body.as_bytes())
            .await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (400, "MANIFEST_INVALID")
        );
    }
}

#[tokio::test]
async fn a_manifest_may_have_four_mebibytes_and_not_one_byte_more() {
    let registry = Registry::start().await;
    let sized = |size: usize| {
        let mut text = r#"{"schemaVersion":2,"x":""#.to_owned();
        text.push_str(&"x".repeat(size - text.len() - 2));
        text + "\"}"
    };
    let kind = "application/vnd.acme+json";
    let largest = sized(limits::MANIFEST_BYTES);
    let answer = registry
        .put_manifest("app", "1.0", kind, largest.as_bytes())
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let larger = sized(limits::MANIFEST_BYTES + 1);
    let answer = registry
        .put_manifest("app", "1.0", kind, larger.as_bytes())
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (413, "MANIFEST_INVALID")
    );
}

#[tokio::test]
async fn a_manifest_needs_its_blobs_in_its_own_repository() {
    let registry = Registry::start().await;
    let artifact = hello();
    registry.push("other", "1.0", &artifact).await;
    let kind = media_type::IMAGE_MANIFEST;
    let answer = registry
        .put_manifest("app", "1.0", kind, &artifact.manifest)
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (404, "MANIFEST_BLOB_UNKNOWN")
    );
    assert_eq!(registry.get("/v2/app/manifests/1.0").await.status, 404);
}

#[tokio::test]
async fn a_layer_that_may_not_be_distributed_may_be_absent() {
    let registry = Registry::start().await;
    registry.push_blob("app", b"{}").await;
    let absent = Descriptor::of(
        "application/vnd.oci.image.layer.nondistributable.v1.tar",
        b"x",
    );
    let config = Descriptor::of(media_type::IMAGE_CONFIG, b"{}");
    let bytes = ImageManifest::new(config, vec![absent]).to_bytes();
    let kind = media_type::IMAGE_MANIFEST;
    let answer = registry.put_manifest("app", "1.0", kind, &bytes).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
}

#[tokio::test]
async fn a_blob_must_have_the_size_that_the_manifest_says() {
    let registry = Registry::start().await;
    let mut artifact = Artifact::other(b"12345", None, None);
    let text = String::from_utf8(artifact.manifest).unwrap();
    artifact.manifest = text.replace("\"size\":5", "\"size\":6").into_bytes();
    let answer = registry.push("app", "1.0", &artifact).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (400, "SIZE_INVALID")
    );
}

#[tokio::test]
async fn an_index_may_name_manifests_that_are_not_there_yet() {
    let registry = Registry::start().await;
    let entry = serde_json::to_value(hello().descriptor()).unwrap();
    let index = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": media_type::IMAGE_INDEX,
        "manifests": [entry],
    });
    let bytes = index.to_string().into_bytes();
    let answer = registry
        .put_manifest("app", "all", media_type::IMAGE_INDEX, &bytes)
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text());
}

#[tokio::test]
async fn many_pushes_at_once_all_arrive() {
    let registry = Arc::new(Registry::start().await);
    let pushes = (0..16).map(|number: u8| {
        let registry = Arc::clone(&registry);
        tokio::spawn(async move {
            let artifact = Artifact::other(&[number], None, None);
            registry
                .push("app", &format!("v{number:02}"), &artifact)
                .await
                .status
        })
    });
    for push in futures_util::future::join_all(pushes).await {
        assert_eq!(push.unwrap(), 201);
    }
    let tags = registry.get("/v2/app/tags/list").await.json();
    assert_eq!(tags["tags"].as_array().unwrap().len(), 16);
}
