//! Bundles made by us, and what becomes of them when something is not right.

use serde_json::{Value, json};
use sigstore_types::pae;

use super::*;
use crate::{PrivateKey, sign_bundle};

fn subject() -> Digest {
    Digest::of(b"subject")
}

fn key() -> PrivateKey {
    PrivateKey::generate().unwrap()
}

fn bundle(key: &PrivateKey) -> Value {
    let signature = sign_bundle(key, &subject(), &[].into()).unwrap();
    let crate::Signature::Bundle { bytes } = signature else {
        panic!("expected a bundle");
    };
    serde_json::from_slice(&bytes).unwrap()
}

/// A well-made bundle around any payload.
fn bundle_around(key: &PrivateKey, payload: &Value) -> Value {
    let payload = payload.to_string();
    let signature = key.sign(&pae(PAYLOAD_TYPE, payload.as_bytes())).unwrap();
    let bytes = write(payload.as_bytes(), &signature, &key.public_key());
    serde_json::from_slice(&bytes).unwrap()
}

fn statement() -> Value {
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "digest": { "sha256": subject().hex() } }],
        "predicateType": "https://sigstore.dev/cosign/sign/v1",
        "predicate": {},
    })
}

fn check(bundle: &Value, key: &PrivateKey) -> Result<(), VerifyError> {
    verify(
        bundle.to_string().as_bytes(),
        &subject(),
        &key.public_key().into(),
    )
}

#[test]
fn what_we_sign_verifies() {
    let key = key();
    check(&bundle(&key), &key).unwrap();
}

#[test]
fn what_we_write_has_one_signature_without_a_key_id_and_no_log_entry() {
    let key = key();
    let bundle = bundle(&key);
    let mut signature = bundle["dsseEnvelope"]["signatures"].clone();
    signature[0]["sig"] = json!("");
    assert_eq!(signature, json!([{ "sig": "" }]));
    assert_eq!(
        bundle["verificationMaterial"],
        json!({ "publicKey": { "hint": key.public_key().hint() } })
    );
    let fields: Vec<_> = bundle.as_object().unwrap().keys().collect();
    assert_eq!(
        fields,
        ["dsseEnvelope", "mediaType", "verificationMaterial"]
    );
}

#[test]
fn another_key_does_not_verify_and_the_error_names_it() {
    let (signer, other) = (key(), key());
    let error = check(&bundle(&signer), &other).unwrap_err();
    let fingerprint = other.public_key().fingerprint();
    assert!(error.to_string().contains(&fingerprint), "{error}");
    assert!(matches!(error, VerifyError::WrongKey { .. }));
}

#[test]
fn another_subject_does_not_verify_and_the_error_names_both() {
    let key = key();
    let other = Digest::of(b"other");
    let bytes = bundle(&key).to_string();
    let error = verify(bytes.as_bytes(), &other, &key.public_key().into()).unwrap_err();
    let expected = format!("the signature is for `{}`, expected `{other}`", subject());
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_changed_payload_does_not_verify() {
    let key = key();
    let mut bundle = bundle(&key);
    let mut changed = statement();
    changed["subject"][0]["digest"]["sha256"] = json!(Digest::of(b"changed").hex());
    bundle["dsseEnvelope"]["payload"] = json!(STANDARD.encode(changed.to_string()));
    assert!(matches!(
        check(&bundle, &key),
        Err(VerifyError::WrongKey { .. })
    ));
}

#[test]
fn a_signature_over_the_payload_without_its_type_does_not_verify() {
    let key = key();
    let mut bundle = bundle(&key);
    let payload = statement().to_string();
    let signature = key.sign(payload.as_bytes()).unwrap();
    bundle["dsseEnvelope"]["payload"] = json!(STANDARD.encode(&payload));
    bundle["dsseEnvelope"]["signatures"][0]["sig"] = json!(signature.to_base64());
    assert!(matches!(
        check(&bundle, &key),
        Err(VerifyError::WrongKey { .. })
    ));
}

#[test]
fn none_and_two_signatures_are_refused() {
    let key = key();
    let good = bundle(&key);
    let signature = good["dsseEnvelope"]["signatures"][0].clone();
    for signatures in [vec![], vec![signature; 2]] {
        let mut bundle = good.clone();
        bundle["dsseEnvelope"]["signatures"] = json!(signatures);
        let Err(VerifyError::SignatureCount(count)) = check(&bundle, &key) else {
            panic!("expected a wrong count");
        };
        assert_eq!(count, signatures.len());
    }
}

#[test]
fn a_key_id_and_a_hint_of_another_key_change_nothing() {
    let key = key();
    let mut bundle = bundle(&key);
    bundle["dsseEnvelope"]["signatures"][0]["keyid"] = json!("somebody");
    bundle["verificationMaterial"]["publicKey"]["hint"] = json!("else");
    check(&bundle, &key).unwrap();
}

#[test]
fn log_entries_timestamps_and_unknown_fields_are_left_alone() {
    let key = key();
    let mut bundle = bundle(&key);
    bundle["verificationMaterial"]["tlogEntries"] =
        json!([{ "logIndex": "2523743151", "kindVersion": { "kind": "dsse" } }]);
    bundle["verificationMaterial"]["timestampVerificationData"] = Value::Null;
    bundle["new"] = json!({ "field": [] });
    check(&bundle, &key).unwrap();
}

#[test]
fn every_version_of_the_bundle_that_cosign_reads_is_read() {
    let key = key();
    let mut bundle = bundle(&key);
    for version in [
        "application/vnd.dev.sigstore.bundle+json;version=0.1",
        "application/vnd.dev.sigstore.bundle+json;version=0.2",
        "application/vnd.dev.sigstore.bundle+json;version=0.3",
        "application/vnd.dev.sigstore.bundle.v0.3+json",
    ] {
        bundle["mediaType"] = json!(version);
        check(&bundle, &key).unwrap();
    }
    bundle["mediaType"] = json!("application/vnd.dev.sigstore.bundle.v0.4+json");
    assert!(matches!(
        check(&bundle, &key),
        Err(VerifyError::MediaType(_))
    ));
}

#[test]
fn another_payload_type_is_refused() {
    let key = key();
    let mut bundle = bundle(&key);
    let payload = statement().to_string();
    let signature = key.sign(&pae("text/plain", payload.as_bytes())).unwrap();
    bundle["dsseEnvelope"] = json!({
        "payload": STANDARD.encode(&payload),
        "payloadType": "text/plain",
        "signatures": [{ "sig": signature.to_base64() }],
    });
    let error = check(&bundle, &key).unwrap_err();
    assert!(matches!(error, VerifyError::PayloadType(_)));
    assert!(error.to_string().contains("`text/plain`"), "{error}");
}

#[test]
fn a_signed_provenance_is_not_a_signature() {
    let key = key();
    let mut provenance = statement();
    provenance["predicateType"] = json!("https://slsa.dev/provenance/v1");
    let error = check(&bundle_around(&key, &provenance), &key).unwrap_err();
    assert!(matches!(error, VerifyError::NotASignature { .. }));
    assert!(error.to_string().contains("provenance/v1"), "{error}");
}

#[test]
fn any_of_several_subjects_counts() {
    let key = key();
    let mut several = statement();
    several["subject"] = json!([
        { "name": "first", "digest": { "sha256": Digest::of(b"first").hex() } },
        { "name": "ours", "digest": { "sha512": "00", "sha256": subject().hex() } },
    ]);
    check(&bundle_around(&key, &several), &key).unwrap();
}

#[test]
fn the_right_hex_under_another_algorithm_does_not_count() {
    let key = key();
    let mut confused = statement();
    confused["subject"] = json!([{ "digest": { "blake3": subject().hex() } }]);
    let error = check(&bundle_around(&key, &confused), &key).unwrap_err();
    assert!(error.to_string().contains("`blake3:"), "{error}");
    confused["subject"] = json!([]);
    let error = check(&bundle_around(&key, &confused), &key).unwrap_err();
    assert!(error.to_string().contains("for no digest"), "{error}");
}

#[test]
fn old_statements_and_absent_predicates_are_read_and_other_types_are_not() {
    let key = key();
    let mut old = statement();
    old["_type"] = json!("https://in-toto.io/Statement/v0.1");
    old.as_object_mut().unwrap().remove("predicate");
    check(&bundle_around(&key, &old), &key).unwrap();
    old["_type"] = json!("https://in-toto.io/Statement/v2");
    assert!(matches!(
        check(&bundle_around(&key, &old), &key),
        Err(VerifyError::StatementType(_))
    ));
}

#[test]
fn keyless_bundles_are_refused_as_such() {
    let key = key();
    for (field, value) in [
        ("certificate", json!({ "rawBytes": "" })),
        ("x509CertificateChain", json!({ "certificates": [] })),
    ] {
        let mut bundle = bundle(&key);
        bundle["verificationMaterial"] = json!({ field: value });
        assert!(matches!(
            check(&bundle, &key),
            Err(VerifyError::Certificate)
        ));
    }
    let mut bundle = bundle(&key);
    bundle["verificationMaterial"] = json!({});
    assert!(matches!(
        check(&bundle, &key),
        Err(VerifyError::NoPublicKey)
    ));
}

#[test]
fn a_message_signature_is_refused_even_beside_an_envelope() {
    let key = key();
    let mut both = bundle(&key);
    both["messageSignature"] = json!({ "signature": "" });
    assert!(matches!(
        check(&both, &key),
        Err(VerifyError::MessageSignature)
    ));
    let mut neither = bundle(&key);
    neither.as_object_mut().unwrap().remove("dsseEnvelope");
    assert!(matches!(
        check(&neither, &key),
        Err(VerifyError::NoEnvelope)
    ));
}

#[test]
fn what_is_not_base64_is_refused_with_its_place() {
    let key = key();
    let mut payload = bundle(&key);
    payload["dsseEnvelope"]["payload"] = json!("not base64!");
    let error = check(&payload, &key).unwrap_err();
    assert_eq!(error.to_string(), "the envelope's payload is not base64");
    let mut signature = bundle(&key);
    signature["dsseEnvelope"]["signatures"][0]["sig"] = json!("====");
    let error = check(&signature, &key).unwrap_err();
    assert_eq!(error.to_string(), "the signature is not base64");
}

#[test]
fn a_field_given_twice_is_refused() {
    let key = key();
    let text = bundle(&key).to_string();
    let twice = text.replacen('{', r#"{"dsseEnvelope":null,"#, 1);
    let error = verify(twice.as_bytes(), &subject(), &key.public_key().into()).unwrap_err();
    let VerifyError::Malformed { source, .. } = error else {
        panic!("expected malformed, got {error}");
    };
    assert!(source.to_string().contains("duplicate field"), "{source}");
}

#[test]
fn what_is_not_a_bundle_is_refused() {
    let key = key().public_key().into();
    for junk in ["", "null", "[]", "{}", "\u{0}\u{1}", "{\"mediaType\":1}"] {
        let result = verify(junk.as_bytes(), &subject(), &key);
        assert!(
            matches!(result, Err(VerifyError::Malformed { .. })),
            "{junk}"
        );
    }
    let deep = "[".repeat(100_000);
    assert!(verify(deep.as_bytes(), &subject(), &key).is_err());
}

#[test]
fn a_signed_payload_that_is_no_statement_is_refused() {
    let key = key();
    for payload in [json!([]), json!({}), json!({ "_type": 1 })] {
        assert!(matches!(
            check(&bundle_around(&key, &payload), &key),
            Err(VerifyError::Malformed {
                what: "statement",
                ..
            })
        ));
    }
}

#[test]
fn a_bundle_above_the_limit_is_not_read() {
    let key = key();
    let mut text = bundle(&key).to_string();
    text.push_str(&" ".repeat(limits::SIGNATURE_BYTES - text.len()));
    verify(text.as_bytes(), &subject(), &key.public_key().into()).unwrap();
    text.push(' ');
    let result = verify(text.as_bytes(), &subject(), &key.public_key().into());
    assert!(matches!(result, Err(VerifyError::TooLarge { .. })));
}
