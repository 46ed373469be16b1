//! Quotas: what does not fit is refused, what is there already costs nothing, and what is
//! deleted makes room.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use wasmport_artifact::media_type;
use wasmport_registry::storage::{CollectOptions, Store};

use crate::artifact::Artifact;
use crate::registry::Registry;

/// A registry whose repositories under `team/` have this quota.
async fn limited(quota: Value) -> (Registry, Store) {
    let entry = json!([{ "repositories": ["team/*"], "quota": quota }]);
    let entries: Vec<_> = serde_json::from_value(entry).unwrap();
    let store = Store::in_memory();
    let registry = Registry::over_app(store.clone(), |app| app.set_quotas(&entries)).await;
    (registry, store)
}

async fn upload(registry: &Registry, repository: &str, bytes: Vec<u8>) -> u16 {
    let digest = wasmport_artifact::Digest::of(&bytes);
    let path = format!("/v2/{repository}/blobs/uploads/?digest={digest}");
    registry.send("POST", &path, bytes).await.status.as_u16()
}

#[tokio::test]
async fn bytes_beyond_the_quota_are_refused_with_all_three_numbers() {
    let (registry, store) = limited(json!({ "bytes": 1000 })).await;
    assert_eq!(upload(&registry, "team/app", vec![1; 700]).await, 201);
    // What is there already costs nothing.
    assert_eq!(upload(&registry, "team/app", vec![1; 700]).await, 201);
    let other = vec![2; 400];
    let digest = wasmport_artifact::Digest::of(&other);
    let path = format!("/v2/team/app/blobs/uploads/?digest={digest}");
    let refused = registry.send("POST", &path, other.clone()).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (403, "DENIED")
    );
    let words = refused.json()["errors"][0]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    for part in ["`team/app`", "1000 bytes", "700 bytes", "400"] {
        assert!(words.contains(part), "{words}");
    }
    assert_eq!(upload(&registry, "team/other", other.clone()).await, 201);
    assert_eq!(upload(&registry, "free", vec![3; 5000]).await, 201);
    // By a mount just as little.
    let mount = format!("/v2/team/app/blobs/uploads/?mount={digest}&from=team/other");
    assert_eq!(registry.send("POST", &mount, "").await.status, 403);
    let at_once = CollectOptions {
        grace: Duration::ZERO,
        untagged_after: None,
        deleted_history: Duration::ZERO,
        dry_run: false,
    };
    store.collect(at_once).await.unwrap();
    assert_eq!(upload(&registry, "team/app", other).await, 201);
}

#[tokio::test]
async fn artifacts_beyond_the_quota_are_refused_and_deleting_one_makes_room() {
    let (registry, _store) = limited(json!({ "artifacts": 2 })).await;
    let artifact = |text: &str| Artifact::other(text.as_bytes(), None, None);
    let push = async |tag: &str| registry.push("team/app", tag, &artifact(tag)).await.status;
    assert_eq!(push("one").await, 201);
    assert_eq!(push("two").await, 201);
    assert_eq!(push("one").await, 201);
    assert_eq!(push("three").await, 403);
    let path = format!("/v2/team/app/manifests/{}", artifact("one").digest());
    assert_eq!(registry.send("DELETE", &path, "").await.status, 202);
    assert_eq!(push("three").await, 201);
}

#[tokio::test]
async fn pushes_at_once_do_not_exceed_it_together() {
    let (registry, _store) = limited(json!({ "bytes": 5_500 })).await;
    let registry = Arc::new(registry);
    let pushes = (0..20_u8).map(|number| {
        let registry = Arc::clone(&registry);
        tokio::spawn(async move { upload(&registry, "team/app", vec![number; 1000]).await })
    });
    let answers = futures_util::future::join_all(pushes).await;
    let answers: Vec<u16> = answers.into_iter().map(Result::unwrap).collect();
    let stored = answers.iter().filter(|status| **status == 201).count();
    assert!((1..=5).contains(&stored), "{answers:?}");
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": media_type::IMAGE_INDEX,
        "manifests": [],
        "annotations": { "filler": "x".repeat(6_000) },
    });
    let bytes = manifest.to_string().into_bytes();
    let kind = media_type::IMAGE_INDEX;
    let answer = registry.put_manifest("team/app", "1.0", kind, &bytes).await;
    assert_eq!(answer.status, 403, "{}", answer.text());
}
