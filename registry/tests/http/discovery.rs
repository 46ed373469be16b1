//! Content discovery: tags and referrers.

use serde_json::{Value, json};
use wasmport_artifact::{Descriptor, Digest, ImageManifest, Tag, media_type};

use crate::artifact::{Artifact, hello};
use crate::registry::Registry;

async fn tagged(tags: &[&str]) -> Registry {
    let registry = Registry::start().await;
    for tag in tags {
        registry
            .push("team/app", tag, &Artifact::other(b"x", None, None))
            .await;
    }
    registry
}

fn digests(answer: &Value) -> Vec<String> {
    let manifests = answer["manifests"].as_array().unwrap();
    let digest = |manifest: &Value| manifest["digest"].as_str().unwrap().to_owned();
    manifests.iter().map(digest).collect()
}

#[tokio::test]
async fn tags_are_listed_in_the_order_of_their_bytes() {
    let registry = tagged(&["b", "a", "B", "1.0", "1.0-rc"]).await;
    let answer = registry.get("/v2/team/app/tags/list").await;
    let expected = json!({ "name": "team/app", "tags": ["1.0", "1.0-rc", "B", "a", "b"] });
    assert_eq!(answer.json(), expected);
    assert!(!answer.has_header("link"));
}

#[tokio::test]
async fn following_the_links_gives_every_tag_once() {
    let registry = tagged(&["a", "b", "c", "d", "e"]).await;
    let mut path = "/v2/team/app/tags/list?n=2".to_owned();
    let mut pages = Vec::new();
    loop {
        let answer = registry.get(&path).await;
        pages.push(answer.json()["tags"].clone());
        if !answer.has_header("link") {
            break;
        }
        let link = answer.header("link");
        path = link
            .strip_prefix('<')
            .unwrap()
            .split('>')
            .next()
            .unwrap()
            .to_owned();
        assert!(link.ends_with(r#"; rel="next""#), "{link}");
    }
    assert_eq!(pages, [json!(["a", "b"]), json!(["c", "d"]), json!(["e"])]);
}

#[tokio::test]
async fn last_need_not_be_a_tag_that_is_there() {
    let registry = tagged(&["a", "c"]).await;
    for (last, expected) in [("a", json!(["c"])), ("b", json!(["c"])), ("c", json!([]))] {
        let answer = registry
            .get(&format!("/v2/team/app/tags/list?last={last}"))
            .await;
        assert_eq!(answer.json()["tags"], expected);
    }
}

#[tokio::test]
async fn none_are_asked_for_and_none_are_given() {
    let registry = tagged(&["a"]).await;
    let answer = registry.get("/v2/team/app/tags/list?n=0").await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()["tags"].clone()),
        (200, json!([]))
    );
    assert!(!answer.has_header("link"));
}

#[tokio::test]
async fn a_repository_without_tags_has_an_empty_list() {
    let registry = Registry::start().await;
    registry.push_blob("app", b"x").await;
    let answer = registry.get("/v2/app/tags/list").await;
    assert_eq!(answer.json(), json!({ "name": "app", "tags": [] }));
}

#[tokio::test]
async fn referrers_of_nothing_are_an_empty_index() {
    let registry = Registry::start().await;
    let path = format!("/v2/app/referrers/{}", Digest::of(b"nothing"));
    let answer = registry.get(&path).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), media_type::IMAGE_INDEX);
    let expected =
        json!({ "schemaVersion": 2, "mediaType": media_type::IMAGE_INDEX, "manifests": [] });
    assert_eq!(answer.json(), expected);
}

#[tokio::test]
async fn a_referrer_may_come_before_its_subject_and_is_described_in_full() {
    let registry = Registry::start().await;
    let subject = hello();
    let referrer = Artifact::other(b"words", Some(subject.descriptor()), Some("text/words"));
    let answer = registry
        .push("app", referrer.digest().as_str(), &referrer)
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.header("oci-subject"), subject.digest().as_str());
    let list = registry
        .get(&format!("/v2/app/referrers/{}", subject.digest()))
        .await;
    let expected = json!([{
        "mediaType": media_type::IMAGE_MANIFEST,
        "digest": referrer.digest(),
        "size": referrer.manifest.len(),
        "artifactType": "text/words",
    }]);
    assert_eq!(list.json()["manifests"], expected);
    let elsewhere = registry
        .get(&format!("/v2/other/referrers/{}", subject.digest()))
        .await;
    assert_eq!(elsewhere.json()["manifests"], json!([]));
}

#[tokio::test]
async fn referrers_are_filtered_by_type() {
    let registry = Registry::start().await;
    let subject = hello().descriptor();
    let one = Artifact::other(b"1", Some(subject.clone()), Some("application/one"));
    let two = Artifact::other(b"2", Some(subject.clone()), Some("application/two"));
    for artifact in [&one, &two] {
        registry
            .push("app", artifact.digest().as_str(), artifact)
            .await;
    }
    let path = format!("/v2/app/referrers/{}", subject.digest);
    assert_eq!(digests(&registry.get(&path).await.json()).len(), 2);
    let filtered = registry
        .get(&format!("{path}?artifactType=application%2Fone"))
        .await;
    assert_eq!(filtered.header("oci-filters-applied"), "artifactType");
    assert_eq!(digests(&filtered.json()), [one.digest().to_string()]);
}

#[tokio::test]
async fn what_stands_under_the_fallback_tag_is_listed_too() {
    let registry = Registry::start().await;
    let subject = hello().descriptor();
    let known = Artifact::other(b"1", Some(subject.clone()), Some("application/one"));
    registry.push("app", known.digest().as_str(), &known).await;
    let old = Descriptor::of(media_type::IMAGE_MANIFEST, b"an older referrer");
    let index = json!({
        "schemaVersion": 2,
        "mediaType": media_type::IMAGE_INDEX,
        "manifests": [old, known.descriptor()],
    });
    let tag = Tag::referrers_fallback(&subject.digest);
    let bytes = index.to_string().into_bytes();
    let kind = media_type::IMAGE_INDEX;
    let answer = registry
        .put_manifest("app", tag.as_str(), kind, &bytes)
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let list = registry
        .get(&format!("/v2/app/referrers/{}", subject.digest))
        .await;
    let mut expected = [known.digest().to_string(), old.digest.to_string()];
    let mut found = digests(&list.json());
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
}

/// The digests on each page, following the links from `path`.
async fn pages(registry: &Registry, path: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut path = path.to_owned();
    loop {
        let answer = registry.get(&path).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(answer.body.len() <= 4 * 1024 * 1024);
        pages.push(digests(&answer.json()));
        if !answer.has_header("link") {
            return pages;
        }
        let (next, rest) = answer.header("link").split_once('>').unwrap();
        assert_eq!(rest, r#"; rel="next""#);
        next.strip_prefix('<').unwrap().clone_into(&mut path);
    }
}

#[tokio::test]
async fn following_the_links_gives_every_referrer_once() {
    let registry = Registry::start().await;
    let subject = hello().descriptor();
    let mut expected = Vec::new();
    for n in 0..7_u8 {
        let kind = ["application/odd", "application/even"][usize::from(n % 2 == 0)];
        let referrer = Artifact::other(&[n], Some(subject.clone()), Some(kind));
        registry
            .push("app", referrer.digest().as_str(), &referrer)
            .await;
        expected.push(referrer.digest().to_string());
    }
    // One that is known already, and one that is not.
    let old = Descriptor::of(media_type::IMAGE_MANIFEST, b"an older referrer");
    let known: Digest = expected[0].parse().unwrap();
    let known = Descriptor::new(media_type::IMAGE_MANIFEST, known, 1);
    let index = json!({
        "schemaVersion": 2,
        "mediaType": media_type::IMAGE_INDEX,
        "manifests": [old, known, old],
    });
    let bytes = index.to_string().into_bytes();
    let tag = Tag::referrers_fallback(&subject.digest);
    registry
        .put_manifest("app", tag.as_str(), media_type::IMAGE_INDEX, &bytes)
        .await;
    expected.push(old.digest.to_string());
    expected.sort();
    let path = format!("/v2/app/referrers/{}", subject.digest);
    for n in [1, 3, 7, 8, 100] {
        let found = pages(&registry, &format!("{path}?n={n}")).await;
        assert!(found.iter().all(|page| page.len() <= n));
        assert_eq!(found.concat(), expected, "{n}");
    }
    let even = pages(
        &registry,
        &format!("{path}?n=2&artifactType=application/even"),
    )
    .await;
    assert_eq!(even.concat().len(), 4);
    assert!(
        pages(&registry, &format!("{path}?n=0"))
            .await
            .concat()
            .is_empty()
    );
}

#[tokio::test]
async fn a_page_of_referrers_is_no_larger_than_a_manifest() {
    let registry = Registry::start().await;
    registry.push_blob("app", b"{}").await;
    let subject = hello().descriptor();
    for n in 0..3 {
        let mut manifest = ImageManifest::new(Descriptor::of(media_type::EMPTY, b"{}"), vec![]);
        manifest.subject = Some(subject.clone());
        let words = ("words".to_owned(), format!("{n}{}", "x".repeat(2_000_000)));
        manifest.annotations.extend([words]);
        let bytes = manifest.to_bytes();
        let kind = media_type::IMAGE_MANIFEST;
        let answer = registry
            .put_manifest("app", Digest::of(&bytes).as_str(), kind, &bytes)
            .await;
        assert_eq!(answer.status, 201, "{}", answer.text());
    }
    let path = format!("/v2/app/referrers/{}", subject.digest);
    let found = pages(&registry, &path).await;
    let sizes: Vec<usize> = found.iter().map(Vec::len).collect();
    assert_eq!(sizes, [2, 1]);
}
