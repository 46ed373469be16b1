//! Simple signing made by us, and what becomes of it when something is not right.

use serde_json::{Value, json};

use super::*;
use crate::{PrivateKey, Signature, sign_simple};

fn subject() -> Digest {
    Digest::of(b"subject")
}

fn key() -> PrivateKey {
    PrivateKey::generate().unwrap()
}

/// Signs any payload and checks it.
fn check(payload: &str, key: &PrivateKey) -> Result<(), VerifyError> {
    let signature = key.sign(payload.as_bytes()).unwrap().to_base64();
    verify(
        payload.as_bytes(),
        &signature,
        None,
        &subject(),
        &key.public_key().into(),
    )
}

fn document() -> Value {
    json!({
        "critical": {
            "identity": { "docker-reference": "registry.example/ns/app" },
            "image": { "docker-manifest-digest": subject().as_str() },
            "type": "cosign container image signature",
        },
        "optional": null,
    })
}

#[test]
fn what_we_sign_verifies_and_is_written_in_cosigns_order() {
    let key = key();
    let signed = sign_simple(&key, &subject(), "registry.example/ns/app", &[].into()).unwrap();
    signed.verify(&subject(), &key.public_key().into()).unwrap();
    let Signature::Simple { payload, .. } = signed else {
        panic!("expected simple signing");
    };
    let expected = format!(
        r#"{{"critical":{{"identity":{{"docker-reference":"registry.example/ns/app"}},"image":{{"docker-manifest-digest":"{}"}},"type":"cosign container image signature"}},"optional":null}}"#,
        subject()
    );
    assert_eq!(String::from_utf8(payload).unwrap(), expected);
}

#[test]
fn another_key_and_another_subject_do_not_verify() {
    let (ours, other) = (key(), key());
    let signed = sign_simple(&ours, &subject(), "a/b", &[].into()).unwrap();
    assert!(matches!(
        signed.verify(&subject(), &other.public_key().into()),
        Err(VerifyError::WrongKey { .. })
    ));
    assert!(matches!(
        signed.verify(&Digest::of(b"other"), &ours.public_key().into()),
        Err(VerifyError::NotForThisSubject { .. })
    ));
}

#[test]
fn a_payload_that_differs_by_a_space_does_not_verify() {
    let key = key();
    let signed = sign_simple(&key, &subject(), "a/b", &[].into()).unwrap();
    let Signature::Simple {
        mut payload,
        signature,
        ..
    } = signed
    else {
        panic!("expected simple signing");
    };
    payload.push(b' ');
    let result = verify(
        &payload,
        &signature,
        None,
        &subject(),
        &key.public_key().into(),
    );
    assert!(matches!(result, Err(VerifyError::WrongKey { .. })));
}

#[test]
fn the_capital_of_the_specification_is_read_too() {
    let text = document()
        .to_string()
        .replace("docker-manifest-digest", "Docker-manifest-digest");
    check(&text, &key()).unwrap();
}

#[test]
fn both_spellings_at_once_are_refused() {
    let text = document().to_string().replace(
        r#""docker-manifest-digest""#,
        r#""Docker-manifest-digest":"sha256:0","docker-manifest-digest""#,
    );
    assert!(matches!(
        check(&text, &key()),
        Err(VerifyError::Malformed { .. })
    ));
}

#[test]
fn another_type_of_payload_is_not_a_signature() {
    let mut atomic = document();
    atomic["critical"]["type"] = json!("atomic container signature");
    assert!(matches!(
        check(&atomic.to_string(), &key()),
        Err(VerifyError::NotASignature { .. })
    ));
}

#[test]
fn unknown_and_absent_words_around_the_digest_are_left_alone() {
    let mut other = document();
    other["critical"]["identity"] = json!({ "new": 1 });
    other["optional"] = json!({ "creator": "someone", "timestamp": 1_700_000_000 });
    other["new"] = json!([]);
    check(&other.to_string(), &key()).unwrap();
    other["critical"]
        .as_object_mut()
        .unwrap()
        .remove("identity");
    other.as_object_mut().unwrap().remove("optional");
    check(&other.to_string(), &key()).unwrap();
}

#[test]
fn junk_is_refused() {
    let key = key();
    for junk in ["", "null", "[]", "{}", r#"{"critical":null}"#] {
        assert!(matches!(
            check(junk, &key),
            Err(VerifyError::Malformed { .. })
        ));
    }
    let text = document().to_string();
    for signature in ["not base64!", "MEUC", ""] {
        let result = verify(
            text.as_bytes(),
            signature,
            None,
            &subject(),
            &key.public_key().into(),
        );
        assert!(matches!(
            result,
            Err(VerifyError::Base64 { .. } | VerifyError::WrongKey { .. })
        ));
    }
}

#[test]
fn a_payload_or_a_signature_above_the_limit_is_not_read() {
    let key = key().public_key().into();
    let large = " ".repeat(limits::SIGNATURE_BYTES + 1);
    for (payload, signature) in [(&*large, ""), ("", &*large)] {
        let result = verify(payload.as_bytes(), signature, None, &subject(), &key);
        assert!(matches!(result, Err(VerifyError::TooLarge { .. })));
    }
}
