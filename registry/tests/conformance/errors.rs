//! What is not there, and what is malformed.

use serde_json::json;
use wasmport_artifact::{Digest, media_type};

use crate::client::{Client, REPOSITORY, answer};
use crate::data::{Set, Shape};
use crate::uploads::{STYLES, upload};

#[tokio::test]
async fn a_registry_answers_before_anything_was_pushed() {
    let client = Client::start().await;
    client.send("GET", "/v2/").await.expect(200);
    let tags = format!("/v2/{REPOSITORY}/tags/list");
    client
        .send("GET", &tags)
        .await
        .expect_code(404, "NAME_UNKNOWN");
    let referrers = format!("/v2/{REPOSITORY}/referrers/{}", Digest::of(b"nobody"));
    let answer = client.send("GET", &referrers).await.expect(200);
    assert_eq!(answer.header("content-type"), media_type::IMAGE_INDEX);
    let expected = json!({
        "schemaVersion": 2, "mediaType": media_type::IMAGE_INDEX, "manifests": [],
    });
    assert_eq!(answer.json(), expected);
}

#[tokio::test]
async fn a_manifest_that_is_not_there_is_unknown() {
    let client = Client::start().await;
    for reference in [Digest::of(b"nothing").to_string(), "missing-tag".to_owned()] {
        let path = format!("/v2/{REPOSITORY}/manifests/{reference}");
        client.send("HEAD", &path).await.expect(404);
        let answer = client.send("GET", &path).await;
        answer.expect_code(404, "MANIFEST_UNKNOWN");
    }
}

#[tokio::test]
async fn a_malformed_digest_is_a_bad_request() {
    let client = Client::start().await;
    let mut set = Set::new("invalid-digest-format");
    set.image(&Shape::default());
    for ((digest, bytes), style) in set.blobs.iter().zip(STYLES) {
        upload(&client, REPOSITORY, bytes, digest, style)
            .await
            .expect(201);
    }
    let path = format!("/v2/{REPOSITORY}/manifests/sha256:baddigeststring");
    let put = client
        .request("PUT", &path)
        .header("content-type", media_type::IMAGE_MANIFEST)
        .body(set.manifests[0].1.clone());
    answer(put).await.expect_code(400, "DIGEST_INVALID");
    let got = client.send("GET", &path).await;
    got.expect_code(400, "DIGEST_INVALID");
    let referrers = format!("/v2/{REPOSITORY}/referrers/sha256:baddigeststring");
    let got = client.send("GET", &referrers).await;
    got.expect_code(400, "DIGEST_INVALID");
}

#[tokio::test]
async fn a_manifest_with_another_digest_is_refused() {
    let client = Client::start().await;
    let mut set = Set::new("bad-digest-image");
    set.image(&Shape::default());
    for (digest, bytes) in &set.blobs {
        upload(&client, REPOSITORY, bytes, digest, STYLES[0])
            .await
            .expect(201);
    }
    let (digest, bytes) = &set.manifests[0];
    let path = format!("/v2/{REPOSITORY}/manifests/{digest}");
    let put = client
        .request("PUT", &path)
        .header("content-type", media_type::IMAGE_MANIFEST)
        .body([bytes, &b"  "[..]].concat());
    answer(put).await.expect_code(400, "DIGEST_INVALID");
    client.expect_gone(&path).await;
}
