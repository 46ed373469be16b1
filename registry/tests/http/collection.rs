//! The collector: what goes, what stays, and that nothing goes that somebody relies on.

mod dry_run;

use std::sync::Arc;
use std::time::Duration;

use wasmport_artifact::{Digest, RepositoryName, media_type};
use wasmport_registry::storage::{
    Batch, CollectOptions, Collected, Key, MemoryBlobs, MemoryRecords, Records, Store,
};

use crate::artifact::{Artifact, hello, hello_again};
use crate::registry::Registry;

const NOW: CollectOptions = CollectOptions {
    grace: Duration::ZERO,
    untagged_after: None,
    deleted_history: Duration::ZERO,
    dry_run: false,
};

/// A registry, and its store to collect in.
async fn started() -> (Registry, Store) {
    let store = Store::in_memory();
    (Registry::over_store(store.clone()).await, store)
}

async fn collect(store: &Store, options: CollectOptions) -> Collected {
    store.collect(options).await.unwrap()
}

async fn has_blob(registry: &Registry, repository: &str, digest: &Digest) -> bool {
    let path = format!("/v2/{repository}/blobs/{digest}");
    registry.head(&path).await.status == 200
}

async fn has_manifest(registry: &Registry, repository: &str, reference: &str) -> bool {
    let path = format!("/v2/{repository}/manifests/{reference}");
    registry.head(&path).await.status == 200
}

async fn delete(registry: &Registry, repository: &str, digest: &Digest) {
    let path = format!("/v2/{repository}/manifests/{digest}");
    let answer = registry.send("DELETE", &path, "").await;
    assert_eq!(answer.status, 202, "{}", answer.text());
}

/// Pushes something without a tag.
async fn push_untagged(registry: &Registry, repository: &str, artifact: &Artifact) -> Digest {
    let digest = artifact.digest();
    let answer = registry.push(repository, digest.as_str(), artifact).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    digest
}

/// An index without a tag.
async fn push_index(
    registry: &Registry,
    repository: &str,
    reference: &str,
    of: &Artifact,
) -> Digest {
    let index = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": media_type::IMAGE_INDEX,
        "manifests": [of.descriptor()],
    });
    let bytes = index.to_string().into_bytes();
    let digest = Digest::of(&bytes);
    let reference = if reference.is_empty() {
        digest.as_str()
    } else {
        reference
    };
    let kind = media_type::IMAGE_INDEX;
    let answer = registry
        .put_manifest(repository, reference, kind, &bytes)
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    digest
}

#[tokio::test]
async fn a_blob_that_no_manifest_uses_goes_after_its_grace_and_not_before() {
    let (registry, store) = started().await;
    let blob = registry.push_blob("app", b"nobody uses this").await;
    let hour = Duration::from_hours(1);
    let young = collect(&store, CollectOptions { grace: hour, ..NOW }).await;
    assert_eq!((young.grants, young.blobs), (0, 0));
    assert!(has_blob(&registry, "app", &blob).await);
    let old = collect(&store, NOW).await;
    assert_eq!((old.grants, old.blobs, old.bytes), (1, 1, 16));
    assert!(!has_blob(&registry, "app", &blob).await);
    assert_eq!(collect(&store, NOW).await.blobs, 0);
}

#[tokio::test]
async fn what_a_manifest_uses_stays_and_goes_when_it_is_deleted() {
    let (registry, store) = started().await;
    let artifact = hello();
    registry.push("app", "1.0", &artifact).await;
    registry.push("other", "1.0", &artifact).await;
    let all = collect(&store, NOW).await;
    assert_eq!(
        (all.manifests, all.grants, all.blobs, all.facts),
        (0, 0, 0, 0)
    );
    let layer = Digest::of(artifact.layer());
    delete(&registry, "app", &artifact.digest()).await;
    let first = collect(&store, NOW).await;
    assert_eq!((first.grants, first.blobs, first.facts), (2, 0, 0));
    assert!(!has_blob(&registry, "app", &layer).await);
    assert!(has_blob(&registry, "other", &layer).await);
    delete(&registry, "other", &artifact.digest()).await;
    let second = collect(&store, NOW).await;
    assert_eq!((second.grants, second.blobs, second.facts), (2, 2, 1));
    registry.push("app", "1.0", &artifact).await;
    assert!(has_blob(&registry, "app", &layer).await);
}

#[tokio::test]
async fn referrers_live_with_their_subject_and_go_with_it_unless_they_are_tagged() {
    let (registry, store) = started().await;
    let subject = hello();
    registry.push("app", "1.0", &subject).await;
    let kind = Some("application/vnd.test");
    let first = Artifact::other(b"first", Some(subject.descriptor()), kind);
    let about_first = Artifact::other(b"about", Some(first.descriptor()), kind);
    let tagged = Artifact::other(b"tagged", Some(subject.descriptor()), kind);
    push_untagged(&registry, "app", &first).await;
    push_untagged(&registry, "app", &about_first).await;
    registry.push("app", "kept", &tagged).await;
    assert_eq!(collect(&store, NOW).await.manifests, 0);
    delete(&registry, "app", &subject.digest()).await;
    let collected = collect(&store, NOW).await;
    assert_eq!(collected.manifests, 2);
    assert!(!has_manifest(&registry, "app", first.digest().as_str()).await);
    assert!(!has_manifest(&registry, "app", about_first.digest().as_str()).await);
    assert!(has_manifest(&registry, "app", "kept").await);
    // Config and layer of the subject, and the layers of the two; `{}` is used by the tagged.
    assert_eq!(collected.blobs, 4);
}

#[tokio::test]
async fn a_referrer_waits_for_its_subject_as_long_as_the_grace() {
    let (registry, store) = started().await;
    let subject = hello();
    let kind = Some("application/vnd.test");
    let early = Artifact::other(b"early", Some(subject.descriptor()), kind);
    push_untagged(&registry, "app", &early).await;
    let hour = Duration::from_hours(1);
    let young = collect(&store, CollectOptions { grace: hour, ..NOW }).await;
    assert_eq!(young.manifests, 0);
    assert_eq!(collect(&store, NOW).await.manifests, 1);
}

#[tokio::test]
async fn tags_of_signatures_go_with_what_they_are_named_after() {
    let (registry, store) = started().await;
    let subject = hello();
    registry.push("app", "1.0", &subject).await;
    let hex = subject.digest().hex().to_owned();
    let signature = Artifact::other(b"signature", None, None);
    let sbom = Artifact::other(b"sbom", None, None);
    registry
        .push("app", &format!("sha256-{hex}.sig"), &signature)
        .await;
    registry
        .push("app", &format!("sha256-{hex}.sbom"), &sbom)
        .await;
    registry.push("app", "sbom", &sbom).await;
    push_index(&registry, "app", &format!("sha256-{hex}"), &signature).await;
    assert_eq!(collect(&store, NOW).await.tags, 0);
    delete(&registry, "app", &subject.digest()).await;
    let collected = collect(&store, NOW).await;
    assert_eq!(collected.tags, 3);
    assert!(!has_manifest(&registry, "app", &format!("sha256-{hex}.sig")).await);
    assert!(has_manifest(&registry, "app", "sbom").await);
}

#[tokio::test]
async fn untagged_manifests_stay_unless_the_settings_say_otherwise() {
    let (registry, store) = started().await;
    let (tagged, child, alone) = (
        hello(),
        hello_again(),
        Artifact::other(b"alone", None, None),
    );
    registry.push("app", "1.0", &tagged).await;
    let child_digest = push_untagged(&registry, "app", &child).await;
    push_index(&registry, "app", "all", &child).await;
    let alone_digest = push_untagged(&registry, "app", &alone).await;
    let about = Artifact::other(
        b"about",
        Some(alone.descriptor()),
        Some("application/vnd.test"),
    );
    push_untagged(&registry, "app", &about).await;
    assert_eq!(collect(&store, NOW).await.manifests, 0);
    let later = Some(Duration::from_hours(1));
    let young = CollectOptions {
        untagged_after: later,
        ..NOW
    };
    assert_eq!(collect(&store, young).await.manifests, 0);
    let at_once = CollectOptions {
        untagged_after: Some(Duration::ZERO),
        ..NOW
    };
    assert_eq!(collect(&store, at_once).await.manifests, 2);
    assert!(!has_manifest(&registry, "app", alone_digest.as_str()).await);
    assert!(!has_manifest(&registry, "app", about.digest().as_str()).await);
    assert!(has_manifest(&registry, "app", child_digest.as_str()).await);
    assert!(has_manifest(&registry, "app", "1.0").await);
}

#[tokio::test]
async fn a_dry_run_says_the_same_and_takes_nothing_away() {
    let (registry, store) = started().await;
    let subject = hello();
    registry.push("app", "1.0", &subject).await;
    registry.push("app", "2.0", &hello_again()).await;
    let kind = Some("application/vnd.test");
    let about = Artifact::other(b"about", Some(subject.descriptor()), kind);
    push_untagged(&registry, "app", &about).await;
    let signature = Artifact::other(b"signature", None, None);
    let tag = format!("sha256-{}.sig", subject.digest().hex());
    registry.push("app", &tag, &signature).await;
    registry.push_blob("app", b"nobody uses this").await;
    delete(&registry, "app", &subject.digest()).await;
    registry.send("DELETE", "/v2/app/manifests/2.0", "").await;
    let at_once = CollectOptions {
        untagged_after: Some(Duration::ZERO),
        ..NOW
    };
    let dry = CollectOptions {
        dry_run: true,
        ..at_once
    };
    let would = collect(&store, dry).await;
    assert_eq!(would.removed, collect(&store, dry).await.removed);
    assert!(has_manifest(&registry, "app", about.digest().as_str()).await);
    let did = collect(&store, at_once).await;
    assert_eq!(would.removed, did.removed);
    let counts = |of: &Collected| {
        (
            of.manifests,
            of.tags,
            of.grants,
            of.blobs,
            of.bytes,
            of.facts,
            of.history,
        )
    };
    assert_eq!(counts(&would), counts(&did));
    assert!(
        did.manifests == 3 && did.tags == 1 && did.blobs >= 5 && did.history == 4,
        "{did:?}"
    );
    // The tag of the signature was deleted by the run itself, and its history waits for the next.
    let next = collect(&store, at_once).await;
    assert_eq!(counts(&next), (0, 0, 0, 0, 0, 0, 2));
    let last = collect(&store, at_once).await;
    assert_eq!(counts(&last), (0, 0, 0, 0, 0, 0, 0));
}

#[tokio::test]
async fn the_history_of_a_tag_goes_when_the_tag_was_deleted_long_ago() {
    let (registry, store) = started().await;
    let history = async |tag: &str| {
        let path = format!("/v2/app/_oci/tag-history/{tag}");
        let answer = registry.get(&path).await;
        match answer.status.as_u16() {
            200 => answer.json()["history"].as_array().unwrap().len(),
            status => {
                assert_eq!(status, 404);
                0
            }
        }
    };
    // Tags that sort before, between and after each other's moves.
    for tag in ["1", "1-a", "1.0", "10", "kept"] {
        registry.push("app", tag, &hello()).await;
        registry.push("app", tag, &hello_again()).await;
    }
    for tag in ["1", "1-a", "10"] {
        let path = format!("/v2/app/manifests/{tag}");
        assert_eq!(registry.send("DELETE", &path, "").await.status, 202);
    }
    let hour = CollectOptions {
        deleted_history: Duration::from_hours(1),
        ..NOW
    };
    assert_eq!(collect(&store, hour).await.history, 0);
    assert_eq!(history("1").await, 3);
    assert_eq!(collect(&store, NOW).await.history, 9);
    for (tag, moves) in [("1", 0), ("1-a", 0), ("1.0", 2), ("10", 0), ("kept", 2)] {
        assert_eq!(history(tag).await, moves, "{tag}");
    }
    // Pushed again, it begins anew.
    registry.push("app", "1", &hello()).await;
    assert_eq!(history("1").await, 1);
    assert_eq!(collect(&store, NOW).await.history, 0);
}

#[tokio::test]
async fn who_asks_for_a_blob_may_still_use_it() {
    let records = Arc::new(MemoryRecords::default());
    let store = Store::new(Arc::clone(&records) as _, Arc::new(MemoryBlobs::default()));
    let registry = Registry::over_store(store.clone()).await;
    let asked = registry.push_blob("app", b"asked for").await;
    let forgotten = registry.push_blob("app", b"forgotten").await;
    // As if both had been pushed a long time ago, and forgotten by the registry, too.
    let app: RepositoryName = "app".parse().unwrap();
    for blob in [&asked, &forgotten] {
        let old = Batch::new().put(Key::grant(&app, blob), r#"{"size":9,"since":0}"#);
        records.commit(old).await.unwrap();
    }
    let store = Store::new(Arc::clone(&records) as _, store.engines().1);
    let registry = Registry::over_store(store.clone()).await;
    assert!(has_blob(&registry, "app", &asked).await);
    let hour = CollectOptions {
        grace: Duration::from_hours(1),
        ..NOW
    };
    // The first bytes of a run are those that were asked for before it began.
    let collected = collect(&store, hour).await;
    assert_eq!((collected.grants, collected.blobs), (1, 1));
    assert!(has_blob(&registry, "app", &asked).await);
    assert!(!has_blob(&registry, "app", &forgotten).await);
}

#[tokio::test]
async fn an_operator_runs_it_and_sees_the_last_runs() {
    let (registry, _store) = started().await;
    let blob = registry.push_blob("app", b"nobody uses this").await;
    let path = "/_wasmport/v1/gc";
    let too_soon = registry.send("POST", path, "").await;
    assert_eq!(too_soon.status, 409, "{}", too_soon.text());
    let dry = registry
        .send("POST", path, r#"{"dryRun":true,"grace":"0s"}"#)
        .await;
    assert_eq!(dry.json()["collected"]["blobs"], 1, "{}", dry.text());
    let used = registry.get("/_wasmport/v1/quota/app").await.json();
    assert_eq!(used["used"]["bytes"], 16);
    let run = registry.send("POST", path, r#"{"grace":"0s"}"#).await;
    assert_eq!(run.json()["collected"]["bytes"], 16, "{}", run.text());
    assert!(!has_blob(&registry, "app", &blob).await);
    let runs = registry.get(path).await.json();
    assert_eq!(runs["runs"].as_array().unwrap().len(), 2);
    assert_eq!(registry.send("POST", path, "no json").await.status, 400);
}
