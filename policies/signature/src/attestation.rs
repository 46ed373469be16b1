//! What somebody says about an artifact and signs: provenance, an SBOM, a scan.

use wasmport_artifact::Digest;

use crate::authority::Authority;
use crate::bundle;
use crate::verify::VerifyError;

/// A signed statement as it is found on a registry, in one of cosign's two forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attestation {
    /// A Sigstore bundle, which cosign 3 stores as a referrer.
    Bundle {
        /// The bundle's JSON.
        bytes: Vec<u8>,
    },
    /// A DSSE envelope alone: a layer of the `.att` tag, which cosign 2 writes.
    Envelope {
        /// The envelope's JSON.
        bytes: Vec<u8>,
    },
}

impl Attestation {
    /// Checks that `by` signed a statement about `subject`, the digest of a manifest, and
    /// gives its predicate type. What the predicate says is not looked at.
    ///
    /// A plain signature is a statement too, with a predicate type of its own.
    pub fn verify(&self, subject: &Digest, by: &Authority) -> Result<String, VerifyError> {
        match self {
            Self::Bundle { bytes } => bundle::attested(bytes, subject, by),
            Self::Envelope { bytes } => bundle::attested_in_envelope(bytes, subject, by),
        }
    }
}
