//! The list of repositories.

use serde_json::json;

use crate::artifact::{Artifact, hello};
use crate::registry::Registry;

const NAMES: [&str; 6] = ["a", "a-b", "a.b", "a/b", "a0", "b"];

async fn names(registry: &Registry, path: &str) -> Vec<String> {
    let answer = registry.get(path).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    serde_json::from_value(answer.json()["repositories"].clone()).unwrap()
}

#[tokio::test]
async fn every_repository_with_a_manifest_is_listed_once_over_all_pages() {
    let registry = Registry::start().await;
    for name in NAMES {
        for tag in ["1", "2"] {
            let artifact = Artifact::other(tag.as_bytes(), None, None);
            registry.push(name, tag, &artifact).await;
        }
    }
    registry.push_blob("only/a/blob", b"x").await;
    for n in 1..8 {
        let mut path = format!("/v2/_catalog?n={n}");
        let mut found = Vec::new();
        loop {
            let page = names(&registry, &path).await;
            assert!(page.len() <= n);
            found.extend(page);
            let answer = registry.get(&path).await;
            if !answer.has_header("link") {
                break;
            }
            let link = answer.header("link").strip_prefix('<').unwrap();
            path = link.split('>').next().unwrap().to_owned();
        }
        assert_eq!(found, NAMES, "{n}");
    }
    assert_eq!(names(&registry, "/v2/_catalog").await.len(), NAMES.len());
    assert!(names(&registry, "/v2/_catalog?n=0").await.is_empty());
    let answer = registry.get("/v2/_catalog?n=few").await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn a_repository_whose_last_manifest_is_deleted_is_listed_no_more() {
    let registry = Registry::start().await;
    let artifact = hello();
    registry.push("app", "1.0", &artifact).await;
    registry.push("other", "1.0", &artifact).await;
    let path = format!("/v2/app/manifests/{}", artifact.digest());
    assert_eq!(registry.send("DELETE", &path, "").await.status, 202);
    let answer = registry.get("/v2/_catalog").await;
    assert_eq!(answer.json(), json!({ "repositories": ["other"] }));
}
