//! Signatures among many: what is read, what is not, and that it is said.

use std::collections::BTreeMap;

use serde_json::json;
use wasmport_artifact::{Descriptor, Digest, ImageManifest, Tag, media_type};
use wasmport_registry::App;
use wasmport_registry::storage::Store;
use wasmport_signature::{PrivateKey, Signature, bundle_manifest, sign_bundle};

use crate::artifact::{Artifact, hello, hello_again};
use crate::registry::Registry;
use crate::signatures::{SIGNED, key, loaded, push_bundle, push_simple, signed_by};

const SIGNATURE: &str = "https://sigstore.dev/cosign/sign/v1";

/// A registry in memory that wants a signature by `key`, and something that waits for one.
async fn waiting_for(key: &PrivateKey) -> (Registry, Artifact) {
    let mut app: Option<App> = None;
    let registry = Registry::over_app(Store::in_memory(), |opened| app = Some(opened.clone()));
    let registry = registry.await;
    app.unwrap().replace_policy(signed_by(key)).await.unwrap();
    let artifact = hello();
    let answer = registry.push("app", "1.0", &artifact).await;
    assert!(answer.header("warning").contains("held"));
    (registry, artifact)
}

/// A referrer that says that it is a bundle with this predicate, and is none.
async fn push_junk(registry: &Registry, subject: &Artifact, number: usize, predicate: &str) {
    let junk = json!({ "junk": number }).to_string().into_bytes();
    let layer = Descriptor::of(media_type::SIGSTORE_BUNDLE, &junk);
    let mut manifest = ImageManifest::new(Descriptor::of(media_type::EMPTY, b"{}"), vec![layer]);
    manifest.artifact_type = Some(media_type::SIGSTORE_BUNDLE.to_owned());
    manifest.subject = Some(subject.descriptor());
    let claim = ("dev.sigstore.bundle.predicateType", predicate);
    manifest.annotations.insert(claim.0.into(), claim.1.into());
    let manifest = manifest.to_bytes();
    registry.push_blob("app", b"{}").await;
    registry.push_blob("app", &junk).await;
    let digest = Digest::of(&manifest);
    let kind = media_type::IMAGE_MANIFEST;
    let answer = registry
        .put_manifest("app", digest.as_str(), kind, &manifest)
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text());
}

async fn is_out(registry: &Registry) -> bool {
    registry.get("/v2/app/manifests/1.0").await.status == 200
}

/// What the policy says of something that it does not let out.
async fn words(registry: &Registry, artifact: &Artifact) -> String {
    let path = format!("/v2/app/_wasmport/decision/{}", artifact.digest());
    let decision = registry.get(&path).await.json();
    let findings = decision["today"]["findings"].as_array().unwrap().clone();
    let [finding] = findings.as_slice() else {
        panic!("{decision}");
    };
    finding["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn hundreds_of_other_statements_do_not_crowd_out_the_signature() {
    let release = key();
    let (registry, artifact) = waiting_for(&release).await;
    for number in 0..250 {
        push_junk(&registry, &artifact, number, "https://spdx.dev/Document").await;
    }
    push_bundle(&registry, "app", &artifact, &release).await;
    assert!(is_out(&registry).await);
}

#[tokio::test]
async fn what_is_too_much_to_be_read_is_not_believed_and_that_is_said() {
    let release = key();
    let (registry, artifact) = waiting_for(&release).await;
    for number in 0..112 {
        push_junk(&registry, &artifact, number, SIGNATURE).await;
    }
    let said = words(&registry, &artifact).await;
    let expected = "none has signed; 12 more were not looked at, since there are too many, and \
                    not believed";
    assert!(said.ends_with(expected), "{said}");
    // Another place for signatures has its turn all the same.
    push_simple(&registry, "app", &artifact, &release).await;
    assert!(is_out(&registry).await);
}

#[tokio::test]
async fn one_large_payload_under_hundreds_of_signatures_is_not_read_hundreds_of_times() {
    let release = key();
    let (registry, artifact) = waiting_for(&release).await;
    let mut payload = b"{\"critical\":".to_vec();
    payload.resize(1024 * 1024, b' ');
    let layer = |number: usize| {
        let layer = Descriptor::of(media_type::SIMPLE_SIGNING, &payload);
        layer.annotated("dev.cosignproject.cosign/signature", &number.to_string())
    };
    let config = Descriptor::of(media_type::IMAGE_CONFIG, b"{}");
    let manifest = ImageManifest::new(config, (0..300).map(layer).collect());
    registry.push_blob("app", b"{}").await;
    registry.push_blob("app", &payload).await;
    let tag = Tag::cosign_signatures(&artifact.digest());
    let kind = media_type::IMAGE_MANIFEST;
    let bytes = manifest.to_bytes();
    let answer = registry.put_manifest("app", tag.as_str(), kind, &bytes);
    assert_eq!(answer.await.status, 201);
    let said = words(&registry, &artifact).await;
    assert!(said.contains("284 more were not looked at"), "{said}");
    push_bundle(&registry, "app", &artifact, &release).await;
    assert!(is_out(&registry).await);
}

#[tokio::test]
async fn a_signature_that_was_verified_once_is_not_crowded_out() {
    let release = key();
    let (registry, artifact) = waiting_for(&release).await;
    for number in 0..120 {
        push_junk(&registry, &artifact, number, SIGNATURE).await;
    }
    assert!(!is_out(&registry).await);
    push_bundle(&registry, "app", &artifact, &release).await;
    assert!(is_out(&registry).await);
    for number in 120..240 {
        push_junk(&registry, &artifact, number, SIGNATURE).await;
    }
    assert!(is_out(&registry).await);
}

#[tokio::test]
async fn nor_is_one_that_came_before_the_artifact() {
    let release = key();
    let (registry, _) = waiting_for(&release).await;
    let artifact = hello_again();
    push_bundle(&registry, "app", &artifact, &release).await;
    registry.push("app", "1.0", &artifact).await;
    assert!(is_out(&registry).await);
    for number in 0..120 {
        push_junk(&registry, &artifact, number, SIGNATURE).await;
    }
    assert!(is_out(&registry).await);
}

/// A manifest of its own around a bundle that is there already.
async fn push_again(registry: &Registry, subject: &Artifact, key: &PrivateKey, number: usize) {
    let signature = sign_bundle(key, &subject.digest(), &BTreeMap::new()).unwrap();
    let Signature::Bundle { bytes } = signature else {
        panic!("not a bundle")
    };
    registry.push_blob("app", &bytes).await;
    for number in 0..number {
        let created = format!("2026-11-20T00:00:{number:02}Z");
        let manifest = bundle_manifest(&bytes, subject.descriptor(), &created).to_bytes();
        let digest = Digest::of(&manifest);
        let kind = media_type::IMAGE_MANIFEST;
        let answer = registry.put_manifest("app", digest.as_str(), kind, &manifest);
        assert_eq!(answer.await.status, 201);
    }
}

#[tokio::test]
async fn nor_behind_one_of_another_signer_that_is_pushed_again_and_again() {
    let (release, other) = (key(), key());
    let mut app: Option<App> = None;
    let registry = Registry::over_app(Store::in_memory(), |opened| app = Some(opened.clone()));
    let registry = registry.await;
    let pem = other.public_key().to_pem();
    let two = format!("{SIGNED}\n[signer.other]\nkey = \"\"\"\n{pem}\"\"\"\n");
    let policy = loaded(&two, &release);
    app.unwrap().replace_policy(policy).await.unwrap();
    let artifact = hello();
    registry.push("app", "1.0", &artifact).await;
    registry.push_blob("app", b"{}").await;
    push_again(&registry, &artifact, &other, 40).await;
    push_bundle(&registry, "app", &artifact, &release).await;
    assert!(is_out(&registry).await);
    for number in 0..120 {
        push_junk(&registry, &artifact, number, SIGNATURE).await;
    }
    assert!(is_out(&registry).await);
}
