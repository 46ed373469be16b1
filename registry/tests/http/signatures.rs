//! Keys, policies that ask for signatures, and signatures as cosign stores them.

use std::collections::BTreeMap;
use std::fs;

use tempfile::TempDir;
use wasmport_artifact::{Digest, Tag, media_type};
use wasmport_registry::LoadedPolicy;
use wasmport_signature::{
    PrivateKey, Signature, bundle_manifest, sign_bundle, sign_simple, simple_manifest,
};

use crate::artifact::Artifact;
use crate::registry::{Answer, Registry};

/// Admits what the terminal needs, when `release` has signed it.
pub(crate) const SIGNED: &str = r#"
schema = 1

[[rule]]
id = "signed"
repositories = ["**"]
allow = ["std"]
signatures = { require = 1, from = ["release"] }

[signer.release]
key = "keys/release.pub"
"#;

/// A policy that wants a signature by `key`.
pub(crate) fn signed_by(key: &PrivateKey) -> LoadedPolicy {
    loaded(SIGNED, key)
}

/// A policy that believes `key`, loaded from a file beside the key file.
pub(crate) fn loaded(text: &str, key: &PrivateKey) -> LoadedPolicy {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("policy.toml");
    fs::create_dir(directory.path().join("keys")).unwrap();
    fs::write(
        directory.path().join("keys/release.pub"),
        key.public_key().to_pem(),
    )
    .unwrap();
    fs::write(&path, text).unwrap();
    LoadedPolicy::load(path.to_str().unwrap()).unwrap()
}

/// A policy without signers.
pub(crate) fn policy(text: &str) -> LoadedPolicy {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("policy.toml");
    fs::write(&path, text).unwrap();
    LoadedPolicy::load(path.to_str().unwrap()).unwrap()
}

pub(crate) fn key() -> PrivateKey {
    PrivateKey::generate().unwrap()
}

/// Signs as cosign 3 does: a bundle, which refers to its subject.
pub(crate) async fn push_bundle(
    registry: &Registry,
    repository: &str,
    subject: &Artifact,
    key: &PrivateKey,
) -> Answer {
    let signature = sign_bundle(key, &subject.digest(), &BTreeMap::new()).unwrap();
    let Signature::Bundle { bytes } = signature else {
        panic!("not a bundle")
    };
    registry.push_blob(repository, b"{}").await;
    registry.push_blob(repository, &bytes).await;
    let manifest = bundle_manifest(&bytes, subject.descriptor(), "2026-11-20T00:00:00Z").to_bytes();
    let digest = Digest::of(&manifest);
    let kind = media_type::IMAGE_MANIFEST;
    registry
        .put_manifest(repository, digest.as_str(), kind, &manifest)
        .await
}

/// Signs as cosign 2 does: a layer under the `.sig` tag.
pub(crate) async fn push_simple(
    registry: &Registry,
    repository: &str,
    subject: &Artifact,
    key: &PrivateKey,
) -> Answer {
    let reference = format!("{}/{repository}", registry.host);
    let signature = sign_simple(key, &subject.digest(), &reference, &BTreeMap::new()).unwrap();
    let (manifest, blobs) = simple_manifest(None, &[signature]);
    for (_, bytes) in blobs {
        registry.push_blob(repository, &bytes).await;
    }
    let tag = Tag::cosign_signatures(&subject.digest());
    let kind = media_type::IMAGE_MANIFEST;
    registry
        .put_manifest(repository, tag.as_str(), kind, &manifest.to_bytes())
        .await
}
