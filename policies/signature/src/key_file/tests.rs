//! Key files made by us, and files that are not right.

use serde_json::{Value, json};

use super::*;
use crate::PrivateKey;

/// The JSON in a key file around `secret`, opened by `password`.
fn body(secret: &[u8], password: &[u8]) -> Value {
    let text = encrypt(secret, password).unwrap();
    serde_json::from_slice(parse_pem(&text).unwrap().contents()).unwrap()
}

fn open(body: &Value, password: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let text = write_pem(LABEL, body.to_string().into_bytes());
    decrypt(&text, password)
}

/// The JSON of a key file with another scrypt cost.
fn body_with_cost(n: u64, secret: &[u8], password: &[u8]) -> Value {
    let mut body = body(secret, password);
    let kdf = Kdf {
        name: KDF.to_owned(),
        params: KdfParams { n, r: R, p: P },
        salt: body["kdf"]["salt"].as_str().unwrap().to_owned(),
    };
    let nonce = [7; NONCE_BYTES];
    let ciphertext = kdf.derive(password).unwrap().encrypt(&nonce.into(), secret);
    body["kdf"]["params"]["N"] = json!(n);
    body["cipher"]["nonce"] = json!(STANDARD.encode(nonce));
    body["ciphertext"] = json!(STANDARD.encode(ciphertext.unwrap()));
    body
}

#[test]
fn a_key_file_opens_with_its_password_only() {
    let key = PrivateKey::generate().unwrap();
    let text = key.to_encrypted_pem(b"secret").unwrap();
    assert!(text.starts_with("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n"));
    let opened = PrivateKey::from_encrypted_pem(&text, b"secret").unwrap();
    assert_eq!(opened.public_key(), key.public_key());
    for wrong in ["", "Secret", "secret\n"] {
        let result = PrivateKey::from_encrypted_pem(&text, wrong.as_bytes());
        assert!(matches!(result, Err(KeyError::WrongPassword)), "{result:?}");
    }
}

#[test]
fn the_password_may_be_empty() {
    let key = PrivateKey::generate().unwrap();
    let text = key.to_encrypted_pem(b"").unwrap();
    let opened = PrivateKey::from_encrypted_pem(&text, b"").unwrap();
    assert_eq!(opened.public_key(), key.public_key());
}

#[test]
fn two_files_of_one_key_share_neither_salt_nor_nonce() {
    let (first, second) = (body(b"secret", b""), body(b"secret", b""));
    assert_ne!(first["kdf"]["salt"], second["kdf"]["salt"]);
    assert_ne!(first["cipher"]["nonce"], second["cipher"]["nonce"]);
    assert_eq!(
        first["kdf"]["params"],
        json!({ "N": 65536, "r": 8, "p": 1 })
    );
}

#[test]
fn the_old_label_other_line_endings_and_words_around_the_block_are_read() {
    let text = encrypt(b"secret", b"").unwrap();
    let old = text.replace("SIGSTORE", "COSIGN");
    let windows = text.replace('\n', "\r\n");
    let noted = format!("TEST ONLY\n\n{text}\n");
    let trimmed = text.trim_end().to_owned();
    for text in [old, windows, noted, trimmed] {
        assert_eq!(*decrypt(&text, b"").unwrap(), b"secret");
    }
}

#[test]
fn every_cost_that_cosign_reads_is_read() {
    for n in [32_768, 65_536, 131_072] {
        let body = body_with_cost(n, b"secret", b"pass");
        assert_eq!(*open(&body, b"pass").unwrap(), b"secret");
    }
}

#[test]
fn other_costs_are_refused_before_any_memory_is_taken() {
    let good = body(b"secret", b"");
    for (n, r, p) in [
        (0, 8, 1),
        (1, 8, 1),
        (16_384, 8, 1),
        (65_537, 8, 1),
        (1 << 40, 8, 1),
        (u64::MAX, 8, 1),
        (65_536, 16, 1),
        (65_536, 8, 2),
    ] {
        let mut body = good.clone();
        body["kdf"]["params"] = json!({ "N": n, "r": r, "p": p });
        let error = open(&body, b"").unwrap_err();
        assert!(matches!(
            error,
            KeyError::Encryption {
                what: "scrypt cost",
                ..
            }
        ));
        assert!(error.to_string().contains(&format!("N={n} ")), "{error}");
    }
}

#[test]
fn other_ciphers_and_damaged_fields_are_refused_by_name() {
    let good = body(b"secret", b"");
    for (pointer, value, what) in [
        ("/kdf/name", "argon2id", "key derivation"),
        ("/cipher/name", "aes", "cipher"),
        ("/kdf/salt", "!", "salt"),
        ("/cipher/nonce", "!", "nonce"),
        ("/cipher/nonce", "AAAA", "nonce"),
        ("/ciphertext", "!", "ciphertext"),
    ] {
        let mut body = good.clone();
        *body.pointer_mut(pointer).unwrap() = json!(value);
        let error = open(&body, b"").unwrap_err();
        let expected = format!("the key file's {what} is `{value}`");
        assert!(error.to_string().starts_with(&expected), "{error}");
    }
}

#[test]
fn a_damaged_ciphertext_does_not_open() {
    let mut body = body(b"secret", b"");
    for ciphertext in [String::new(), "AAAA".into(), STANDARD.encode([0; 154])] {
        body["ciphertext"] = json!(ciphertext);
        assert!(matches!(open(&body, b""), Err(KeyError::WrongPassword)));
    }
}

#[test]
fn what_opens_must_be_a_private_key() {
    let text = encrypt(b"secret", b"").unwrap();
    let result = PrivateKey::from_encrypted_pem(&text, b"");
    assert!(matches!(result, Err(KeyError::PrivateKey { .. })));
}

#[test]
fn a_private_key_that_is_not_encrypted_is_refused_with_the_way_out() {
    for label in ["PRIVATE KEY", "EC PRIVATE KEY"] {
        let error = decrypt(&write_pem(label, vec![0x30, 0]), b"").unwrap_err();
        assert!(matches!(error, KeyError::NotEncrypted { .. }));
        assert!(
            error.to_string().contains("cosign import-key-pair"),
            "{error}"
        );
    }
}

#[test]
fn what_is_not_a_key_file_is_refused() {
    let public = PrivateKey::generate().unwrap().public_key().to_pem();
    assert!(matches!(decrypt(&public, b""), Err(KeyError::Label { .. })));
    assert!(matches!(decrypt("", b""), Err(KeyError::Pem(_))));
    let large = " ".repeat(1024 * 1024);
    assert!(matches!(
        decrypt(&large, b""),
        Err(KeyError::TooLarge { .. })
    ));
    let junk = write_pem(LABEL, b"junk".to_vec());
    assert!(matches!(decrypt(&junk, b""), Err(KeyError::Body(_))));
}
