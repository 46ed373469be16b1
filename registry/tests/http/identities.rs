//! Signers by identity: real cosign signed for a workflow, with a certificate, a log and a
//! timestamp authority (`testdata/signatures/README.md`).

use std::fs;
use std::path::Path;

use reqwest::StatusCode;
use tempfile::TempDir;
use wasmport_artifact::{Digest, ImageManifest, Manifest, Tag, media_type};
use wasmport_registry::{LoadPolicyError, LoadedPolicy};
use wasmport_signature::bundle_manifest;

use crate::artifact::Artifact;
use crate::registry::Registry;

const RELEASE: &str = "https://github.com/acme/*/.github/workflows/release.yml@refs/tags/*";

fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/signatures");
    fs::read(folder.join(name)).unwrap()
}

/// What was signed: an empty component.
fn artifact() -> Artifact {
    Artifact {
        manifest: fixture("keyless-subject.manifest.json"),
        blobs: vec![
            fixture("keyless-subject.config.json"),
            wat::parse_str("(component)").unwrap(),
        ],
    }
}

/// A policy that wants a signature by `identity`, as `root` proves it.
fn load(identity: &str, root: &str) -> Result<LoadedPolicy, LoadPolicyError> {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("policy.toml");
    fs::write(directory.path().join("root.json"), fixture(root)).unwrap();
    let text = format!(
        "schema = 1\n[[rule]]\nid = \"signed\"\nrepositories = [\"**\"]\nallow = [\"std\"]\n\
         signatures = {{ require = 1, from = [\"ci\"] }}\n\
         [signer.ci]\nissuer = \"https://token.actions.githubusercontent.com\"\n\
         identity = \"{identity}\"\ntrusted-root = \"root.json\"\n"
    );
    fs::write(&path, text).unwrap();
    LoadedPolicy::load(path.to_str().unwrap())
}

async fn push_bundle(registry: &Registry) {
    let bundle = fixture("keyless-cosign-3.bundle.json");
    registry.push_blob("app", b"{}").await;
    registry.push_blob("app", &bundle).await;
    let created = "2026-11-21T00:00:00Z";
    let manifest = bundle_manifest(&bundle, artifact().descriptor(), created).to_bytes();
    put(registry, Digest::of(&manifest).as_str(), &manifest).await;
}

async fn push_simple(registry: &Registry) {
    let manifest = fixture("keyless-cosign-2.sig.manifest.json");
    let parsed = Manifest::parse(manifest.clone(), media_type::IMAGE_MANIFEST).unwrap();
    registry
        .push_blob("app", &fixture("keyless-cosign-2.payload.json"))
        .await;
    // Its config is of no interest here.
    let config = wasmport_artifact::Descriptor::of(media_type::IMAGE_CONFIG, b"{}");
    registry.push_blob("app", b"{}").await;
    let manifest = ImageManifest::new(config, parsed.layers().to_vec()).to_bytes();
    let tag = Tag::cosign_signatures(&artifact().digest());
    put(registry, tag.as_str(), &manifest).await;
}

async fn put(registry: &Registry, reference: &str, manifest: &[u8]) {
    let kind = media_type::IMAGE_MANIFEST;
    let answer = registry
        .put_manifest("app", reference, kind, manifest)
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text());
}

async fn status(registry: &Registry) -> StatusCode {
    registry.get("/v2/app/manifests/1.0").await.status
}

#[tokio::test]
async fn a_signature_by_the_identity_that_is_asked_for_lets_the_artifact_out() {
    let registry = Registry::start_with(&load(RELEASE, "trusted-root.json").unwrap()).await;
    let held = registry.push("app", "1.0", &artifact()).await;
    assert!(held.header("warning").contains("held"), "{}", held.text());
    // It carries a timestamp, and the root wants an entry in its log, too.
    push_simple(&registry).await;
    assert_eq!(status(&registry).await, 404);
    push_bundle(&registry).await;
    assert_eq!(status(&registry).await, 200);
}

#[tokio::test]
async fn a_root_without_a_log_is_content_with_a_timestamp() {
    let policy = load(RELEASE, "trusted-root-without-log.json").unwrap();
    let registry = Registry::start_with(&policy).await;
    registry.push("app", "1.0", &artifact()).await;
    assert_eq!(status(&registry).await, 404);
    push_simple(&registry).await;
    assert_eq!(status(&registry).await, 200);
}

#[tokio::test]
async fn a_signature_by_another_identity_lets_nothing_out() {
    let others = RELEASE.replace("acme", "evil");
    let registry = Registry::start_with(&load(&others, "trusted-root.json").unwrap()).await;
    registry.push("app", "1.0", &artifact()).await;
    push_bundle(&registry).await;
    push_simple(&registry).await;
    assert_eq!(status(&registry).await, 404);
}
