//! Tags under conditions, tags that never move, and what they were before.

use serde_json::Value;
use wasmport_artifact::media_type;
use wasmport_registry::{ImmutableTags, TagSettings};

use crate::artifact::{Artifact, hello, hello_again};
use crate::registry::{Answer, Registry};

const PATH: &str = "/v2/app/manifests/1.0";

/// Pushes the blobs, and the manifest under a condition.
async fn push_if(registry: &Registry, condition: (&str, &str), artifact: &Artifact) -> Answer {
    for blob in &artifact.blobs {
        registry.push_blob("app", blob).await;
    }
    let request = registry
        .request("PUT", PATH)
        .header("content-type", media_type::IMAGE_MANIFEST)
        .header(condition.0, condition.1);
    Answer::of(request.body(artifact.manifest.clone())).await
}

fn etag(artifact: &Artifact) -> String {
    format!("\"{}\"", artifact.digest())
}

fn immutable() -> TagSettings {
    TagSettings {
        immutable: vec![ImmutableTags {
            repositories: vec!["app".to_owned()],
            tags: vec!["*.*".to_owned()],
        }],
    }
}

#[tokio::test]
async fn a_client_that_has_it_already_is_told_so() {
    let registry = Registry::start().await;
    let artifact = hello();
    registry.push("app", "1.0", &artifact).await;
    for path in [PATH, &format!("/v2/app/manifests/{}", artifact.digest())] {
        for method in ["GET", "HEAD"] {
            let first = Answer::of(registry.request(method, path)).await;
            assert_eq!(first.header("etag"), etag(&artifact));
            let again = registry.request(method, path);
            let again = Answer::of(again.header("if-none-match", first.header("etag"))).await;
            assert_eq!(again.status, 304);
            assert!(again.body.is_empty());
            assert_eq!(again.header("etag"), etag(&artifact));
            let other = registry.request(method, path);
            let other = Answer::of(other.header("if-none-match", etag(&hello_again()))).await;
            assert_eq!(other.status, 200);
        }
    }
}

#[tokio::test]
async fn a_tag_moves_only_from_where_the_client_believes_it_to_be() {
    let registry = Registry::start().await;
    let (one, two) = (hello(), hello_again());
    let absent = push_if(&registry, ("if-match", &etag(&one)), &two).await;
    assert_eq!(
        (absent.status.as_u16(), absent.code().as_str()),
        (412, "DENIED")
    );
    assert_eq!(
        push_if(&registry, ("if-none-match", "*"), &one)
            .await
            .status,
        201
    );
    assert_eq!(
        push_if(&registry, ("if-none-match", "*"), &two)
            .await
            .status,
        412
    );
    assert_eq!(
        push_if(&registry, ("if-match", &etag(&two)), &two)
            .await
            .status,
        412
    );
    assert_eq!(registry.get(PATH).await.body, one.manifest);
    assert_eq!(
        push_if(&registry, ("if-match", &etag(&one)), &two)
            .await
            .status,
        201
    );
    assert_eq!(registry.get(PATH).await.body, two.manifest);
    assert_eq!(
        push_if(&registry, ("if-match", "*"), &one).await.status,
        201
    );
}

#[tokio::test]
async fn of_many_clients_that_create_a_tag_one_does() {
    let registry = Registry::start().await;
    let artifacts: Vec<Artifact> = (0..8_u8)
        .map(|n| Artifact::other(&[n], None, None))
        .collect();
    let condition = ("if-none-match", "*");
    let pushes = artifacts
        .iter()
        .map(|artifact| push_if(&registry, condition, artifact));
    let answers = futures_util::future::join_all(pushes).await;
    let winners: Vec<usize> = (0..8).filter(|n| answers[*n].status == 201).collect();
    assert_eq!(winners.len(), 1);
    assert!(
        answers
            .iter()
            .all(|answer| [201, 412].contains(&answer.status.as_u16()))
    );
    assert_eq!(
        registry.get(PATH).await.body,
        artifacts[winners[0]].manifest
    );
}

#[tokio::test]
async fn a_tag_is_deleted_only_from_where_the_client_believes_it_to_be() {
    let registry = Registry::start().await;
    let (one, two) = (hello(), hello_again());
    registry.push("app", "1.0", &one).await;
    let delete = |condition: String| {
        registry
            .request("DELETE", PATH)
            .header("if-match", condition)
    };
    assert_eq!(Answer::of(delete(etag(&two))).await.status, 412);
    assert_eq!(registry.get(PATH).await.status, 200);
    assert_eq!(Answer::of(delete(etag(&one))).await.status, 202);
    assert_eq!(registry.get(PATH).await.status, 404);
}

#[tokio::test]
async fn an_immutable_tag_is_created_once() {
    let registry = Registry::with_tags(&immutable()).await;
    let (one, two) = (hello(), hello_again());
    assert_eq!(registry.push("app", "1.0", &one).await.status, 201);
    let moved = registry.push("app", "1.0", &two).await;
    assert_eq!(
        (moved.status.as_u16(), moved.code().as_str()),
        (409, "DENIED")
    );
    assert_eq!(registry.get(PATH).await.body, one.manifest);
    assert_eq!(registry.push("app", "1.0", &one).await.status, 201);
    // Others move as they always did.
    for (repository, tag) in [("app", "latest"), ("other", "1.0")] {
        for artifact in [&one, &two] {
            assert_eq!(registry.push(repository, tag, artifact).await.status, 201);
        }
    }
}

#[tokio::test]
async fn an_immutable_tag_is_not_deleted_either() {
    let registry = Registry::with_tags(&immutable()).await;
    let artifact = hello();
    registry.push("app", "1.0", &artifact).await;
    for path in [PATH, &format!("/v2/app/manifests/{}", artifact.digest())] {
        let answer = registry.send("DELETE", path, "").await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (409, "DENIED")
        );
    }
    assert_eq!(registry.get(PATH).await.body, artifact.manifest);
}

async fn history(registry: &Registry, query: &str) -> Answer {
    let path = format!("/v2/app/_oci/tag-history/1.0{query}");
    registry.get(&path).await
}

/// What happened and to which artifact, the newest first.
fn events(answer: &Answer) -> Vec<(bool, String)> {
    let body = answer.json();
    let event = |event: &Value| {
        let time = ["created", "deleted"].map(|name| event[name].as_str().map(str::to_owned));
        assert!(time.iter().flatten().all(|time| time.ends_with('Z')));
        let digest = event["digest"].as_str().unwrap();
        (time[1].is_some(), digest.to_owned())
    };
    body["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(event)
        .collect()
}

#[tokio::test]
async fn the_history_of_a_tag_has_every_move_and_every_deletion() {
    let registry = Registry::start().await;
    assert_eq!(history(&registry, "").await.status, 404);
    let (one, two) = (hello(), hello_again());
    // The second push of the same moves nothing.
    for artifact in [&one, &one, &two] {
        registry.push("app", "1.0", artifact).await;
    }
    registry.send("DELETE", PATH, "").await;
    registry.push("app", "1.0", &one).await;
    let path = format!("/v2/app/manifests/{}", one.digest());
    registry.send("DELETE", &path, "").await;
    let digest = |artifact: &Artifact| artifact.digest().to_string();
    let expected = [
        (true, digest(&one)),
        (false, digest(&one)),
        (true, digest(&two)),
        (false, digest(&two)),
        (false, digest(&one)),
    ];
    assert_eq!(events(&history(&registry, "").await), expected);
    let first = history(&registry, "?n=3").await;
    assert_eq!(events(&first), expected[..3]);
    let link = first.header("link").strip_prefix('<').unwrap();
    let rest = registry.get(link.split('>').next().unwrap()).await;
    assert_eq!(events(&rest), expected[3..]);
    assert!(!rest.has_header("link"));
}
