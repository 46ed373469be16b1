//! Keys and signatures that real cosign made; `testdata/signatures/README.md` says how.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests may panic as tests do"
)]

use std::path::Path;

use wasmport_artifact::{Digest, Manifest, media_type};
use wasmport_signature::{
    KeyError, PublicKey, Signature, VerifyError, is_bundle_manifest, simple_layers,
};

fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/signatures");
    std::fs::read(folder.join(name)).unwrap()
}

fn text(name: &str) -> String {
    String::from_utf8(fixture(name)).unwrap()
}

fn manifest(name: &str) -> Manifest {
    Manifest::parse(fixture(name), media_type::IMAGE_MANIFEST).unwrap()
}

fn public_key(name: &str) -> PublicKey {
    PublicKey::from_pem(&text(name)).unwrap()
}

fn subject() -> Digest {
    Digest::of(&fixture("subject.manifest.json"))
}

fn bundle(name: &str) -> Signature {
    Signature::Bundle {
        bytes: fixture(name),
    }
}

fn simple() -> Signature {
    let layers = simple_layers(&manifest("cosign-2.manifest.json"));
    let [layer] = layers.as_slice() else {
        panic!("expected one layer, got {layers:?}");
    };
    let payload = fixture("cosign-2.payload.json");
    layer.blob.digest.check(&payload).unwrap();
    layer.clone().with_payload(payload)
}

#[test]
fn what_cosign_2_signed_verifies_with_its_key_only() {
    let subject = subject();
    let signature = simple();
    signature
        .verify(&subject, &public_key("test-only-cosign-2.pub").into())
        .unwrap();
    let other = signature.verify(&subject, &public_key("test-only-cosign-3.pub").into());
    assert!(matches!(other, Err(VerifyError::WrongKey { .. })));
}

#[test]
fn what_cosign_3_signed_verifies_with_its_key_only() {
    let manifest = manifest("cosign-3.manifest.json");
    assert!(is_bundle_manifest(&manifest));
    assert_eq!(manifest.subject().unwrap().digest, subject());
    let signature = bundle("cosign-3.bundle.json");
    signature
        .verify(&subject(), &public_key("test-only-cosign-3.pub").into())
        .unwrap();
    let other = signature.verify(&subject(), &public_key("test-only-cosign-2.pub").into());
    assert!(matches!(other, Err(VerifyError::WrongKey { .. })));
}

#[test]
fn neither_counts_for_another_artifact() {
    let another = Digest::of(b"another");
    let two = simple().verify(&another, &public_key("test-only-cosign-2.pub").into());
    let three = bundle("cosign-3.bundle.json")
        .verify(&another, &public_key("test-only-cosign-3.pub").into());
    for result in [two, three] {
        let error = result.unwrap_err();
        assert!(matches!(error, VerifyError::NotForThisSubject { .. }));
        let message = error.to_string();
        assert!(message.contains(subject().as_str()), "{message}");
        assert!(message.contains(another.as_str()), "{message}");
    }
}

#[test]
fn a_signed_provenance_is_not_a_signature() {
    let error = bundle("cosign-3-provenance.bundle.json")
        .verify(&subject(), &public_key("test-only-cosign-3.pub").into())
        .unwrap_err();
    assert!(matches!(error, VerifyError::NotASignature { .. }));
    assert!(
        error.to_string().contains("https://slsa.dev/provenance/v1"),
        "{error}"
    );
}

#[test]
fn a_signed_blob_is_not_a_signature_of_an_artifact() {
    let blob = Digest::of(b"blob");
    let result = bundle("cosign-3-blob.bundle.json")
        .verify(&blob, &public_key("test-only-cosign-3.pub").into());
    assert!(matches!(result, Err(VerifyError::MessageSignature)));
}

#[test]
fn public_keys_are_read_written_and_hinted_as_cosign_does() {
    let bundle = text("cosign-3.bundle.json");
    let key = public_key("test-only-cosign-3.pub");
    assert_eq!(key.to_pem(), text("test-only-cosign-3.pub"));
    assert!(bundle.contains(&format!(r#""hint":"{}""#, key.hint())));
}

#[test]
fn an_rsa_key_is_refused_by_name() {
    let error = PublicKey::from_pem(&text("test-only-rsa.pub")).unwrap_err();
    assert_eq!(error.to_string(), "the key is RSA, expected ECDSA P-256");
    assert!(matches!(error, KeyError::Algorithm { .. }));
}

#[cfg(feature = "sign")]
mod sign {
    use std::collections::BTreeMap;

    use wasmport_artifact::{Descriptor, ImageManifest};
    use wasmport_signature::{
        PrivateKey, bundle_manifest, sign_bundle, sign_simple, simple_manifest,
    };

    use super::*;

    fn private_key(name: &str, password: &str) -> Result<PrivateKey, KeyError> {
        PrivateKey::from_encrypted_pem(&text(name), password.as_bytes())
    }

    #[test]
    fn key_files_of_cosign_2_and_3_open_and_hold_the_public_key_beside_them() {
        for (name, password) in [
            ("test-only-cosign-2", "test only"),
            ("test-only-cosign-3", "test only"),
            ("test-only-empty-password", ""),
        ] {
            let key = private_key(&format!("{name}.key"), password).unwrap();
            assert_eq!(key.public_key(), public_key(&format!("{name}.pub")));
        }
    }

    #[test]
    fn a_wrong_password_is_an_error_of_its_own() {
        for password in ["", "test onl", "test only "] {
            let result = private_key("test-only-cosign-3.key", password);
            assert!(matches!(result, Err(KeyError::WrongPassword)), "{result:?}");
        }
    }

    #[test]
    fn an_imported_rsa_key_is_refused_by_name() {
        let error = private_key("test-only-rsa.key", "test only").unwrap_err();
        assert_eq!(error.to_string(), "the key is RSA, expected ECDSA P-256");
    }

    #[test]
    fn the_statement_is_the_one_that_cosign_3_writes() {
        let payload = |bytes: &[u8]| {
            let bundle: serde_json::Value = serde_json::from_slice(bytes).unwrap();
            bundle["dsseEnvelope"]["payload"].clone()
        };
        let key = private_key("test-only-cosign-3.key", "test only").unwrap();
        let annotations = BTreeMap::from([("who".to_owned(), "cosign-3".to_owned())]);
        let Signature::Bundle { bytes } = sign_bundle(&key, &subject(), &annotations).unwrap()
        else {
            panic!("expected a bundle");
        };
        assert_eq!(payload(&bytes), payload(&fixture("cosign-3.bundle.json")));
    }

    #[test]
    fn the_simple_signing_payload_is_the_one_that_cosign_2_writes() {
        let key = private_key("test-only-cosign-2.key", "test only").unwrap();
        let annotations = BTreeMap::from([("who".to_owned(), "cosign-2".to_owned())]);
        let repository = "127.0.0.1:5917/golden/app";
        let signature = sign_simple(&key, &subject(), repository, &annotations).unwrap();
        let Signature::Simple { payload, .. } = signature else {
            panic!("expected simple signing");
        };
        assert_eq!(payload, fixture("cosign-2.payload.json"));
    }

    #[test]
    fn the_bundle_manifest_says_what_that_of_cosign_3_says() {
        let theirs = manifest("cosign-3.manifest.json");
        let created = &theirs.annotations()["org.opencontainers.image.created"];
        let bundle = fixture("cosign-3.bundle.json");
        let subject = Descriptor::of(
            media_type::IMAGE_MANIFEST,
            &fixture("subject.manifest.json"),
        );
        let ours = bundle_manifest(&bundle, subject, created);
        let ours = Manifest::parse(ours.to_bytes(), media_type::IMAGE_MANIFEST).unwrap();
        assert!(is_bundle_manifest(&ours));
        assert_eq!(ours.artifact_type(), theirs.artifact_type());
        assert_eq!(ours.subject(), theirs.subject());
        assert_eq!(ours.layers(), theirs.layers());
        assert_eq!(ours.annotations(), theirs.annotations());
        assert_eq!(
            ours.config().unwrap().digest,
            theirs.config().unwrap().digest
        );
    }

    #[test]
    fn the_sig_manifest_and_its_config_are_those_that_cosign_2_writes() {
        let (manifest, blobs) = simple_manifest(None, &[simple()]);
        let contents: Vec<_> = blobs.into_iter().map(|(_, bytes)| bytes).collect();
        let expected = ["cosign-2.payload.json", "cosign-2.config.json"].map(fixture);
        assert_eq!(contents, expected);
        let theirs = super::manifest("cosign-2.manifest.json");
        assert_eq!(&manifest.layers, theirs.layers());
        assert_eq!(Some(&manifest.config), theirs.config());
    }

    #[test]
    fn a_signature_is_added_behind_that_of_cosign_2() {
        let theirs = manifest("cosign-2.manifest.json");
        let key = PrivateKey::generate().unwrap();
        let ours = sign_simple(&key, &subject(), "localhost/app", &BTreeMap::new()).unwrap();
        let (manifest, blobs) = simple_manifest(Some(&theirs), &[simple(), ours]);
        let ImageManifest { layers, .. } = manifest;
        assert_eq!(layers.len(), 2);
        assert_eq!(&layers[..1], theirs.layers());
        // Theirs is there already, so there is only our payload and the new config.
        assert_eq!(blobs.len(), 2);
    }
}
