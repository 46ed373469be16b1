//! Cosign's key file: PEM around JSON around a secretbox (go-securesystemslib,
//! `encrypted/encrypted.go`; cosign, `pkg/cosign/keys.go`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto_secretbox::aead::Aead as _;
use crypto_secretbox::{KeyInit as _, XSalsa20Poly1305};
use scrypt::Params;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::key_error::KeyError;
use crate::public_key::{parse_pem, write_pem};

/// What `password` opens: the DER form of a PKCS#8 private key.
pub(crate) fn decrypt(text: &str, password: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let block = parse_pem(text)?;
    check_label(block.tag())?;
    let envelope: Envelope = serde_json::from_slice(block.contents()).map_err(KeyError::Body)?;
    let secretbox = envelope.kdf.derive(password)?;
    let nonce = envelope.cipher.nonce()?;
    let ciphertext = decode("ciphertext", &envelope.ciphertext)?;
    secretbox
        .decrypt(&nonce.into(), ciphertext.as_slice())
        .map(Zeroizing::new)
        .map_err(|_| KeyError::WrongPassword)
}

/// A key file that `password` opens, with the parameters that cosign uses today.
pub(crate) fn encrypt(pkcs8: &[u8], password: &[u8]) -> Result<String, KeyError> {
    let nonce: [u8; NONCE_BYTES] = random()?;
    let kdf = Kdf {
        name: KDF.to_owned(),
        params: KdfParams {
            n: STANDARD_N,
            r: R,
            p: P,
        },
        salt: STANDARD.encode(random::<SALT_BYTES>()?),
    };
    let ciphertext = kdf
        .derive(password)?
        .encrypt(&nonce.into(), pkcs8)
        .map_err(|_| KeyError::Generate("encrypt the private key"))?;
    let envelope = Envelope {
        kdf,
        cipher: Cipher {
            name: CIPHER.to_owned(),
            nonce: STANDARD.encode(nonce),
        },
        ciphertext: STANDARD.encode(ciphertext),
    };
    let body = serde_json::to_vec(&envelope).map_err(KeyError::Body)?;
    Ok(write_pem(LABEL, body))
}

const LABEL: &str = "ENCRYPTED SIGSTORE PRIVATE KEY";
/// What cosign wrote before 2.0.
const OLD_LABEL: &str = "ENCRYPTED COSIGN PRIVATE KEY";

const KDF: &str = "scrypt";
const CIPHER: &str = "nacl/secretbox";

/// What cosign writes: 64 MiB of memory for each guess at the password.
const STANDARD_N: u64 = 1 << 16;
const R: u32 = 8;
const P: u32 = 1;

const SALT_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
const KEY_BYTES: usize = 32;

/// Each level in its own struct, in the order in which Go writes the fields.
#[derive(Serialize, Deserialize)]
struct Envelope {
    kdf: Kdf,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Serialize, Deserialize)]
struct Kdf {
    name: String,
    params: KdfParams,
    salt: String,
}

#[derive(Serialize, Deserialize)]
struct KdfParams {
    #[serde(rename = "N")]
    n: u64,
    r: u32,
    p: u32,
}

#[derive(Serialize, Deserialize)]
struct Cipher {
    name: String,
    nonce: String,
}

impl Kdf {
    fn derive(&self, password: &[u8]) -> Result<XSalsa20Poly1305, KeyError> {
        if self.name != KDF {
            return Err(encryption("key derivation", &self.name, "`scrypt`"));
        }
        let params = self.params.check()?;
        let salt = decode("salt", &self.salt)?;
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        scrypt::scrypt(password, &salt, &params, key.as_mut())
            .map_err(|_| KeyError::Generate("derive a key from the password"))?;
        Ok(XSalsa20Poly1305::new((&*key).into()))
    }
}

impl KdfParams {
    /// Only what Go accepts. A file with other numbers could ask for any amount of memory.
    fn check(&self) -> Result<Params, KeyError> {
        let log_n = match (self.n, self.r, self.p) {
            (0x8000, R, P) => Some(15),
            (0x1_0000, R, P) => Some(16),
            (0x2_0000, R, P) => Some(17),
            _ => None,
        };
        log_n
            .and_then(|log_n| Params::new(log_n, R, P, KEY_BYTES).ok())
            .ok_or_else(|| {
                let Self { n, r, p } = self;
                let got = format!("N={n} r={r} p={p}");
                let expected = "`N` of 32768, 65536 or 131072, with r=8 p=1";
                encryption("scrypt cost", &got, expected)
            })
    }
}

impl Cipher {
    fn nonce(&self) -> Result<[u8; NONCE_BYTES], KeyError> {
        if self.name != CIPHER {
            return Err(encryption("cipher", &self.name, "`nacl/secretbox`"));
        }
        decode("nonce", &self.nonce)?
            .try_into()
            .map_err(|_| encryption("nonce", &self.nonce, "24 bytes in base64"))
    }
}

fn check_label(label: &str) -> Result<(), KeyError> {
    match label {
        LABEL | OLD_LABEL => Ok(()),
        // The labels of PKCS#8, and of the older forms for one algorithm.
        "PRIVATE KEY" | "EC PRIVATE KEY" | "RSA PRIVATE KEY" | "OPENSSH PRIVATE KEY" => {
            Err(KeyError::NotEncrypted {
                label: label.to_owned(),
            })
        }
        other => Err(KeyError::Label {
            expected: LABEL,
            got: other.to_owned(),
        }),
    }
}

fn decode(what: &'static str, text: &str) -> Result<Vec<u8>, KeyError> {
    STANDARD
        .decode(text)
        .map_err(|_| encryption(what, text, "base64"))
}

fn encryption(what: &'static str, got: &str, expected: &'static str) -> KeyError {
    KeyError::Encryption {
        what,
        got: got.chars().take(80).collect(),
        expected,
    }
}

fn random<const N: usize>() -> Result<[u8; N], KeyError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| KeyError::Generate("get random bytes"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
