//! `new-capabilities`: which version each tag is compared with, and that it stays so.

use wasmport_artifact::media_type;
use wasmport_registry::LoadedPolicy;

use crate::artifact::{Artifact, caller, hello, hello_again};
use crate::registry::{Answer, Registry};
use crate::signatures::policy;

/// `dev` may open connections since its first version, and `main` never did.
async fn two_lines() -> (Registry, LoadedPolicy) {
    let careful = policy(
        "schema = 1\n[[rule]]\nid = \"careful\"\nrepositories = [\"**\"]\nallow = [\"*\"]\n\
         new-capabilities = \"hold\"\n",
    );
    let registry = Registry::start_with(&careful).await;
    for (tag, artifact) in [("dev", caller()), ("main", hello()), ("1.0.0", hello())] {
        let answer = registry.push("app", tag, &artifact).await;
        assert!(!is_held(&answer), "{tag}");
    }
    (registry, careful)
}

/// What `dev` may be, and `main` may not.
fn other_caller() -> Artifact {
    Artifact::component(
        r#"(component (import "wasi:sockets/tcp-create-socket@0.2.6"
            (instance (export "create-tcp-socket" (func)))))"#,
    )
}

fn is_held(answer: &Answer) -> bool {
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.has_header("warning") && answer.header("warning").contains("held")
}

/// Tags it with `reference`, and with those of the query.
async fn tag(registry: &Registry, reference: &str, artifact: &Artifact) -> Answer {
    for blob in &artifact.blobs {
        registry.push_blob("app", blob).await;
    }
    let kind = media_type::IMAGE_MANIFEST;
    registry
        .put_manifest("app", reference, kind, &artifact.manifest)
        .await
}

async fn points_to(registry: &Registry, tag: &str) -> Option<Vec<u8>> {
    let answer = registry.get(&format!("/v2/app/manifests/{tag}")).await;
    (answer.status == 200).then_some(answer.body)
}

#[tokio::test]
async fn each_tag_of_a_push_is_compared_with_what_it_points_to() {
    let (registry, _) = two_lines().await;
    let artifact = other_caller();
    for reference in ["dev?tag=main", "main?tag=dev"] {
        let answer = tag(&registry, reference, &artifact).await;
        assert!(is_held(&answer), "{reference}");
        // Neither gets it: what may not have one of its tags gets none.
        let (dev, main) = (
            points_to(&registry, "dev").await,
            points_to(&registry, "main").await,
        );
        assert_eq!(
            (dev, main),
            (Some(caller().manifest), Some(hello().manifest))
        );
    }
    assert!(!is_held(&tag(&registry, "dev", &artifact).await));
    assert_eq!(points_to(&registry, "dev").await, Some(artifact.manifest));
}

#[tokio::test]
async fn a_tag_that_waits_is_not_settled_with_the_comparison_of_another() {
    let (registry, careful) = two_lines().await;
    let artifact = other_caller();
    assert!(is_held(&tag(&registry, "main", &artifact).await));
    assert!(!is_held(&tag(&registry, "dev", &artifact).await));
    // All that waits is decided on again.
    let registry = registry.restart_with(&careful).await;
    assert_eq!(points_to(&registry, "main").await, Some(hello().manifest));
    let dev = Some(artifact.manifest.clone());
    assert_eq!(points_to(&registry, "dev").await, dev);
    // What a tag lets out can be had by its digest, as clients ask for it then.
    let digest = artifact.digest().to_string();
    assert_eq!(points_to(&registry, &digest).await, dev);
}

#[tokio::test]
async fn a_push_that_is_held_takes_nothing_from_a_tag_that_was_admitted() {
    let (registry, careful) = two_lines().await;
    let artifact = other_caller();
    assert!(!is_held(&tag(&registry, "dev", &artifact).await));
    for reference in ["main", "1.0.1", "1.0.1?tag=dev"] {
        assert!(
            is_held(&tag(&registry, reference, &artifact).await),
            "{reference}"
        );
    }
    let registry = registry.restart_with(&careful).await;
    let path = format!("/v2/app/_wasmport/decision/{}", artifact.digest());
    for path in ["/v2/app/_wasmport/decision/dev", &path] {
        let decision = registry.get(path).await.json();
        assert_eq!(decision["today"]["verdict"], "admit", "{decision}");
    }
    let dev = Some(artifact.manifest.clone());
    assert_eq!(points_to(&registry, "dev").await, dev);
    assert_eq!(points_to(&registry, "1.0.1").await, None);
}

#[tokio::test]
async fn a_version_is_compared_with_the_one_below_it_whatever_it_was_compared_with_before() {
    let (registry, _) = two_lines().await;
    let artifact = other_caller();
    assert!(!is_held(&tag(&registry, "dev", &artifact).await));
    // A name that says nothing of versions is compared with what it was compared with before.
    assert!(!is_held(&tag(&registry, "side", &artifact).await));
    assert!(is_held(&tag(&registry, "1.0.1", &artifact).await));
    assert!(is_held(&tag(&registry, "other-side", &artifact).await));
    assert!(!is_held(&tag(&registry, "1.0.1", &hello_again()).await));
}

#[tokio::test]
async fn a_tag_is_compared_with_the_same_version_at_each_pull() {
    let (registry, careful) = two_lines().await;
    let artifact = other_caller();
    tag(&registry, "dev", &artifact).await;
    let lenient = policy(
        "schema = 1\n[[rule]]\nid = \"lenient\"\nrepositories = [\"**\"]\nallow = [\"*\"]\n\
         new-capabilities = \"warn\"\n",
    );
    let registry = registry.restart_with(&lenient).await;
    assert!(!is_held(&tag(&registry, "main", &artifact).await));
    let registry = registry.restart_with(&careful).await;
    // By the tag it is refused again, and by the other one it may be had as before.
    assert_eq!(points_to(&registry, "main").await, None);
    let dev = Some(artifact.manifest.clone());
    assert_eq!(points_to(&registry, "dev").await, dev);
    assert_eq!(points_to(&registry, artifact.digest().as_str()).await, dev);
}
