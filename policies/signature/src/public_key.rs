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
                return Err(KeyError::Algorithm {
                    got: format!("{other:?}"),
                });
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
