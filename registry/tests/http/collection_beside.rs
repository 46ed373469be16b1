//! The collector beside pushes and deletes, and when it is stopped at any point.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use wasmport_artifact::{Digest, RepositoryName};
use wasmport_registry::storage::{CollectOptions, Key, MemoryBlobs, Records, Store};

use crate::artifact::{Artifact, hello};
use crate::registry::Registry;
use crate::watched::Watched;

const AT_ONCE: CollectOptions = CollectOptions {
    grace: Duration::ZERO,
    untagged_after: Some(Duration::ZERO),
    deleted_history: Duration::ZERO,
    dry_run: false,
};

/// Everything that a tag leads to can be pulled, and nothing in the store is wrong.
async fn check(registry: &Registry, store: &Store, repositories: usize) -> usize {
    let fsck = store.fsck(None).await.unwrap();
    assert_eq!(fsck.found, 0, "{fsck:?}");
    let mut checked = 0;
    for number in 0..repositories {
        let tags = registry.get(&format!("/v2/app{number}/tags/list")).await;
        if tags.status != 200 {
            continue;
        }
        for tag in tags.json()["tags"].as_array().unwrap() {
            let tag = tag.as_str().unwrap();
            let path = format!("/v2/app{number}/manifests/{tag}");
            let manifest = registry.get(&path).await;
            assert_eq!(manifest.status, 200, "{}", manifest.text());
            let manifest = manifest.json();
            let layers = manifest["layers"].as_array().unwrap();
            for blob in layers.iter().chain([&manifest["config"]]) {
                let digest: Digest = blob["digest"].as_str().unwrap().parse().unwrap();
                let path = format!("/v2/app{number}/blobs/{digest}");
                let blob = registry.get(&path).await;
                assert_eq!(blob.status, 200, "{}", blob.text());
                digest.check(&blob.body).unwrap();
                checked += 1;
            }
        }
    }
    checked
}

/// Pushes, moves and deletes; all share `{}`, and every third layer is one that others have.
async fn work(registry: &Registry, worker: usize, rounds: usize) -> usize {
    let repository = format!("app{}", worker % 4);
    let mut pushed = 0;
    for round in 0..rounds {
        let layer = match round % 3 {
            0 => format!("shared {}", round % 5),
            _ => format!("own {worker} {round}"),
        };
        let artifact = Artifact::other(layer.as_bytes(), None, Some("application/vnd.test"));
        let tag = format!("t{}", (worker * 7 + round) % 9);
        pushed += push(registry, &repository, &tag, &artifact).await;
        if round % 4 == 3 {
            let path = format!("/v2/{repository}/manifests/{}", artifact.digest());
            let deleted = registry.send("DELETE", &path, "").await.status.as_u16();
            assert!(matches!(deleted, 202 | 404 | 429), "{deleted}");
        }
    }
    pushed
}

/// Pushes as clients do, who ask first and push what is not there. Without any grace a blob
/// can go before its manifest comes: then the registry says so, and the push begins again.
async fn push(registry: &Registry, repository: &str, tag: &str, artifact: &Artifact) -> usize {
    for _ in 0..1_000 {
        for blob in &artifact.blobs {
            let path = format!("/v2/{repository}/blobs/{}", Digest::of(blob));
            if registry.head(&path).await.status == 404 {
                registry.push_blob(repository, blob).await;
            }
        }
        let kind = wasmport_artifact::media_type::IMAGE_MANIFEST;
        let answer = registry
            .put_manifest(repository, tag, kind, &artifact.manifest)
            .await;
        match answer.status.as_u16() {
            201 => return 1,
            404 => assert_eq!(answer.code(), "MANIFEST_BLOB_UNKNOWN"),
            // Others moved the tag again and again.
            429 => return 0,
            other => panic!("{other}: {}", answer.text()),
        }
    }
    panic!("a thousand times the collector was faster");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_goes_that_one_of_sixteen_pushes_relies_on() {
    let store = Store::in_memory();
    store.upgrade().await.unwrap();
    let registry = Arc::new(Registry::strict(store.clone()).await);
    let is_over = Arc::new(AtomicBool::new(false));
    let collector = tokio::spawn({
        let (store, is_over) = (store.clone(), Arc::clone(&is_over));
        async move {
            // With no grace at all: only leases keep what the pushes need.
            let (mut runs, mut removed) = (0, 0);
            while !is_over.load(Ordering::SeqCst) {
                let collected = store.collect(AT_ONCE).await.unwrap();
                runs += 1;
                removed += collected.grants + collected.blobs + collected.manifests;
                tokio::task::yield_now().await;
            }
            (runs, removed)
        }
    });
    let workers = (0..16).map(|worker| {
        let registry = Arc::clone(&registry);
        tokio::spawn(async move { work(&registry, worker, 40).await })
    });
    let pushed: usize = futures_util::future::join_all(workers)
        .await
        .into_iter()
        .map(Result::unwrap)
        .sum();
    is_over.store(true, Ordering::SeqCst);
    let (runs, removed) = collector.await.unwrap();
    let checked = check(&registry, &store, 4).await;
    assert!(
        checked > 0 && runs > 1 && removed > 0,
        "{pushed} pushes, {runs} runs, {removed} removed"
    );
    store.collect(AT_ONCE).await.unwrap();
    assert_eq!(check(&registry, &store, 4).await, checked);
}

#[tokio::test]
async fn a_run_that_is_killed_anywhere_leaves_garbage_only_and_the_next_one_takes_it() {
    for commits in 0..100 {
        let dying = Arc::new(Watched::default());
        let store = Store::new(Arc::clone(&dying) as _, Arc::new(MemoryBlobs::default()));
        store.upgrade().await.unwrap();
        let registry = Registry::over_store(store.clone()).await;
        let subject = hello();
        registry
            .push("app0", "kept", &Artifact::other(b"kept", None, None))
            .await;
        registry.push("app0", "1.0", &subject).await;
        registry.push("app1", "1.0", &subject).await;
        let kind = Some("application/vnd.test");
        let about = Artifact::other(b"about", Some(subject.descriptor()), kind);
        registry.push("app0", about.digest().as_str(), &about).await;
        let signature = format!("sha256-{}.sig", subject.digest().hex());
        registry
            .push("app0", &signature, &Artifact::other(b"sig", None, None))
            .await;
        registry.push_blob("app2", b"alone").await;
        let path = format!("/v2/app0/manifests/{}", subject.digest());
        assert_eq!(registry.send("DELETE", &path, "").await.status, 202);
        dying.take(commits);
        let run = store.collect(AT_ONCE).await;
        dying.take(usize::MAX);
        check(&registry, &store, 3).await;
        if run.is_ok() {
            assert!(commits >= 5, "the run has {commits} commits only");
            return;
        }
        store.collect(AT_ONCE).await.unwrap();
        let rest = store.collect(AT_ONCE).await.unwrap();
        assert_eq!(
            (rest.manifests, rest.tags, rest.grants, rest.blobs),
            (0, 0, 0, 0)
        );
        assert_eq!(check(&registry, &store, 3).await, 4);
        let app: RepositoryName = "app0".parse().unwrap();
        let gone = Key::grant(&app, &Digest::of(b"about"));
        assert_eq!(
            dying.get(&gone).await.unwrap().map(|it| it.value),
            None::<Bytes>
        );
    }
    panic!("the run never came to its end");
}
