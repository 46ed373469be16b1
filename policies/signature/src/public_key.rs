//! Public keys: what a signature is checked with.

use std::fmt;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ParsedPublicKey};
use pem::{EncodeConfig, LineEnding, Pem};
use sigstore_crypto::{KeyAlgorithm, SigningScheme, VerificationKey, sha256};
use sigstore_types::{DerPublicKey, SignatureBytes};
use wasmport_artifact::Digest;

use crate::key_error::KeyError;

/// An ECDSA P-256 public key, as in cosign's `cosign.pub`.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(DerPublicKey);

impl PublicKey {
    /// Reads a PEM block `PUBLIC KEY` (`SubjectPublicKeyInfo`, RFC 5280).
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let block = parse_pem(text)?;
        if block.tag() != LABEL {
            return Err(KeyError::Label {
                expected: LABEL,
                got: block.tag().to_owned(),
            });
        }
        Self::from_der(DerPublicKey::new(block.into_contents()))
    }

    /// The PEM block `PUBLIC KEY`, with a final newline, as cosign writes it.
    pub fn to_pem(&self) -> String {
        write_pem(LABEL, self.0.as_bytes().to_vec())
    }

    /// `sha256:<hex>` of the key's DER form: a name for people and logs.
    pub fn fingerprint(&self) -> String {
        Digest::of(self.0.as_bytes()).to_string()
    }

    /// Base64 of the sha256 of the key's DER form: the `publicKey.hint` of cosign's
    /// bundles.
    pub fn hint(&self) -> String {
        sha256(self.0.as_bytes()).to_base64()
    }

    pub(crate) fn from_der(der: DerPublicKey) -> Result<Self, KeyError> {
        let invalid = |error: sigstore_crypto::Error| KeyError::PublicKey {
            reason: error.to_string(),
        };
        match KeyAlgorithm::from_spki(&der).map_err(invalid)? {
            KeyAlgorithm::EcdsaP256 => {}
            other => {
                return Err(KeyError::Algorithm { got: name(other) });
            }
        }
        let key = Self(der);
        let verification_key = key.verification_key().map_err(invalid)?;
        // Nobody checks the point before the first signature, and then a damaged key
        // looks like a key that signed nothing.
        ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, verification_key.as_bytes()).map_err(
            |rejected| KeyError::PublicKey {
                reason: rejected.to_string(),
            },
        )?;
        Ok(key)
    }

    /// True when `signature` (ASN.1 DER) is this key's signature over `message`.
    pub(crate) fn signed(&self, message: &[u8], signature: &SignatureBytes) -> bool {
        self.verification_key()
            .is_ok_and(|key| key.verify(message, signature).is_ok())
    }

    fn verification_key(&self) -> sigstore_crypto::Result<VerificationKey> {
        VerificationKey::from_spki_with_scheme(&self.0, SigningScheme::EcdsaP256Sha256)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PublicKey({})", self.fingerprint())
    }
}

const LABEL: &str = "PUBLIC KEY";

/// Largest key file, in bytes. Cosign's have about 700; a file a hundred times as large
/// is not a key.
const PEM_BYTES: usize = 64 * 1024;

/// The name that people know an algorithm by.
fn name(algorithm: KeyAlgorithm) -> String {
    match algorithm {
        KeyAlgorithm::EcdsaP384 => "ECDSA P-384".to_owned(),
        KeyAlgorithm::Rsa => "RSA".to_owned(),
        other => format!("{other:?}"),
    }
}

pub(crate) fn parse_pem(text: &str) -> Result<Pem, KeyError> {
    if text.len() > PEM_BYTES {
        return Err(KeyError::TooLarge {
            max: PEM_BYTES,
            got: text.len(),
        });
    }
    pem::parse(text).map_err(KeyError::Pem)
}

pub(crate) fn write_pem(label: &str, contents: Vec<u8>) -> String {
    let unix = EncodeConfig::new().set_line_ending(LineEnding::LF);
    pem::encode_config(&Pem::new(label, contents), unix)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with `openssl ec -pubout` from a key that was thrown away.
    const P256: &str = "\
-----BEGIN PUBLIC KEY-----\n\
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8ZUVHfwHZsinYxBaMM8Rs/v9ZgMv\n\
4ih4J8uG9xgE9h/ZifmDL0VFPDnQkEA7pvh+QIlDYRWLjeXaDL227UGAbA==\n\
-----END PUBLIC KEY-----\n";
    const P384: &str = "\
-----BEGIN PUBLIC KEY-----\n\
MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEwm41vdV2mv3i4Ye7ydtLyiKQ8YHPXAeK\n\
XuJsPuB5/PP905+g/8M3WiMBwoJ5sBYtHLLevmC2J4SAz6en8V+Y7MZncr0FLnjH\n\
CWWBxLzCjYt6S5MTmnYm9huKj6wqxhoT\n\
-----END PUBLIC KEY-----\n";

    #[test]
    fn reading_and_writing_give_the_same_text() {
        let key = PublicKey::from_pem(P256).unwrap();
        assert_eq!(key.to_pem(), P256);
        assert_eq!(
            PublicKey::from_pem(&P256.replace('\n', "\r\n")).unwrap(),
            key
        );
    }

    #[test]
    fn fingerprint_and_hint_are_the_digest_that_openssl_prints() {
        let key = PublicKey::from_pem(P256).unwrap();
        assert_eq!(
            key.fingerprint(),
            "sha256:585fcf0636216245fe5980a4cd32a7afd82b432831ac002f082b7313418c0aac"
        );
        assert_eq!(key.hint(), "WF/PBjYhYkX+WYCkzTKnr9grQygxrAAvCCtzE0GMCqw=");
    }

    #[test]
    fn other_curves_are_refused_by_name() {
        let error = PublicKey::from_pem(P384).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the key is ECDSA P-384, expected ECDSA P-256"
        );
    }

    #[test]
    fn a_point_that_is_not_on_the_curve_is_refused() {
        let mut der = parse_pem(P256).unwrap().into_contents();
        *der.last_mut().unwrap() ^= 1;
        let result = PublicKey::from_pem(&write_pem(LABEL, der));
        assert!(
            matches!(result, Err(KeyError::PublicKey { .. })),
            "{result:?}"
        );
    }

    #[test]
    fn what_is_not_a_public_key_is_refused() {
        let refused = |text: &str| PublicKey::from_pem(text).unwrap_err();
        assert!(matches!(refused(""), KeyError::Pem(_)));
        assert!(matches!(refused("cosign.pub"), KeyError::Pem(_)));
        let certificate = write_pem("CERTIFICATE", vec![0x30, 0]);
        assert!(matches!(refused(&certificate), KeyError::Label { .. }));
        let junk = write_pem(LABEL, b"junk".to_vec());
        assert!(matches!(refused(&junk), KeyError::PublicKey { .. }));
        let large = P256.repeat(1000);
        assert!(matches!(refused(&large), KeyError::TooLarge { .. }));
    }
}
