//! Manifests of every shape, and the tags that come with them.

use serde_json::{Value, json};
use wasmport_artifact::{Algorithm, Descriptor, Digest, media_type};
use wasmport_registry::ApiSettings;
use wasmport_registry::settings::ByteSize;

use crate::artifact::{Artifact, hello, wasm};
use crate::registry::{Answer, Registry};

const IMAGE: &str = media_type::IMAGE_MANIFEST;
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

async fn put(registry: &Registry, reference: &str, manifest: &Value) -> Answer {
    let kind = manifest["mediaType"].as_str().unwrap().to_owned();
    let bytes = manifest.to_string().into_bytes();
    registry.put_manifest("app", reference, &kind, &bytes).await
}

fn image(layers: &[Descriptor]) -> Value {
    json!({
        "schemaVersion": 2,
        "mediaType": IMAGE,
        "config": Descriptor::of(media_type::IMAGE_CONFIG, b"{}"),
        "layers": layers,
    })
}

#[tokio::test]
async fn a_push_by_digest_sets_the_tags_of_its_query_at_once() {
    let registry = Registry::start().await;
    let artifact = hello();
    for blob in &artifact.blobs {
        registry.push_blob("app", blob).await;
    }
    let digest = Digest::with(Algorithm::Sha512, &artifact.manifest);
    let tags: Vec<String> = (0..10).map(|n| format!("v{n}")).collect();
    let query = tags.join("&tag=");
    let reference = format!("{digest}?tag={query}");
    let answer = registry
        .put_manifest("app", &reference, IMAGE, &artifact.manifest)
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.all("oci-tag"), tags);
    assert_eq!(answer.header("docker-content-digest"), digest.as_str());
    for tag in &tags {
        let found = registry.get(&format!("/v2/app/manifests/{tag}")).await;
        assert_eq!(found.body, artifact.manifest);
        assert_eq!(found.header("docker-content-digest"), digest.as_str());
    }
}

#[tokio::test]
async fn tags_of_the_query_are_checked_before_anything_is_stored() {
    let registry = Registry::start().await;
    registry.push_blob("app", b"{}").await;
    let manifest = image(&[]);
    let digest = Digest::of(manifest.to_string().as_bytes());
    let many: Vec<String> = (0..33).map(|n| format!("tag=v{n}")).collect();
    let many = many.join("&");
    for (query, status) in [("tag=1.0&tag=-x", 400), (many.as_str(), 414)] {
        let answer = put(&registry, &format!("{digest}?{query}"), &manifest).await;
        assert_eq!(answer.status, status);
    }
    let path = format!("/v2/app/manifests/{digest}");
    assert_eq!(registry.get(&path).await.status, 404);
}

#[tokio::test]
async fn an_image_without_all_its_blobs_is_taken_and_still_inspected_later() {
    let registry = Registry::start().await;
    registry.push_blob("app", b"{}").await;
    let layer = wasm("(module)");
    let disguised = Descriptor::of(LAYER, &layer);
    let sparse = image(std::slice::from_ref(&disguised));
    assert_eq!(put(&registry, "1.0", &sparse).await.status, 201);
    assert_eq!(registry.get("/v2/app/manifests/1.0").await.status, 200);
    // The layer comes, and is Wasm that is not said to be Wasm.
    registry.push_blob("app", &layer).await;
    assert_eq!(registry.get("/v2/app/manifests/1.0").await.status, 403);
    let blob = format!("/v2/app/blobs/{}", disguised.digest);
    assert_eq!(registry.get(&blob).await.status, 403);
}

#[tokio::test]
async fn a_sparse_image_can_be_refused_by_a_setting() {
    let settings = ApiSettings {
        sparse_manifests: false,
        ..ApiSettings::default()
    };
    let registry = Registry::with_api(settings).await;
    registry.push_blob("app", b"{}").await;
    let answer = put(&registry, "1.0", &image(&[Descriptor::of(LAYER, b"x")])).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (404, "MANIFEST_BLOB_UNKNOWN")
    );
}

#[tokio::test]
async fn larger_manifests_are_taken_where_the_settings_say_so() {
    let settings = ApiSettings {
        manifest_bytes: ByteSize::mib(6),
        chunk_min_bytes: Some(ByteSize::mib(1)),
        ..ApiSettings::default()
    };
    let registry = Registry::with_api(settings).await;
    registry.push_blob("app", b"{}").await;
    let mut manifest = image(&[]);
    manifest["annotations"] = json!({ "words": "x".repeat(5_000_000) });
    assert_eq!(put(&registry, "1.0", &manifest).await.status, 201);
    let found = registry.get("/v2/app/manifests/1.0").await;
    assert_eq!(found.body, manifest.to_string().into_bytes());
    manifest["annotations"] = json!({ "words": "x".repeat(7_000_000) });
    assert_eq!(put(&registry, "2.0", &manifest).await.status, 413);
    let upload = registry.send("POST", "/v2/app/blobs/uploads/", "").await;
    assert_eq!(upload.header("oci-chunk-min-length"), "1048576");
}

#[tokio::test]
async fn data_must_be_what_its_descriptor_says() {
    let registry = Registry::start().await;
    registry.push_blob("app", b"{}").await;
    let mut manifest = image(&[]);
    manifest["config"]["data"] = json!("e30=");
    assert_eq!(put(&registry, "1.0", &manifest).await.status, 201);
    manifest["config"]["data"] = json!("W10=");
    let answer = put(&registry, "1.0", &manifest).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (400, "MANIFEST_INVALID")
    );
}

#[tokio::test]
async fn a_content_type_that_the_body_contradicts_is_refused() {
    let registry = Registry::start().await;
    registry.push_blob("app", b"{}").await;
    let bytes = image(&[]).to_string().into_bytes();
    let kind = media_type::DOCKER_MANIFEST;
    let answer = registry.put_manifest("app", "1.0", kind, &bytes).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (400, "MANIFEST_INVALID")
    );
}

#[tokio::test]
async fn what_docker_pushes_is_taken_too() {
    let registry = Registry::start().await;
    let artifact = Artifact::other(b"layer", None, None);
    for blob in &artifact.blobs {
        registry.push_blob("app", blob).await;
    }
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": media_type::DOCKER_MANIFEST,
        "config": Descriptor::of("application/vnd.docker.container.image.v1+json", b"{}"),
        "layers": [
            Descriptor::of("application/vnd.docker.image.rootfs.diff.tar.gzip", b"layer"),
            Descriptor::of("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", b"far"),
        ],
    });
    assert_eq!(put(&registry, "image", &manifest).await.status, 201);
    let bytes = manifest.to_string().into_bytes();
    let list = json!({
        "schemaVersion": 2,
        "mediaType": media_type::DOCKER_MANIFEST_LIST,
        "manifests": [Descriptor::of(media_type::DOCKER_MANIFEST, &bytes)],
    });
    assert_eq!(put(&registry, "list", &list).await.status, 201);
    let found = registry.get("/v2/app/manifests/list").await;
    assert_eq!(
        found.header("content-type"),
        media_type::DOCKER_MANIFEST_LIST
    );
}

#[tokio::test]
async fn the_same_bytes_are_not_stored_as_something_else() {
    let registry = Registry::start().await;
    let bytes = br#"{"schemaVersion":2,"manifests":[]}"#;
    let digest = Digest::of(bytes).to_string();
    let kind = "application/vnd.oci.image.index.v1+json";
    let first = registry.put_manifest("app", "1", kind, bytes).await;
    assert_eq!(first.status, 201, "{}", first.text());
    let other = "application/vnd.docker.distribution.manifest.list.v2+json";
    let second = registry.put_manifest("app", &digest, other, bytes).await;
    assert_eq!(second.status, 409, "{}", second.text());
    let pulled = registry.get("/v2/app/manifests/1").await;
    assert_eq!(pulled.header("content-type"), kind);
}

#[tokio::test]
async fn wasm_hides_neither_in_a_config_nor_in_a_descriptor() {
    use base64::Engine as _;
    let registry = Registry::start().await;
    let wasm = b"\0asm\x01\0\0\0";
    let digest = registry.push_blob("app", wasm).await;
    let descriptor = |data: &str| {
        format!(r#"{{"mediaType":"application/x-data","digest":"{digest}","size":8{data}}}"#)
    };
    let manifest = |config: &str| {
        format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{config},"layers":[]}}"#
        )
    };
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let config = manifest(&descriptor(""));
    let refused = registry
        .put_manifest("app", "1", kind, config.as_bytes())
        .await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    let data = base64::engine::general_purpose::STANDARD.encode(wasm);
    let embedded = manifest(&descriptor(&format!(r#","data":"{data}""#)));
    let refused = registry
        .put_manifest("other", "1", kind, embedded.as_bytes())
        .await;
    assert_eq!(refused.status, 400, "{}", refused.text());
    assert_eq!(refused.code(), "MANIFEST_INVALID");
}
