//! Signatures and attestations as anybody may push them.

use std::str;
use std::sync::{Arc, LazyLock};

use serde_json::Value;
use wasmport_artifact::{Descriptor, Digest, Manifest, media_type};
use wasmport_signature::{
    Attestation, Authority, CertifiedIdentity, IdentityPattern, PublicKey, Signature, TrustedRoot,
    bundle_manifest, simple_layers,
};

/// What cosign signed, and the keys to it; `testdata/signatures/README.md` says how.
const SUBJECT: &[u8] = include_bytes!("../../../testdata/signatures/subject.manifest.json");
const KEY_2: &str = include_str!("../../../testdata/signatures/test-only-cosign-2.pub");
const KEY_3: &str = include_str!("../../../testdata/signatures/test-only-cosign-3.pub");
const MANIFEST_2: &[u8] = include_bytes!("../../../testdata/signatures/cosign-2.manifest.json");
const PAYLOAD_2: &[u8] = include_bytes!("../../../testdata/signatures/cosign-2.payload.json");
const BUNDLES: [&[u8]; 2] = [
    include_bytes!("../../../testdata/signatures/cosign-3.bundle.json"),
    include_bytes!("../../../testdata/signatures/cosign-3-provenance.bundle.json"),
];

/// The same for a workflow, and what proves it.
pub(super) const KEYLESS_SUBJECT: &[u8] =
    include_bytes!("../../../testdata/signatures/keyless-subject.manifest.json");
pub(super) const KEYLESS_BUNDLE: &[u8] =
    include_bytes!("../../../testdata/signatures/keyless-cosign-3.bundle.json");
const ROOT: &[u8] = include_bytes!("../../../testdata/signatures/trusted-root.json");
pub(super) static WORKFLOW: LazyLock<Option<Authority>> = LazyLock::new(|| {
    Some(Authority::Identity(CertifiedIdentity {
        issuer: "https://token.actions.githubusercontent.com".to_owned(),
        identity: IdentityPattern::new("https://github.com/acme/**"),
        root: Arc::new(TrustedRoot::from_json(ROOT).ok()?),
    }))
});

/// A bundle, an envelope, a simple signature, the payload of one, a key or a trusted root: it is
/// refused with a reason, or what it says was signed.
pub fn signature(bytes: &[u8]) {
    bundle(bytes);
    simple(bytes);
    keyless(bytes);
    let _ = TrustedRoot::from_json(bytes);
    if let Ok(text) = str::from_utf8(bytes)
        && let Ok(key) = PublicKey::from_pem(text)
    {
        assert_eq!(PublicKey::from_pem(&key.to_pem()).ok(), Some(key));
    }
}

fn bundle(bytes: &[u8]) {
    let Ok(key) = PublicKey::from_pem(KEY_3).map(Authority::from) else {
        return;
    };
    let (subject, bytes) = (Digest::of(SUBJECT), bytes.to_vec());
    let described = Descriptor::of(media_type::IMAGE_MANIFEST, SUBJECT);
    let _ = bundle_manifest(&bytes, described, "2026-11-21T00:00:00Z");
    let was_signed = |found: Option<String>| {
        found.is_some() && BUNDLES.iter().any(|signed| payload_in(signed) == found)
    };
    let is_signature = Signature::Bundle {
        bytes: bytes.clone(),
    };
    let is_attestation = Attestation::Bundle {
        bytes: bytes.clone(),
    };
    if is_signature.verify(&subject, &key).is_ok() || is_attestation.verify(&subject, &key).is_ok()
    {
        assert!(was_signed(payload_in(&bytes)));
    }
    let is_envelope = Attestation::Envelope {
        bytes: bytes.clone(),
    };
    if is_envelope.verify(&subject, &key).is_ok() {
        let envelope: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        assert!(was_signed(payload(&envelope)));
    }
}

fn keyless(bytes: &[u8]) {
    let Some(workflow) = WORKFLOW.as_ref() else {
        return;
    };
    let bundle = Signature::Bundle {
        bytes: bytes.to_vec(),
    };
    let subject = Digest::of(KEYLESS_SUBJECT);
    if bundle.verify(&subject, workflow).is_ok() {
        assert_eq!(payload_in(bytes), payload_in(KEYLESS_BUNDLE));
    }
}

fn payload_in(bundle: &[u8]) -> Option<String> {
    let bundle: Value = serde_json::from_slice(bundle).ok()?;
    payload(bundle.get("dsseEnvelope")?)
}

fn payload(envelope: &Value) -> Option<String> {
    Some(envelope.get("payload")?.as_str()?.to_owned())
}

fn simple(bytes: &[u8]) {
    let manifest = Manifest::parse(MANIFEST_2.to_vec(), media_type::IMAGE_MANIFEST);
    let layers = manifest.map(|manifest| simple_layers(&manifest));
    let (Ok(key), Ok([layer])) = (
        PublicKey::from_pem(KEY_2).map(Authority::from),
        layers.as_deref(),
    ) else {
        return;
    };
    let subject = Digest::of(SUBJECT);
    let payload = layer.clone().with_payload(bytes.to_vec());
    let is_signed = payload.verify(&subject, &key).is_ok();
    assert_eq!(is_signed, bytes == PAYLOAD_2);
    let signature = Signature::Simple {
        payload: PAYLOAD_2.to_vec(),
        signature: String::from_utf8_lossy(bytes).into_owned(),
        proof: None,
    };
    if let Err(error) = signature.verify(&subject, &key) {
        assert!(!error.to_string().is_empty());
    }
}
