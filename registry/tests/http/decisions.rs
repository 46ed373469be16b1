//! What the policy says of what is stored, and what it is compared with.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use tempfile::TempDir;
use wasmport_artifact::{Descriptor, Digest, ImageManifest, Tag, media_type};
use wasmport_policies::Facts;
use wasmport_registry::config::Settings;
use wasmport_registry::storage::Store;
use wasmport_registry::{App, Attestor, LoadedPolicy, Secrets, audit_store, survey};
use wasmport_signature::{Attestation, PrivateKey, Signature, sign_bundle, sign_statement};

use crate::artifact::{Artifact, caller, hello, hello_again};
use crate::registry::Registry;
use crate::signatures::{key, policy, push_bundle, signed_by};

const CAREFUL: &str = "schema = 1\n[[rule]]\nid = \"careful\"\nrepositories = [\"**\"]\n\
    allow = [\"*\"]\nnew-capabilities = \"hold\"\n";

async fn decision(registry: &Registry, reference: &str) -> Value {
    let answer = registry
        .get(&format!("/v2/app/_wasmport/decision/{reference}"))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[tokio::test]
async fn a_decision_says_why_with_what_and_when() {
    let registry = Registry::start().await;
    let artifact = hello();
    registry.push("app", "1.0", &artifact).await;
    let by_tag = decision(&registry, "1.0").await;
    assert_eq!(by_tag["digest"], json!(artifact.digest()));
    assert_eq!(
        (&by_tag["tag"], &by_tag["today"]["verdict"]),
        (&json!("1.0"), &json!("admit"))
    );
    let (today, recorded) = (&by_tag["today"], &by_tag["recorded"]);
    for digest in ["policyDigest", "factsDigest"] {
        let text = today[digest].as_str().unwrap();
        assert!(text.starts_with("sha256:"), "{digest}: {text}");
        assert_eq!(recorded["policyDigest"], today["policyDigest"]);
    }
    assert_eq!(recorded["verdict"], "admit");
    let by_digest = decision(&registry, artifact.digest().as_str()).await;
    assert_eq!(by_digest["recorded"], *recorded);
    let unknown = registry.get("/v2/app/_wasmport/decision/2.0").await;
    assert_eq!(
        (unknown.status.as_u16(), unknown.code().as_str()),
        (404, "MANIFEST_UNKNOWN")
    );
    // With the manifest goes what was written down of it.
    let path = format!("/v2/app/manifests/{}", artifact.digest());
    assert_eq!(registry.send("DELETE", &path, "").await.status, 202);
    registry.push("app", "2.0", &hello_again()).await;
    let gone = registry.get("/v2/app/_wasmport/decision/1.0").await;
    assert_eq!(gone.status, 404);
}

#[tokio::test]
async fn what_was_held_is_written_down_when_it_is_let_out() {
    let key = key();
    let registry = Registry::start_with(&signed_by(&key)).await;
    let artifact = hello();
    registry.push("app", "1.0", &artifact).await;
    let held = decision(&registry, artifact.digest().as_str()).await;
    assert_eq!(
        (&held["today"]["verdict"], &held["recorded"]["verdict"]),
        (&json!("hold"), &json!("hold"))
    );
    push_bundle(&registry, "app", &artifact, &key).await;
    let admitted = decision(&registry, "1.0").await;
    assert_eq!(admitted["today"]["verdict"], "admit");
    assert_eq!(admitted["recorded"]["verdict"], "admit");
}

#[tokio::test]
async fn a_tag_that_something_waits_for_says_so() {
    let key = key();
    let registry = Registry::start_with(&signed_by(&key)).await;
    let (first, second) = (hello(), hello_again());
    registry.push("app", "1.0", &first).await;
    let waits = decision(&registry, "1.0").await;
    assert_eq!(waits["today"]["verdict"], "hold");
    let named = [&waits["digest"], &waits["waiting"], &waits["tag"]];
    let expected = json!(first.digest());
    assert_eq!(named, [&expected, &expected, &Value::Null]);

    push_bundle(&registry, "app", &first, &key).await;
    let released = decision(&registry, "1.0").await;
    assert_eq!(released["tag"], "1.0");
    assert_eq!(released["waiting"], Value::Null);

    registry.push("app", "1.0", &second).await;
    let both = decision(&registry, "1.0").await;
    assert_eq!(both["digest"], expected);
    assert_eq!(both["today"]["verdict"], "admit");
    assert_eq!(both["waiting"], json!(second.digest()));
}

#[tokio::test]
async fn new_capabilities_are_those_that_the_version_before_did_not_have() {
    let registry = Registry::start_with(&policy(CAREFUL)).await;
    assert_eq!(registry.push("app", "1.0.0", &hello()).await.status, 201);
    let caller = caller();
    let held = registry.push("app", "1.1.0", &caller).await;
    assert!(held.header("warning").contains("held"));
    assert_eq!(registry.get("/v2/app/manifests/1.1.0").await.status, 404);
    let compared = decision(&registry, caller.digest().as_str()).await;
    assert_eq!(compared["today"]["verdict"], "hold");
    assert_eq!(compared["recorded"]["comparedWith"][0]["tag"], "1.0.0");
    // Neither another tag nor none takes it out of the comparison.
    for reference in ["other", "0.0.1", caller.digest().as_str()] {
        let kind = media_type::IMAGE_MANIFEST;
        let answer = registry
            .put_manifest("app", reference, kind, &caller.manifest)
            .await;
        assert!(answer.header("warning").contains("held"), "{reference}");
    }
    // In a repository of its own it is the first.
    assert!(
        !registry
            .push("new", "1.0.0", &caller)
            .await
            .has_header("warning")
    );
}

#[tokio::test]
async fn a_former_target_of_a_tag_is_compared_even_where_no_version_is_named() {
    let registry = Registry::start_with(&policy(CAREFUL)).await;
    registry.push("app", "main", &hello()).await;
    for reference in ["side", "main"] {
        let answer = registry.push("app", reference, &caller()).await;
        assert!(answer.header("warning").contains("held"), "{reference}");
    }
    assert_eq!(
        registry.get("/v2/app/manifests/main").await.body,
        hello().manifest
    );
}

/// A policy that wants provenance by `key`, under the name `ci`.
fn attested_by(key: &PrivateKey) -> LoadedPolicy {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("policy.toml");
    fs::write(directory.path().join("ci.pub"), key.public_key().to_pem()).unwrap();
    let text = "schema = 1\n[[rule]]\nid = \"attested\"\nrepositories = [\"**\"]\nallow = [\"std\"]\n\
        attestations = [{ predicate = \"https://sigstore.dev/cosign/sign/v1\", from = [\"ci\"] }]\n\
        [signer.ci]\nkey = \"ci.pub\"\n";
    fs::write(&path, text).unwrap();
    LoadedPolicy::load(path.to_str().unwrap()).unwrap()
}

#[tokio::test]
async fn an_attestation_that_arrives_lets_the_artifact_out() {
    let ci = key();
    let registry = Registry::start_with(&attested_by(&ci)).await;
    let artifact = hello();
    let held = registry.push("app", "1.0", &artifact).await;
    assert!(held.header("warning").contains("held"), "{}", held.text());
    // By somebody else it counts for nothing.
    push_bundle(&registry, "app", &artifact, &key()).await;
    assert_eq!(registry.get("/v2/app/manifests/1.0").await.status, 404);
    push_bundle(&registry, "app", &artifact, &ci).await;
    assert_eq!(registry.get("/v2/app/manifests/1.0").await.status, 200);
}

#[tokio::test]
async fn an_envelope_under_the_att_tag_is_an_attestation_too() {
    let ci = key();
    let registry = Registry::start_with(&attested_by(&ci)).await;
    let artifact = hello();
    registry.push("app", "1.0", &artifact).await;
    // The envelope of a bundle is what cosign 2 stores alone.
    let signed = sign_bundle(&ci, &artifact.digest(), &BTreeMap::new());
    let Signature::Bundle { bytes } = signed.unwrap() else {
        panic!("not a bundle");
    };
    let bundle: Value = serde_json::from_slice(&bytes).unwrap();
    let envelope = bundle["dsseEnvelope"].to_string().into_bytes();
    let config = b"{}".to_vec();
    let kind = "application/vnd.dsse.envelope.v1+json";
    let manifest = ImageManifest::new(
        Descriptor::of(media_type::IMAGE_CONFIG, &config),
        vec![Descriptor::of(kind, &envelope)],
    );
    for blob in [&config, &envelope] {
        registry.push_blob("app", blob).await;
    }
    let tag = Tag::cosign_attestations(&artifact.digest());
    let answer = registry
        .put_manifest(
            "app",
            tag.as_str(),
            media_type::IMAGE_MANIFEST,
            &manifest.to_bytes(),
        )
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(registry.get("/v2/app/manifests/1.0").await.status, 200);
}

/// Signs with a key, as `wasmport serve` does.
#[derive(Debug)]
struct Signing(PrivateKey);

impl Attestor for Signing {
    fn attest(
        &self,
        subject: &Digest,
        predicate_type: &str,
        predicate: &Value,
    ) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        match sign_statement(&self.0, subject, predicate_type, predicate)? {
            Signature::Bundle { bytes } => Ok(bytes),
            Signature::Simple { .. } => Err("not a bundle".into()),
        }
    }
}

#[tokio::test]
async fn what_is_admitted_has_a_signed_summary_among_its_referrers() {
    let key = key();
    let public = key.public_key();
    let signing = Arc::new(Signing(key));
    let registry = Registry::over_app(Store::in_memory(), |app| app.set_attestor(signing)).await;
    let artifact = hello();
    // The second push changes nothing, and so there is nothing new to be said.
    for _ in 0..2 {
        assert_eq!(registry.push("app", "1.0", &artifact).await.status, 201);
    }
    registry.push("app", "2.0", &caller()).await;
    let referrers = registry
        .get(&format!("/v2/app/referrers/{}", artifact.digest()))
        .await;
    let referrers = referrers.json()["manifests"].clone();
    assert_eq!(referrers.as_array().unwrap().len(), 1, "{referrers}");
    let kind = "https://slsa.dev/verification_summary/v1";
    let annotations = &referrers[0]["annotations"];
    assert_eq!(annotations["dev.sigstore.bundle.predicateType"], kind);
    let path = format!(
        "/v2/app/manifests/{}",
        referrers[0]["digest"].as_str().unwrap()
    );
    let manifest = registry.get(&path).await.json();
    let layer = manifest["layers"][0]["digest"].as_str().unwrap();
    let bytes = registry.get(&format!("/v2/app/blobs/{layer}")).await.body;
    let attestation = Attestation::Bundle { bytes };
    let said = attestation
        .verify(&artifact.digest(), &public.into())
        .unwrap();
    assert_eq!(said, kind);
    let denied = registry
        .get(&format!("/v2/app/referrers/{}", caller().digest()))
        .await;
    assert_eq!(denied.json()["manifests"], json!([]));
}

/// Cannot sign the first times.
#[derive(Debug)]
struct Failing {
    signing: Signing,
    failures: AtomicU32,
}

impl Attestor for Failing {
    fn attest(
        &self,
        subject: &Digest,
        predicate_type: &str,
        predicate: &Value,
    ) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        assert_eq!(predicate["verifier"]["id"], "https://wasm.example.com");
        let uri = predicate["resourceUri"].as_str().unwrap();
        assert!(uri.starts_with("wasm.example.com/app@sha256:"), "{uri}");
        let left = self.failures.load(Ordering::SeqCst);
        if left > 0 {
            self.failures.store(left - 1, Ordering::SeqCst);
            return Err("the key is not at hand".into());
        }
        self.signing.attest(subject, predicate_type, predicate)
    }
}

#[tokio::test]
async fn a_summary_that_fails_is_tried_again_now_and_at_the_next_push() {
    // Once is mended at once; five times take a second push.
    for (failures, pushes) in [(1, 1), (5, 2)] {
        let failing = Arc::new(Failing {
            signing: Signing(key()),
            failures: failures.into(),
        });
        let mut app: Option<App> = None;
        let registry = Registry::over_app(Store::in_memory(), |opened| {
            opened.set_attestor(failing);
            app = Some(opened.clone());
        })
        .await;
        let text = "[server]\nexternal-url = \"https://wasm.example.com\"\n";
        let settings = Settings::parse("registry.toml".as_ref(), text).unwrap();
        let app = app.unwrap();
        app.configure(&settings, &Secrets::default()).await.unwrap();
        let path = format!("/v2/app/referrers/{}", hello().digest());
        for push in 1..=pushes {
            assert_eq!(registry.push("app", "1.0", &hello()).await.status, 201);
            let referrers = registry.get(&path).await.json();
            let published = referrers["manifests"].as_array().unwrap().len();
            assert_eq!(published, usize::from(push == pushes), "{failures}: {push}");
        }
    }
}

#[tokio::test]
async fn in_audit_mode_everything_is_let_out_and_what_would_not_be_is_said() {
    let watching = LoadedPolicy::load("preset:standard")
        .unwrap()
        .watching(true);
    let registry = Registry::start_with(&watching).await;
    let text = Artifact::claiming_to_be_wasm(b"no Wasm");
    for (tag, artifact) in [("caller", caller()), ("text", text)] {
        let answer = registry.push("app", tag, &artifact).await;
        assert_eq!(answer.status, 201, "{tag}: {}", answer.text());
        assert!(
            answer.header("warning").contains("the policy remarks"),
            "{tag}"
        );
        let path = format!("/v2/app/manifests/{tag}");
        assert_eq!(registry.get(&path).await.status, 200, "{tag}");
        let said = decision(&registry, tag).await;
        assert_eq!(said["today"]["verdict"], "admit");
        assert_eq!(said["today"]["enforced"]["verdict"], "deny");
    }
    assert!(
        !registry
            .push("app", "hello", &hello())
            .await
            .has_header("warning")
    );
    let metrics = registry.get("/metrics").await.text();
    assert!(
        metrics.contains(r#"action="audit",verdict="deny",code="import-not-allowed""#),
        "{metrics}"
    );
}

#[tokio::test]
async fn a_policy_is_tried_on_what_is_stored_before_it_is_in_force() {
    let store = Store::in_memory();
    let permissive = LoadedPolicy::load("preset:permissive").unwrap();
    let registry = {
        let mut app: Option<App> = None;
        let registry = Registry::over_app(store.clone(), |opened| app = Some(opened.clone())).await;
        app.unwrap().replace_policy(permissive).await.unwrap();
        registry
    };
    registry.push("app", "1.0", &hello()).await;
    registry.push("app", "latest", &hello()).await;
    registry.push("tools/net", "1.0", &caller()).await;
    let standard = LoadedPolicy::load("preset:standard").unwrap();
    let audited = audit_store(&store, &standard).await.unwrap();
    assert_eq!(
        (
            audited.manifests,
            audited.held,
            audited.denied,
            audited.unreadable
        ),
        (2, 0, 1, 0)
    );
    let mut all: Vec<Facts> = Vec::new();
    assert_eq!(
        survey(&store, &standard, |facts| all.push(facts))
            .await
            .unwrap(),
        0
    );
    let tags = |facts: &Facts| facts.tags.len();
    let found: Vec<_> = all
        .iter()
        .map(|facts| (facts.repository.as_str(), tags(facts)))
        .collect();
    assert_eq!(found, [("app", 2), ("tools/net", 1)]);
    // And nothing was refused meanwhile.
    assert_eq!(
        registry.get("/v2/tools/net/manifests/1.0").await.status,
        200
    );
}
