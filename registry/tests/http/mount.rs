//! Mounts: a blob that is here already need not be sent again.

use wasmport_artifact::Digest;

use crate::artifact::caller;
use crate::registry::Registry;

async fn mount(registry: &Registry, digest: &Digest, from: &str) -> u16 {
    let path = format!("/v2/to/blobs/uploads/?mount={digest}{from}");
    let answer = registry.send("POST", &path, "").await;
    if answer.status == 202 {
        assert!(answer.header("location").contains("/v2/to/blobs/uploads/"));
        assert_eq!(answer.header("range"), "0-0");
    } else {
        assert_eq!(answer.header("docker-content-digest"), digest.as_str());
        let location = answer.header("location");
        assert_eq!(registry.get(location).await.status, 200);
    }
    answer.status.as_u16()
}

#[tokio::test]
async fn a_blob_is_mounted_from_the_repository_that_is_named_or_from_any() {
    let registry = Registry::start().await;
    let one = registry.push_blob("from/one", b"one").await;
    let two = registry.push_blob("from/two", b"two").await;
    assert_eq!(mount(&registry, &one, "&from=from/one").await, 201);
    assert_eq!(mount(&registry, &two, "").await, 201);
    // And once more, from where it is already.
    assert_eq!(mount(&registry, &two, "").await, 201);
}

#[tokio::test]
async fn what_cannot_be_mounted_can_be_uploaded() {
    let registry = Registry::start().await;
    let there = registry.push_blob("from", b"there").await;
    let missing = Digest::of(b"missing");
    for (digest, from) in [
        (&missing, "&from=from"),
        (&missing, ""),
        (&there, "&from=other"),
        (&there, "&from=No/Name"),
    ] {
        assert_eq!(mount(&registry, digest, from).await, 202, "{from}");
    }
    let path = "/v2/to/blobs/uploads/?mount=sha256:bad&from=from";
    assert_eq!(
        registry.send("POST", path, "").await.code(),
        "DIGEST_INVALID"
    );
}

#[tokio::test]
async fn what_was_refused_cannot_be_mounted() {
    let registry = Registry::start().await;
    let refused = caller();
    assert_eq!(registry.push("from", "1.0", &refused).await.status, 403);
    let layer = Digest::of(refused.layer());
    assert_eq!(mount(&registry, &layer, "&from=from").await, 202);
    assert_eq!(mount(&registry, &layer, "").await, 202);
}

#[tokio::test]
async fn an_algorithm_may_be_announced_and_must_be_one_of_ours() {
    let registry = Registry::start().await;
    let open = |name: &str| format!("/v2/app/blobs/uploads/?digest-algorithm={name}");
    for name in ["sha256", "sha512"] {
        assert_eq!(registry.send("POST", &open(name), "").await.status, 202);
    }
    let answer = registry.send("POST", &open("md5"), "").await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (400, "DIGEST_INVALID")
    );
}
