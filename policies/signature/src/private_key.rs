//! Private keys: what signs.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use pkcs8::{ObjectIdentifier, PrivateKeyInfo};
use sigstore_crypto::KeyPair;
use sigstore_types::SignatureBytes;
use zeroize::Zeroizing;

use crate::key_error::KeyError;
use crate::key_file;
use crate::public_key::PublicKey;

/// An ECDSA P-256 private key, as in cosign's `cosign.key`.
pub struct PrivateKey {
    /// Kept beside the pair, which does not give it back.
    pkcs8: Zeroizing<Vec<u8>>,
    pair: KeyPair,
    public: PublicKey,
}

impl PrivateKey {
    /// A new random key.
    pub fn generate() -> Result<Self, KeyError> {
        let document =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new())
                .map_err(|_| KeyError::Generate("generate an ECDSA P-256 key"))?;
        Self::from_pkcs8(Zeroizing::new(document.as_ref().to_vec()))
    }

    /// Reads a key file of cosign. This takes a tenth of a second, by intent.
    pub fn from_encrypted_pem(text: &str, password: &[u8]) -> Result<Self, KeyError> {
        Self::from_pkcs8(key_file::decrypt(text, password)?)
    }

    /// Writes a key file of cosign. The password may be empty.
    pub fn to_encrypted_pem(&self, password: &[u8]) -> Result<String, KeyError> {
        key_file::encrypt(&self.pkcs8, password)
    }

    /// The half that others may have.
    pub fn public_key(&self) -> PublicKey {
        self.public.clone()
    }

    pub(crate) fn sign(&self, message: &[u8]) -> sigstore_crypto::Result<SignatureBytes> {
        self.pair.sign(message)
    }

    fn from_pkcs8(pkcs8: Zeroizing<Vec<u8>>) -> Result<Self, KeyError> {
        check_algorithm(&pkcs8)?;
        let invalid = |error: sigstore_crypto::Error| KeyError::PrivateKey {
            reason: error.to_string(),
        };
        let pair = KeyPair::from_pkcs8_der(&pkcs8).map_err(invalid)?;
        let public = PublicKey::from_der(pair.public_key_der().map_err(invalid)?)?;
        Ok(Self {
            pkcs8,
            pair,
            public,
        })
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PrivateKey(of {:?})", self.public)
    }
}

const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// `cosign import-key-pair` takes keys that we do not; say which it is.
fn check_algorithm(pkcs8: &[u8]) -> Result<(), KeyError> {
    let info = PrivateKeyInfo::try_from(pkcs8).map_err(|error| KeyError::PrivateKey {
        reason: error.to_string(),
    })?;
    let algorithm = info.algorithm;
    let curve = algorithm.parameters.and_then(|any| any.decode_as().ok());
    let got = match (algorithm.oid, curve) {
        (EC_PUBLIC_KEY, Some(P256)) => return Ok(()),
        (EC_PUBLIC_KEY, Some(P384)) => "ECDSA P-384".to_owned(),
        (EC_PUBLIC_KEY, Some(curve)) => format!("ECDSA on curve {curve}"),
        (RSA, _) => "RSA".to_owned(),
        (ED25519, _) => "Ed25519".to_owned(),
        (other, _) => format!("of algorithm {other}"),
    };
    Err(KeyError::Algorithm { got })
}
