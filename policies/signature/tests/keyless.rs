//! Signatures that a certificate tells the signer of, made by real cosign with a real log and
//! a real timestamp authority; `testdata/signatures/README.md` says how.
#![cfg(feature = "keyless")]
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use sigstore_verify::trust_root::SIGSTORE_PRODUCTION_TRUSTED_ROOT;
use wasmport_artifact::{Digest, Manifest, media_type};
use wasmport_signature::{
    Attestation, Authority, CertifiedIdentity, IdentityPattern, PublicKey, Signature, TrustedRoot,
    TrustedRootError, VerifyError, simple_layers,
};

const ISSUER: &str = "https://token.actions.githubusercontent.com";
const RELEASE: &str = "https://github.com/acme/*/.github/workflows/release.yml@refs/tags/*";

fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/signatures");
    std::fs::read(folder.join(name)).unwrap()
}

fn document(name: &str) -> Value {
    serde_json::from_slice(&fixture(name)).unwrap()
}

fn subject() -> Digest {
    Digest::of(&fixture("keyless-subject.manifest.json"))
}

fn by(identity: &str, issuer: &str, root: &[u8]) -> Authority {
    Authority::Identity(CertifiedIdentity {
        issuer: issuer.to_owned(),
        identity: IdentityPattern::new(identity),
        root: Arc::new(TrustedRoot::from_json(root).unwrap()),
    })
}

/// The release workflow, as a root with a log and a timestamp authority proves it.
fn release() -> Authority {
    by(RELEASE, ISSUER, &fixture("trusted-root.json"))
}

/// The same, as a root without a log proves it.
fn release_without_log() -> Authority {
    by(RELEASE, ISSUER, &fixture("trusted-root-without-log.json"))
}

fn bundle(document: &Value) -> Signature {
    Signature::Bundle {
        bytes: document.to_string().into_bytes(),
    }
}

fn cosign_3() -> Signature {
    bundle(&document("keyless-cosign-3.bundle.json"))
}

fn manifest(name: &str) -> Manifest {
    Manifest::parse(fixture(name), media_type::IMAGE_MANIFEST).unwrap()
}

fn cosign_2() -> Signature {
    let mut layers = simple_layers(&manifest("keyless-cosign-2.sig.manifest.json"));
    let layer = layers.remove(0);
    layer.with_payload(fixture("keyless-cosign-2.payload.json"))
}

fn is_unproved(result: &Result<(), VerifyError>) -> bool {
    matches!(result, Err(VerifyError::Unproved { .. }))
}

#[test]
fn what_cosign_3_signed_by_an_identity_verifies_for_it_only() {
    cosign_3().verify(&subject(), &release()).unwrap();
    let root = fixture("trusted-root.json");
    for (identity, issuer) in [
        (RELEASE.replace("tags", "heads").as_str(), ISSUER),
        (RELEASE.replace("acme", "evil").as_str(), ISSUER),
        ("*@github.com", ISSUER),
        (RELEASE, "https://issuer.example"),
    ] {
        let result = cosign_3().verify(&subject(), &by(identity, issuer, &root));
        let Err(VerifyError::WrongIdentity { .. }) = result else {
            panic!("{identity} by {issuer}: {result:?}");
        };
    }
}

#[test]
fn an_error_names_whom_the_certificate_is_for() {
    let other = by("a@b.example", ISSUER, &fixture("trusted-root.json"));
    let error = cosign_3().verify(&subject(), &other).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the certificate is for `https://github.com/acme/app/.github/workflows/release.yml@\
         refs/tags/v1` by the word of `https://token.actions.githubusercontent.com`"
    );
}

#[test]
fn it_counts_for_no_other_artifact() {
    let result = cosign_3().verify(&Digest::of(b"another"), &release());
    assert!(is_unproved(&result), "{result:?}");
}

#[test]
fn a_root_with_a_log_wants_an_entry_and_one_without_does_not() {
    let mut unlogged = document("keyless-cosign-3.bundle.json");
    unlogged["verificationMaterial"]["tlogEntries"] = json!([]);
    let unlogged = bundle(&unlogged);
    let result = unlogged.verify(&subject(), &release());
    assert!(is_unproved(&result), "{result:?}");
    unlogged.verify(&subject(), &release_without_log()).unwrap();
}

#[test]
fn without_anything_that_tells_when_it_does_not_verify() {
    let mut timeless = document("keyless-cosign-3.bundle.json");
    timeless["verificationMaterial"]["timestampVerificationData"] = json!({});
    for authority in [release(), release_without_log()] {
        let result = bundle(&timeless).verify(&subject(), &authority);
        assert!(is_unproved(&result), "{result:?}");
    }
}

#[test]
fn evidence_of_another_signature_does_not_verify() {
    let ours = document("keyless-cosign-3.bundle.json");
    let theirs = document("public-good.bundle.json");
    for part in ["certificate", "tlogEntries", "timestampVerificationData"] {
        let mut mixed = ours.clone();
        mixed["verificationMaterial"][part] = theirs["verificationMaterial"][part].clone();
        let result = bundle(&mixed).verify(&subject(), &release());
        assert!(result.is_err(), "{part}");
    }
    let mut mixed = ours;
    mixed["dsseEnvelope"]["payload"] = theirs["dsseEnvelope"]["payload"].clone();
    let result = bundle(&mixed).verify(&subject(), &release());
    assert!(is_unproved(&result), "{result:?}");
}

#[test]
fn the_certificates_of_another_root_do_not_count() {
    let sigstore = SIGSTORE_PRODUCTION_TRUSTED_ROOT.as_bytes();
    let result = cosign_3().verify(&subject(), &by(RELEASE, ISSUER, sigstore));
    assert!(is_unproved(&result), "{result:?}");
}

#[test]
fn what_a_workflow_signed_with_sigstores_own_services_verifies() {
    let digest: Digest = "sha256:c811d58de79c92f03214e63aa339484e488d694ae8a6283b5f3f17a9faf50172"
        .parse()
        .unwrap();
    let signature = bundle(&document("public-good.bundle.json"));
    let root = SIGSTORE_PRODUCTION_TRUSTED_ROOT.as_bytes();
    let identity =
        "https://github.com/kubewarden/*/.github/workflows/release.yml@refs/tags/v1.34.*";
    signature
        .verify(&digest, &by(identity, ISSUER, root))
        .unwrap();
    let result = signature.verify(
        &digest,
        &by(identity, ISSUER, &fixture("trusted-root.json")),
    );
    assert!(is_unproved(&result), "{result:?}");
}

#[test]
fn a_certificate_that_its_log_does_not_know_does_not_count() {
    // The root without the logs of certificates takes it, and with one of others it does not.
    let mut root: Value = serde_json::from_str(SIGSTORE_PRODUCTION_TRUSTED_ROOT).unwrap();
    let ours = document("trusted-root.json");
    let mut ours_with_logs = ours.clone();
    ours_with_logs["ctlogs"] = root["ctlogs"].take();
    let authority = by(RELEASE, ISSUER, ours_with_logs.to_string().as_bytes());
    let result = cosign_3().verify(&subject(), &authority);
    assert!(is_unproved(&result), "{result:?}");
    let authority = by(RELEASE, ISSUER, ours.to_string().as_bytes());
    cosign_3().verify(&subject(), &authority).unwrap();
}

#[test]
fn what_cosign_2_signed_by_an_identity_verifies_with_what_stands_beside_it() {
    cosign_2()
        .verify(&subject(), &release_without_log())
        .unwrap();
    // It has a timestamp, and is in no log.
    let result = cosign_2().verify(&subject(), &release());
    assert!(is_unproved(&result), "{result:?}");
    let other = by(
        "https://github.com/evil/**",
        ISSUER,
        &fixture("trusted-root-without-log.json"),
    );
    let result = cosign_2().verify(&subject(), &other);
    assert!(matches!(result, Err(VerifyError::WrongIdentity { .. })));
    let result = cosign_2().verify(&Digest::of(b"another"), &release_without_log());
    assert!(matches!(result, Err(VerifyError::NotForThisSubject { .. })));
}

#[test]
fn a_payload_of_cosign_2_that_was_changed_does_not_verify() {
    let Signature::Simple {
        mut payload,
        signature,
        proof,
    } = cosign_2()
    else {
        panic!("expected simple signing");
    };
    payload.push(b' ');
    let changed = Signature::Simple {
        payload,
        signature,
        proof,
    };
    let result = changed.verify(&subject(), &release_without_log());
    assert!(is_unproved(&result), "{result:?}");
}

#[test]
fn an_envelope_without_a_bundle_counts_for_keys_only() {
    let attestation = Attestation::Envelope {
        bytes: document("keyless-cosign-3.bundle.json")["dsseEnvelope"]
            .to_string()
            .into_bytes(),
    };
    let result = attestation.verify(&subject(), &release_without_log());
    assert!(matches!(result, Err(VerifyError::NoCertificate)));
}

#[test]
fn keys_and_identities_do_not_stand_in_for_each_other() {
    let pem = String::from_utf8(fixture("test-only-cosign-3.pub")).unwrap();
    let key = PublicKey::from_pem(&pem).unwrap().into();
    let result = cosign_3().verify(&subject(), &key);
    assert!(matches!(result, Err(VerifyError::Certificate)));
    let by_key = bundle(&document("cosign-3.bundle.json"));
    let result = by_key.verify(&subject(), &release());
    assert!(result.is_err(), "{result:?}");
}

#[test]
fn roots_that_can_prove_nothing_are_refused() {
    let refused =
        |document: &Value| TrustedRoot::from_json(document.to_string().as_bytes()).unwrap_err();
    let root = document("trusted-root.json");
    let without = |parts: &[&str]| {
        let mut root = root.clone();
        for part in parts {
            root[part] = json!([]);
        }
        refused(&root)
    };
    let mut misspelt = root.clone();
    misspelt["tlog"] = misspelt["tlogs"].take();
    assert!(matches!(refused(&misspelt), TrustedRootError::Malformed(_)));
    let mut other = root.clone();
    other["mediaType"] = json!("application/vnd.dev.sigstore.signingconfig.v0.2+json");
    assert!(matches!(refused(&other), TrustedRootError::MediaType(_)));
    assert!(matches!(
        without(&["certificateAuthorities"]),
        TrustedRootError::NoAuthority
    ));
    assert!(matches!(
        without(&["tlogs", "timestampAuthorities"]),
        TrustedRootError::NoClock
    ));
    let mut broken = root.clone();
    broken["certificateAuthorities"][0]["certChain"]["certificates"][0]["rawBytes"] = json!("AAAA");
    assert!(matches!(refused(&broken), TrustedRootError::Material(_)));
    let twice = format!("{root}\n{root}");
    for text in ["", "[]", "no JSON", &twice] {
        let result = TrustedRoot::from_json(text.as_bytes());
        assert!(matches!(result, Err(TrustedRootError::Malformed(_))));
    }
    let large = " ".repeat(2 << 20);
    let result = TrustedRoot::from_json(large.as_bytes());
    assert!(matches!(result, Err(TrustedRootError::TooLarge(_))));
}

#[test]
fn an_authority_is_told_from_others_by_issuer_identity_and_root() {
    let root = fixture("trusted-root.json");
    let prints = [
        release(),
        release_without_log(),
        by("a@b.example", ISSUER, &root),
        by(RELEASE, "https://issuer.example", &root),
    ]
    .map(|authority| authority.fingerprint());
    let different: std::collections::BTreeSet<_> = prints.iter().collect();
    assert_eq!(different.len(), prints.len());
    assert_eq!(release().fingerprint(), prints[0]);
}

/// A leaf's bundle in the form of version 0.2, which brings the authority between along.
fn with_chain() -> Value {
    let mut bundle = document("keyless-between.bundle.json");
    let root = document("trusted-root-between.json");
    let between = root.pointer("/certificateAuthorities/0/certChain/certificates/0");
    let between = between.unwrap();
    let material = bundle.pointer_mut("/verificationMaterial").unwrap();
    let material = material.as_object_mut().unwrap();
    let leaf = material.remove("certificate").unwrap();
    let chain = json!({ "certificates": [leaf, between] });
    material.insert("x509CertificateChain".to_owned(), chain);
    let version = json!("application/vnd.dev.sigstore.bundle+json;version=0.2");
    *bundle.pointer_mut("/mediaType").unwrap() = version;
    bundle
}

#[test]
fn an_authority_that_the_bundle_brings_along_is_not_believed() {
    let root = document("trusted-root-between.json");
    let authority = by(RELEASE, ISSUER, root.to_string().as_bytes());
    for known in [document("keyless-between.bundle.json"), with_chain()] {
        bundle(&known).verify(&subject(), &authority).unwrap();
    }
    let mut only_the_top = root;
    let chain = &mut only_the_top["certificateAuthorities"][0]["certChain"]["certificates"];
    chain.as_array_mut().unwrap().remove(0);
    let authority = by(RELEASE, ISSUER, only_the_top.to_string().as_bytes());
    let result = bundle(&with_chain()).verify(&subject(), &authority);
    assert!(is_unproved(&result), "{result:?}");
}

#[test]
fn entries_of_logs_do_not_hurt_where_the_root_has_none() {
    let mut logged = document("keyless-cosign-3.bundle.json");
    let others = document("public-good.bundle.json");
    logged["verificationMaterial"]["tlogEntries"] =
        others["verificationMaterial"]["tlogEntries"].clone();
    let logged = bundle(&logged);
    logged.verify(&subject(), &release_without_log()).unwrap();
    let result = logged.verify(&subject(), &release());
    assert!(is_unproved(&result), "{result:?}");
}

#[test]
fn a_log_that_was_retired_before_proves_nothing() {
    let until = |end: &str| {
        let mut root = document("trusted-root.json");
        root["tlogs"][0]["publicKey"]["validFor"]["end"] = json!(end);
        by(RELEASE, ISSUER, root.to_string().as_bytes())
    };
    let result = cosign_3().verify(&subject(), &until("2026-11-01T00:00:00Z"));
    assert!(is_unproved(&result), "{result:?}");
    cosign_3()
        .verify(&subject(), &until("2026-12-01T00:00:00Z"))
        .unwrap();
}

#[test]
fn a_bundle_with_more_evidence_than_anybody_gathers_is_not_looked_at() {
    let mut many = document("keyless-cosign-3.bundle.json");
    let timestamps =
        &mut many["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"];
    let one = timestamps[0].clone();
    *timestamps = vec![one; 33].into();
    let result = bundle(&many).verify(&subject(), &release());
    assert!(matches!(
        result,
        Err(VerifyError::TooManyProofs { max: 32, got: 33 })
    ));
}

#[test]
fn what_an_identity_signed_does_not_count_for_its_key_too() {
    let pem = String::from_utf8(fixture("test-only-cosign-2.pub")).unwrap();
    let key = PublicKey::from_pem(&pem).unwrap().into();
    let result = cosign_2().verify(&subject(), &key);
    assert!(matches!(result, Err(VerifyError::Certificate)));
}

#[test]
fn words_of_a_bundle_are_shown_short() {
    let mut strange = document("keyless-cosign-3.bundle.json");
    strange["mediaType"] = json!(format!("\u{1b}[31m{}", "x".repeat(100_000)));
    let error = bundle(&strange).verify(&subject(), &release()).unwrap_err();
    let words = wasmport_artifact::with_causes(&error);
    assert!(words.len() < 500 && !words.contains('\u{1b}'), "{words}");
}
