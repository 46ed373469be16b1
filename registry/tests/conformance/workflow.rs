//! Every data set through every API: pushed, listed, pulled, referred to and deleted.

use std::collections::BTreeSet;

use serde_json::Value;
use wasmport_artifact::Digest;

use crate::client::{Answer, Client, REPOSITORY, answer};
use crate::data::Set;
use crate::sets;
use crate::uploads::{STYLES, upload};

#[tokio::test]
async fn every_data_set_passes_every_api() {
    let client = Client::start().await;
    for set in sets::all() {
        push(&client, &set).await;
        list(&client, &set).await;
        pull(&client, &set).await;
        referrers(&client, &set).await;
        delete(&client, &set).await;
    }
    let left = client.send("GET", "/v2/_catalog").await.expect(200);
    assert_eq!(left.json()["repositories"], serde_json::json!([]));
}

#[tokio::test]
async fn data_sets_do_not_disturb_each_other() {
    let client = Client::start().await;
    let sets = sets::all();
    for set in &sets {
        push(&client, set).await;
    }
    for set in &sets {
        // Tags that several sets have point to what was pushed last.
        for (digest, _) in &set.manifests {
            client
                .send("HEAD", &manifest_path(digest.as_str()))
                .await
                .expect(200);
        }
        referrers(&client, set).await;
    }
}

fn manifest_path(reference: &str) -> String {
    format!("/v2/{REPOSITORY}/manifests/{reference}")
}

fn media_type(manifest: &[u8]) -> String {
    let manifest: Value = serde_json::from_slice(manifest).unwrap();
    manifest["mediaType"].as_str().unwrap().to_owned()
}

fn manifest<'a>(set: &'a Set, digest: &Digest) -> &'a [u8] {
    let found = set.manifests.iter().find(|(known, _)| known == digest);
    &found.unwrap().1
}

async fn push(client: &Client, set: &Set) {
    for ((digest, bytes), style) in set.blobs.iter().zip(STYLES.into_iter().cycle()) {
        let created = upload(client, REPOSITORY, bytes, digest, style).await;
        let created = created.expect(201);
        assert_eq!(created.header("docker-content-digest"), digest.as_str());
        client.expect_location(&created, bytes).await;
    }
    for (digest, bytes) in &set.manifests {
        let tags: Vec<&String> = if set.by_parameter {
            let tags = set.tags.iter().filter(|(_, target)| *target == digest);
            tags.map(|(tag, _)| tag).collect()
        } else {
            Vec::new()
        };
        let query: Vec<String> = tags.iter().map(|tag| format!("tag={tag}")).collect();
        let path = manifest_path(&format!("{digest}?{}", query.join("&")));
        let created = put_manifest(client, &path, bytes, digest).await;
        let accepted: BTreeSet<&str> = created
            .headers
            .get_all("oci-tag")
            .iter()
            .map(|tag| tag.to_str().unwrap())
            .collect();
        let expected: BTreeSet<&str> = tags.into_iter().map(String::as_str).collect();
        assert_eq!(accepted, expected);
    }
    if !set.by_parameter {
        for (tag, digest) in &set.tags {
            let bytes = manifest(set, digest);
            put_manifest(client, &manifest_path(tag), bytes, digest).await;
        }
    }
}

async fn put_manifest(client: &Client, path: &str, bytes: &[u8], digest: &Digest) -> Answer {
    let kind = media_type(bytes);
    let put = client
        .request("PUT", path)
        .header("content-type", &kind)
        .body(bytes.to_vec());
    let created = answer(put).await.expect(201);
    assert_eq!(created.header("docker-content-digest"), digest.as_str());
    let body: Value = serde_json::from_slice(bytes).unwrap();
    match body["subject"]["digest"].as_str() {
        Some(subject) => assert_eq!(created.header("oci-subject"), subject),
        None => assert!(!created.headers.contains_key("oci-subject")),
    }
    let location = created.header("location");
    client
        .expect_content(location, bytes, Some(&kind), digest)
        .await;
    created
}

async fn list(client: &Client, set: &Set) {
    let path = format!("/v2/{REPOSITORY}/tags/list");
    let tags = listed(client, &path).await;
    assert!(tags.is_sorted());
    for tag in set.tags.keys() {
        assert!(tags.contains(tag), "{tag}");
    }
    for (n, last) in tags.iter().enumerate() {
        let rest = listed(client, &format!("{path}?last={last}")).await;
        assert_eq!(rest, tags[n + 1..]);
        let first = listed(client, &format!("{path}?n={n}")).await;
        assert_eq!(first, tags[..n]);
    }
}

async fn listed(client: &Client, path: &str) -> Vec<String> {
    let answer = client.send("GET", path).await.expect(200);
    let body = answer.json();
    assert_eq!(body["name"], REPOSITORY);
    serde_json::from_value(body["tags"].clone()).unwrap()
}

async fn pull(client: &Client, set: &Set) {
    for (tag, digest) in &set.tags {
        let bytes = manifest(set, digest);
        let kind = media_type(bytes);
        client
            .expect_content(&manifest_path(tag), bytes, Some(&kind), digest)
            .await;
    }
    for (digest, bytes) in &set.manifests {
        let kind = media_type(bytes);
        client
            .expect_content(&manifest_path(digest.as_str()), bytes, Some(&kind), digest)
            .await;
    }
    for (digest, bytes) in &set.blobs {
        let path = format!("/v2/{REPOSITORY}/blobs/{digest}");
        client.expect_content(&path, bytes, None, digest).await;
    }
}

async fn referrers(client: &Client, set: &Set) {
    for (subject, expected) in &set.referrers {
        let path = format!("/v2/{REPOSITORY}/referrers/{subject}");
        expect_referrers(client, &path, expected.iter().collect(), false).await;
        let kinds: BTreeSet<&str> = expected
            .iter()
            .filter_map(|referrer| referrer["artifactType"].as_str())
            .collect();
        for kind in kinds {
            let wanted = expected.iter().filter(|one| one["artifactType"] == kind);
            let path = format!("{path}?artifactType={kind}").replace('+', "%2B");
            expect_referrers(client, &path, wanted.collect(), true).await;
        }
    }
}

/// These and no others, in whatever order.
async fn expect_referrers(client: &Client, path: &str, wanted: Vec<&Value>, is_filtered: bool) {
    let answer = client.send("GET", path).await.expect(200);
    assert_eq!(
        answer.header("content-type"),
        wasmport_artifact::media_type::IMAGE_INDEX
    );
    assert_eq!(
        answer.headers.contains_key("oci-filters-applied"),
        is_filtered
    );
    let body = answer.json();
    assert_eq!(body["schemaVersion"], 2);
    assert_eq!(
        body["mediaType"],
        wasmport_artifact::media_type::IMAGE_INDEX
    );
    let found = body["manifests"].as_array().unwrap();
    assert_eq!(found.len(), wanted.len(), "{path}");
    for one in wanted {
        assert!(found.contains(one), "{path}: {one} is not among {found:?}");
    }
}

async fn delete(client: &Client, set: &Set) {
    for (tag, digest) in &set.tags {
        client.send("DELETE", &manifest_path(tag)).await.expect(202);
        client.expect_gone(&manifest_path(tag)).await;
        let by_digest = manifest_path(digest.as_str());
        client.send("HEAD", &by_digest).await.expect(200);
    }
    for (digest, _) in set.manifests.iter().rev() {
        let path = manifest_path(digest.as_str());
        client.send("DELETE", &path).await.expect(202);
        client.expect_gone(&path).await;
    }
    for subject in set.referrers.keys() {
        let path = format!("/v2/{REPOSITORY}/referrers/{subject}");
        expect_referrers(client, &path, Vec::new(), false).await;
    }
    for digest in set.blobs.keys() {
        let path = format!("/v2/{REPOSITORY}/blobs/{digest}");
        client.send("DELETE", &path).await.expect(202);
        client.expect_gone(&path).await;
    }
}
