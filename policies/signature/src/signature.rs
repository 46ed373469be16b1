//! A signature as it is found on a registry, in one of cosign's two forms.

use wasmport_artifact::Digest;

use crate::authority::Authority;
use crate::simple_proof::SimpleProof;
use crate::verify::VerifyError;
use crate::{bundle, simple_signing};

/// A signature by a key or an identity over the digest of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signature {
    /// A Sigstore bundle, which cosign 3 stores as a referrer.
    Bundle {
        /// The bundle's JSON.
        bytes: Vec<u8>,
    },
    /// A layer of the `.sig` tag, which cosign 2 writes.
    Simple {
        /// The simple-signing JSON, exactly as it is stored.
        payload: Vec<u8>,
        /// Base64 of an ASN.1 DER signature over `payload`.
        signature: String,
        /// The certificate beside it, if a key did not sign.
        proof: Option<SimpleProof>,
    },
}

impl Signature {
    /// Checks that `by` signed `subject`, the digest of a manifest.
    ///
    /// With a key, only the key counts. A transparency log entry, a timestamp, the hint and
    /// the `keyid` of a bundle are not looked at: none of them is covered by the signature.
    /// With an identity, what its trusted root asks for has to hold.
    pub fn verify(&self, subject: &Digest, by: &Authority) -> Result<(), VerifyError> {
        match self {
            Self::Bundle { bytes } => bundle::verify(bytes, subject, by),
            Self::Simple {
                payload,
                signature,
                proof,
            } => simple_signing::verify(payload, signature, proof.as_ref(), subject, by),
        }
    }

    /// The name of the form: `sigstore-bundle` or `cosign-simple-signing`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Bundle { .. } => "sigstore-bundle",
            Self::Simple { .. } => "cosign-simple-signing",
        }
    }
}
