use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::json;
use wasmport_artifact::{Descriptor, Digest, ImageManifest, Tag, limits, media_type};
use wasmport_client::{BlobSource, Kind, Push, push, push_signatures, signatures};
use wasmport_signature::{
    Authority, PrivateKey, Signature, bundle_manifest, sign_bundle, sign_simple,
};

use crate::stand_in::{Call, StandIn, answer};

const CREATED: &str = "2026-11-20T00:00:00Z";

fn subject() -> Descriptor {
    Descriptor::of(media_type::IMAGE_MANIFEST, &manifest())
}

fn manifest() -> Vec<u8> {
    let config = Descriptor::of(media_type::EMPTY, b"{}");
    ImageManifest::new(config.clone(), vec![config]).to_bytes()
}

fn artifact() -> Push {
    let config = Descriptor::of(media_type::EMPTY, b"{}");
    Push {
        manifest: manifest().into(),
        media_type: media_type::IMAGE_MANIFEST.to_owned(),
        blobs: vec![(config, BlobSource::Bytes(Bytes::from_static(b"{}")))],
    }
}

/// Signs in both forms, with a new key.
fn sign() -> (PrivateKey, Vec<Signature>) {
    let key = PrivateKey::generate().unwrap();
    let (digest, none) = (subject().digest, BTreeMap::new());
    let bundle = sign_bundle(&key, &digest, &none).unwrap();
    let simple = sign_simple(&key, &digest, "localhost/team/app", &none).unwrap();
    (key, vec![bundle, simple])
}

#[tokio::test]
async fn signatures_are_found_where_they_were_put() {
    for stand_in in [
        StandIn::start().await,
        StandIn::without_referrers_api().await,
    ] {
        let registry = stand_in.connect().await;
        let (key, signed) = sign();
        let pushed = push_signatures(&registry, &subject(), &signed, CREATED)
            .await
            .unwrap();
        let places: Vec<_> = pushed.into_iter().map(|pushed| pushed.place).collect();

        let read = signatures(&registry, &subject().digest).await.unwrap();
        assert!(read.unreadable.is_empty(), "{:?}", read.unreadable);
        let from: Vec<_> = read.found.iter().map(|found| found.from.clone()).collect();
        assert_eq!(from, places);
        for found in &read.found {
            let key = key.public_key().into();
            found.signature.verify(&subject().digest, &key).unwrap();
        }
        assert_eq!(read.found.len(), 2);
    }
}

#[tokio::test]
async fn signatures_go_before_the_manifest() {
    let stand_in = StandIn::start().await;
    let registry = stand_in.connect().await;
    let reference = stand_in.reference(":v1");
    push(&registry, &reference, &artifact(), &sign().1, CREATED)
        .await
        .unwrap();
    let calls = stand_in.calls();
    let puts: Vec<&Call> = calls
        .iter()
        .filter(|call| call.is("PUT", "/manifests/"))
        .collect();
    assert!(puts[0].path.contains("/manifests/sha256:"), "{puts:?}");
    assert!(puts[1].path.contains("/manifests/sha256-"), "{puts:?}");
    assert!(puts[2].path.ends_with("/manifests/v1"), "{puts:?}");
}

#[tokio::test]
async fn a_registry_that_wants_the_subject_first_gets_the_signatures_last() {
    let subject_is_there = std::sync::atomic::AtomicBool::new(false);
    let stand_in = StandIn::with(move |call: &Call, _| {
        use std::sync::atomic::Ordering;
        if call.is("PUT", "/manifests/v1") {
            subject_is_there.store(true, Ordering::SeqCst);
        }
        let early = call.is("PUT", "/manifests/") && !subject_is_there.load(Ordering::SeqCst);
        early.then(|| answer(404, r#"{"errors":[{"code":"MANIFEST_UNKNOWN"}]}"#))
    });
    let stand_in = stand_in.await;
    let registry = stand_in.connect().await;
    let reference = stand_in.reference(":v1");
    let pushed = push(&registry, &reference, &artifact(), &sign().1, CREATED)
        .await
        .unwrap();
    assert_eq!(pushed.signatures.len(), 2);
    let read = signatures(&registry, &subject().digest).await.unwrap();
    assert_eq!(read.found.len(), 2);
}

#[tokio::test]
async fn the_fallback_list_names_the_artifact_and_keeps_what_was_there() {
    let stand_in = StandIn::without_referrers_api().await;
    let tag = Tag::referrers_fallback(&subject().digest);
    let other = Descriptor::of(media_type::IMAGE_MANIFEST, b"an sbom");
    let index = json!({"schemaVersion": 2, "mediaType": media_type::IMAGE_INDEX,
        "manifests": [other]});
    stand_in.hold_manifest(
        tag.as_str(),
        media_type::IMAGE_INDEX,
        index.to_string().as_bytes(),
    );
    let registry = stand_in.connect().await;
    let signed = &sign().1[..1];
    push_signatures(&registry, &subject(), signed, CREATED)
        .await
        .unwrap();
    push_signatures(&registry, &subject(), signed, CREATED)
        .await
        .unwrap();

    let index = stand_in.manifest(tag.as_str()).unwrap();
    let entries = index["manifests"].as_array().unwrap();
    assert_eq!(entries.len(), 2, "{index:#}");
    assert_eq!(entries[0], json!(other));
    assert_eq!(entries[1]["artifactType"], media_type::SIGSTORE_BUNDLE);
    let annotations = &entries[1]["annotations"];
    assert_eq!(annotations["dev.sigstore.bundle.content"], "dsse-envelope");
    assert_eq!(annotations["org.opencontainers.image.created"], CREATED);
}

#[tokio::test]
async fn a_second_signer_does_not_overwrite_the_first() {
    let stand_in = StandIn::start().await;
    let registry = stand_in.connect().await;
    let ((first, by_first), (second, by_second)) = (sign(), sign());
    for signed in [by_first, by_second] {
        push_signatures(&registry, &subject(), &signed, CREATED)
            .await
            .unwrap();
    }
    let read = signatures(&registry, &subject().digest).await.unwrap();
    assert_eq!(read.found.len(), 4);
    for key in [first, second].map(|key| Authority::from(key.public_key())) {
        let digest = subject().digest;
        let good = |signature: &Signature| signature.verify(&digest, &key).is_ok();
        let count = read
            .found
            .iter()
            .filter(|found| good(&found.signature))
            .count();
        assert_eq!(count, 2);
    }
}

#[tokio::test]
async fn a_referrer_is_judged_by_its_manifest_and_not_by_the_list() {
    // As cosign 3 writes the list on registries without the referrers API: every entry has
    // the type of the empty config.
    let stand_in = StandIn::without_referrers_api().await;
    let (_, signed) = sign();
    let Signature::Bundle { bytes } = &signed[0] else {
        panic!("the first is a bundle")
    };
    let bundle = bundle_manifest(bytes, subject(), CREATED).to_bytes();
    let mut sbom = ImageManifest::new(
        Descriptor::of(media_type::EMPTY, b"{}"),
        vec![Descriptor::of("application/spdx+json", b"sbom")],
    );
    sbom.subject = Some(subject());
    let entries: Vec<Descriptor> = [&bundle, &sbom.to_bytes()]
        .into_iter()
        .map(|manifest| {
            stand_in.hold_manifest("unnamed", media_type::IMAGE_MANIFEST, manifest);
            let mut entry = Descriptor::of(media_type::IMAGE_MANIFEST, manifest);
            entry.artifact_type = Some(media_type::EMPTY.to_owned());
            entry
        })
        .collect();
    stand_in.hold_blob(bytes);
    let index = json!({"schemaVersion": 2, "manifests": entries}).to_string();
    let tag = Tag::referrers_fallback(&subject().digest);
    stand_in.hold_manifest(tag.as_str(), media_type::IMAGE_INDEX, index.as_bytes());

    let read = signatures(&stand_in.connect().await, &subject().digest)
        .await
        .unwrap();
    let found: Vec<&Signature> = read.found.iter().map(|found| &found.signature).collect();
    assert_eq!(found, [&signed[0]]);
    assert!(read.unreadable.is_empty(), "{:?}", read.unreadable);
}

#[tokio::test]
async fn one_that_cannot_be_read_is_reported_and_hides_nothing() {
    let stand_in = StandIn::start().await;
    let registry = stand_in.connect().await;
    let (_, signed) = sign();
    push_signatures(&registry, &subject(), &signed, CREATED)
        .await
        .unwrap();
    let lost = bundle_manifest(b"its blob was never pushed", subject(), CREATED);
    let huge = vec![b' '; limits::SIGNATURE_BYTES + 1];
    let huge = bundle_manifest(&huge, subject(), CREATED);
    for manifest in [&lost, &huge] {
        let bytes = manifest.to_bytes();
        stand_in.hold_manifest("unnamed", media_type::IMAGE_MANIFEST, &bytes);
    }
    let read = signatures(&registry, &subject().digest).await.unwrap();
    assert_eq!(read.found.len(), 2);
    let unreadable: BTreeMap<_, _> = read
        .unreadable
        .iter()
        .map(|one| (one.from.as_str(), one.reason.as_str()))
        .collect();
    let place = |manifest: &ImageManifest| format!("referrer {}", Digest::of(&manifest.to_bytes()));
    assert!(
        unreadable[place(&lost).as_str()].contains("not here"),
        "{unreadable:?}"
    );
    assert!(
        unreadable[place(&huge).as_str()].contains("at most"),
        "{unreadable:?}"
    );
}

#[tokio::test]
async fn a_registry_that_cannot_be_asked_is_an_error_and_not_no_signatures() {
    for part in ["/referrers/", ".sig"] {
        let down = move |call: &Call, _| call.is("GET", part).then(|| answer(503, ""));
        let registry = StandIn::with(down).await.connect().await;
        let error = signatures(&registry, &subject().digest).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Busy, "{part}");
    }
}

#[tokio::test]
async fn nothing_there_is_no_signatures() {
    for stand_in in [
        StandIn::start().await,
        StandIn::without_referrers_api().await,
    ] {
        let read = signatures(&stand_in.connect().await, &subject().digest)
            .await
            .unwrap();
        assert!(read.found.is_empty() && read.unreadable.is_empty());
    }
}

#[tokio::test]
async fn a_long_list_of_referrers_is_followed_but_not_to_another_host() {
    use crate::stand_in::answer_with;
    let page = |entry: &[u8], link: Option<&str>| {
        let entry = Descriptor::of(media_type::IMAGE_MANIFEST, entry);
        let body = json!({"schemaVersion": 2, "manifests": [entry]}).to_string();
        let mut headers = vec![("content-type", media_type::IMAGE_INDEX)];
        headers.extend(link.map(|link| ("link", link)));
        answer_with(200, &headers, body)
    };
    let stand_in = StandIn::with(move |call: &Call, _| match call.path.split_once('?') {
        None if call.is("GET", "/referrers/") => Some(page(
            b"1",
            Some(r#"</v2/team/app/referrers/x?page=2>; rel="next""#),
        )),
        Some((_, "page=2")) => Some(page(b"2", None)),
        _ => None,
    });
    let registry = stand_in.await.connect().await;
    assert_eq!(
        registry.referrers(&subject().digest).await.unwrap().len(),
        2
    );

    let stray = StandIn::with(move |call: &Call, _| {
        let link = r#"<http://elsewhere.test/x>; rel="next""#;
        call.is("GET", "/referrers/")
            .then(|| page(b"1", Some(link)))
    });
    let registry = stray.await.connect().await;
    let error = registry.referrers(&subject().digest).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Protocol);
}
