//! Pulling: what was stored comes back as it was, and what was not does not.

use serde_json::json;
use wasmport_artifact::{Digest, media_type};

use crate::artifact::{Artifact, hello};
use crate::registry::{Answer, Registry};

#[tokio::test]
async fn the_base_says_that_this_is_a_registry() {
    let registry = Registry::start().await;
    for path in ["/v2", "/v2/"] {
        let answer = registry.get(path).await;
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.header("docker-distribution-api-version"),
            "registry/2.0"
        );
    }
}

#[tokio::test]
async fn a_manifest_comes_back_byte_for_byte_by_tag_and_by_digest() {
    let registry = Registry::start().await;
    let artifact = hello();
    let pushed = registry.push("team/app", "1.0", &artifact).await;
    assert_eq!(pushed.status, 201, "{}", pushed.text());
    let location = pushed.header("location");
    for path in ["/v2/team/app/manifests/1.0", location] {
        let answer = registry.get(path).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.body, artifact.manifest);
        assert_eq!(answer.header("content-type"), media_type::IMAGE_MANIFEST);
        assert_eq!(
            answer.header("docker-content-digest"),
            artifact.digest().as_str()
        );
        let head = registry.head(path).await;
        assert_eq!(head.status, 200);
        assert_eq!(head.length(), artifact.manifest.len() as u64);
        assert_eq!(
            head.header("docker-content-digest"),
            artifact.digest().as_str()
        );
        assert!(head.body.is_empty());
    }
}

#[tokio::test]
async fn a_manifest_of_an_unknown_type_keeps_its_bytes_and_its_type() {
    let registry = Registry::start().await;
    let bytes = br#"{ "schemaVersion": 2,  "x": [1, {"y": null}] }"#;
    let kind = "application/vnd.acme.thing.v1+json";
    let pushed = registry.put_manifest("app", "odd", kind, bytes).await;
    assert_eq!(pushed.status, 201, "{}", pushed.text());
    let answer = registry.get("/v2/app/manifests/odd").await;
    assert_eq!(answer.body, bytes);
    assert_eq!(answer.header("content-type"), kind);
}

#[tokio::test]
async fn a_large_blob_is_streamed_whole_and_in_parts() {
    let registry = Registry::start().await;
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let digest = registry.push_blob("app", &bytes).await;
    let path = format!("/v2/app/blobs/{digest}");
    let whole = registry.get(&path).await;
    assert_eq!(whole.status, 200);
    assert!(whole.body == bytes);
    let head = registry.head(&path).await;
    assert_eq!(head.length(), 3_000_000);
    for (range, expected) in [
        ("bytes=500-1499", 500..1500),
        ("bytes=2999000-", 2_999_000..3_000_000),
        ("bytes=-500", 2_999_500..3_000_000),
        ("bytes=2000000-9000000", 2_000_000..3_000_000),
    ] {
        let part = Answer::of(registry.request("GET", &path).header("range", range)).await;
        assert_eq!(part.status, 206, "{range}");
        let content_range = format!("bytes {}-{}/3000000", expected.start, expected.end - 1);
        assert_eq!(part.header("content-range"), content_range);
        assert!(part.body == bytes[expected], "{range}");
    }
    for range in ["bytes=500-0", "bytes=3000000-3000001"] {
        let none = Answer::of(registry.request("GET", &path).header("range", range)).await;
        assert_eq!(none.status, 416, "{range}");
    }
}

#[tokio::test]
async fn what_is_not_there_has_the_code_of_what_it_is() {
    let registry = Registry::start().await;
    let digest = Digest::of(b"nothing");
    for (path, code) in [
        (format!("/v2/app/blobs/{digest}"), "BLOB_UNKNOWN"),
        (format!("/v2/app/manifests/{digest}"), "MANIFEST_UNKNOWN"),
        ("/v2/app/manifests/latest".to_owned(), "MANIFEST_UNKNOWN"),
        ("/v2/app/tags/list".to_owned(), "NAME_UNKNOWN"),
        ("/v2/app/blobs/uploads/7f".to_owned(), "BLOB_UPLOAD_UNKNOWN"),
        ("/v2/app".to_owned(), "UNSUPPORTED"),
    ] {
        let answer = registry.get(&path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (404, code),
            "{path}"
        );
    }
}

#[tokio::test]
async fn what_is_malformed_is_a_bad_request() {
    let registry = Registry::start().await;
    for (path, code) in [
        ("/v2/app/blobs/sha256:baddigeststring", "DIGEST_INVALID"),
        ("/v2/app/manifests/sha256:baddigeststring", "DIGEST_INVALID"),
        ("/v2/app/referrers/sha256:baddigeststring", "DIGEST_INVALID"),
        ("/v2/App/tags/list", "NAME_INVALID"),
        ("/v2/app/tags/list?n=all", "UNSUPPORTED"),
    ] {
        let answer = registry.get(path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (400, code),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_blob_can_be_read_only_in_repositories_that_have_it() {
    let registry = Registry::start().await;
    let digest = registry.push_blob("mine", b"secret").await;
    let answer = registry.get(&format!("/v2/mine/blobs/{digest}")).await;
    assert_eq!(answer.body, b"secret");
    let answer = registry.get(&format!("/v2/yours/blobs/{digest}")).await;
    assert_eq!(answer.code(), "BLOB_UNKNOWN");
}

#[tokio::test]
async fn a_method_that_an_endpoint_does_not_have_is_named() {
    let registry = Registry::start().await;
    let artifact = Artifact::other(b"x", None, None);
    registry.push("app", "1.0", &artifact).await;
    for (method, path) in [("POST", "/v2/app/manifests/1.0"), ("PUT", "/v2/")] {
        let answer = registry.send(method, path, "").await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (405, "UNSUPPORTED")
        );
        assert!(answer.has_header("allow"));
    }
}

#[tokio::test]
async fn wkg_finds_the_registry_by_the_name_that_it_called() {
    let registry = Registry::start().await;
    let request = registry.request("GET", "/.well-known/wasm-pkg/registry.json");
    let answer = Answer::of(request.header("host", "wasm.example:8443")).await;
    let expected = json!({
        "preferredProtocol": "oci",
        "oci": { "registry": "wasm.example:8443" },
    });
    assert_eq!(answer.json(), expected);
}

#[tokio::test]
async fn what_watches_the_registry_gets_an_answer() {
    let registry = Registry::start().await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(registry.get(path).await.status, 200);
    }
}
