//! What was answered before is kept in memory, and nobody can tell: every answer is what the
//! records and the policy say at that time (ADR 0014).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use wasmport_artifact::{Digest, media_type};
use wasmport_registry::LoadedPolicy;
use wasmport_registry::storage::Store;

use crate::artifact::{Artifact, caller, hello, hello_again};
use crate::registry::Registry;

fn policy(name: &str) -> LoadedPolicy {
    LoadedPolicy::load(name).unwrap()
}

/// Reads it twice, so that the second answer can come from memory.
async fn status(registry: &Registry, path: &str) -> [u16; 2] {
    let first = registry.get(path).await.status.as_u16();
    [first, registry.get(path).await.status.as_u16()]
}

#[tokio::test]
async fn a_tag_that_moved_is_seen_by_the_next_get() {
    let registry = Registry::start().await;
    let artifacts = [hello(), hello_again()];
    for round in 0..20 {
        let artifact = &artifacts[round % 2];
        assert_eq!(registry.push("app", "1.0", artifact).await.status, 201);
        for _ in 0..3 {
            let answer = registry.get("/v2/app/manifests/1.0").await;
            assert_eq!(answer.body, artifact.manifest);
            let digest = artifact.digest().to_string();
            assert_eq!(answer.header("docker-content-digest"), digest);
        }
    }
}

#[tokio::test]
async fn no_reader_sees_a_tag_go_back_while_it_moves() {
    const MOVES: usize = 60;
    let registry = Arc::new(Registry::start().await);
    let numbered = |number: usize| Artifact::other(number.to_string().as_bytes(), None, None);
    let artifacts: Arc<Vec<_>> = Arc::new((0..MOVES).map(numbered).collect());
    registry.push("app", "1.0", &artifacts[0]).await;
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let is_done = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let (registry, artifacts) = (Arc::clone(&registry), Arc::clone(&artifacts));
            let (acknowledged, is_done) = (Arc::clone(&acknowledged), Arc::clone(&is_done));
            tokio::spawn(async move {
                let (mut seen, mut reads) = (0, 0);
                while !is_done.load(Ordering::SeqCst) {
                    let floor = acknowledged.load(Ordering::SeqCst).max(seen);
                    let answer = registry.get("/v2/app/manifests/1.0").await;
                    let is_it = |artifact: &Artifact| artifact.manifest == answer.body;
                    seen = artifacts.iter().position(is_it).unwrap();
                    assert!(seen >= floor, "read {seen} after {floor}");
                    reads += 1;
                }
                reads
            })
        })
        .collect();
    for (number, artifact) in artifacts.iter().enumerate() {
        assert_eq!(registry.push("app", "1.0", artifact).await.status, 201);
        acknowledged.store(number, Ordering::SeqCst);
    }
    is_done.store(true, Ordering::SeqCst);
    for reader in readers {
        assert!(reader.await.unwrap() > 0);
    }
}

#[tokio::test]
async fn what_was_deleted_is_gone_at_once() {
    let registry = Registry::start().await;
    let artifact = hello();
    registry.push("app", "1.0", &artifact).await;
    let by_tag = "/v2/app/manifests/1.0";
    let by_digest = format!("/v2/app/manifests/{}", artifact.digest());
    let layer = format!("/v2/app/blobs/{}", Digest::of(artifact.layer()));
    for path in [by_tag, by_digest.as_str(), layer.as_str()] {
        assert_eq!(status(&registry, path).await, [200, 200]);
    }
    registry.send("DELETE", by_tag, "").await;
    assert_eq!(status(&registry, by_tag).await, [404, 404]);
    assert_eq!(status(&registry, &by_digest).await, [200, 200]);
    registry.send("DELETE", &by_digest, "").await;
    assert_eq!(status(&registry, &by_digest).await, [404, 404]);
    assert_eq!(status(&registry, &layer).await, [200, 200]);
    registry.send("DELETE", &layer, "").await;
    assert_eq!(status(&registry, &layer).await, [404, 404]);
}

#[tokio::test]
async fn a_blob_in_memory_is_not_there_for_a_repository_that_has_not_got_it() {
    let registry = Registry::start().await;
    let artifact = hello();
    registry.push("app", "1.0", &artifact).await;
    let layer = Digest::of(artifact.layer());
    assert_eq!(
        status(&registry, &format!("/v2/app/blobs/{layer}")).await,
        [200, 200]
    );
    assert_eq!(
        status(&registry, &format!("/v2/other/blobs/{layer}")).await,
        [404, 404]
    );
}

#[tokio::test]
async fn another_policy_decides_from_its_first_moment_on() {
    let mut app = None;
    let registry =
        Registry::over_app(Store::in_memory(), |opened| app = Some(opened.clone())).await;
    let app = app.unwrap();
    app.replace_policy(policy("preset:permissive"))
        .await
        .unwrap();
    let artifact = caller();
    assert_eq!(registry.push("app", "1.0", &artifact).await.status, 201);
    let by_digest = format!("/v2/app/manifests/{}", artifact.digest());
    let layer = format!("/v2/app/blobs/{}", Digest::of(artifact.layer()));
    let paths = ["/v2/app/manifests/1.0", &by_digest, &layer];
    for round in 0..3 {
        for path in paths {
            assert_eq!(
                status(&registry, path).await,
                [200, 200],
                "{path} in round {round}"
            );
        }
        app.replace_policy(policy("preset:standard")).await.unwrap();
        for path in paths {
            assert_eq!(
                status(&registry, path).await,
                [403, 403],
                "{path} in round {round}"
            );
        }
        app.replace_policy(policy("preset:permissive"))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_blob_from_memory_has_ranges_and_lengths_as_one_from_disk() {
    let registry = Registry::start().await;
    let bytes: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    let artifact = Artifact::other(&bytes, None, None);
    let pushed = registry.push("app", "1.0", &artifact).await;
    assert_eq!(pushed.status, 201, "{}", pushed.text());
    let path = format!("/v2/app/blobs/{}", Digest::of(&bytes));
    for _ in 0..4 {
        assert_eq!(registry.get(&path).await.body, bytes);
        let head = registry.head(&path).await;
        assert_eq!(
            (head.status.as_u16(), head.length()),
            (200, bytes.len() as u64)
        );
        let ranged = registry
            .request("GET", &path)
            .header("range", "bytes=262140-262150");
        let part = crate::registry::Answer::of(ranged).await;
        assert_eq!(part.status, 206);
        assert_eq!(part.body, bytes[262_140..=262_150]);
        assert_eq!(
            part.header("content-range"),
            format!("bytes 262140-262150/{}", bytes.len())
        );
    }
    let put = registry.put_manifest("app", "2.0", media_type::IMAGE_MANIFEST, &artifact.manifest);
    assert_eq!(put.await.status, 201);
}
