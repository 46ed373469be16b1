//! Trusted roots: whose certificates, logs and timestamps prove who signed and when
//! (protobuf-specs, `sigstore_trustroot.proto`).

use std::fmt;
use std::str;

use sigstore_types::{ArtifactDigest, Bundle};
use sigstore_verify::trust_root::TrustedRoot as Material;
use sigstore_verify::{VerificationPolicy, Verifier};
use thiserror::Error;
use wasmport_artifact::{Digest, limits};

/// What certificates are checked with, without a network: `trusted_root.json`, as
/// `cosign trusted-root create` writes it.
///
/// What the root carries is asked for: with transparency logs in it a signature must be in
/// one of them, and with logs of certificates the certificate must be. A root without
/// transparency logs has timestamp authorities, and one of them must have seen the signature.
pub struct TrustedRoot {
    verifier: Verifier,
    policy: VerificationPolicy,
    digest: Digest,
}

/// Why a file is not a trusted root that signatures can be checked with.
#[derive(Debug, Error)]
pub enum TrustedRootError {
    /// Larger than any of them.
    #[error("a trusted root has at most {ROOT_BYTES} bytes, got {0}")]
    TooLarge(usize),
    /// No JSON, JSON of another shape, or several documents in one file.
    #[error("it is not one JSON document `trusted_root.json`: {0}")]
    Malformed(Box<dyn std::error::Error + Send + Sync>),
    /// Nobody in it can vouch for an identity.
    #[error("it has no certificate authority")]
    NoAuthority,
    /// Certificates live for minutes, and nothing in it tells when they were used.
    #[error(
        "it has neither a transparency log nor a timestamp authority, and nothing else tells when a signature was made"
    )]
    NoClock,
    /// A certificate or a key in it cannot be used.
    #[error("what it carries cannot be used: {0}")]
    Material(Box<sigstore_verify::Error>),
}

/// The largest file: Sigstore's own has 7 kB, GitHub's, with thirty authorities, 32 kB.
const ROOT_BYTES: usize = limits::SIGNATURE_BYTES;

impl TrustedRoot {
    /// Reads a `trusted_root.json` of version 0.1 or 0.2.
    pub fn from_json(bytes: &[u8]) -> Result<Self, TrustedRootError> {
        if bytes.len() > ROOT_BYTES {
            return Err(TrustedRootError::TooLarge(bytes.len()));
        }
        let text =
            str::from_utf8(bytes).map_err(|error| TrustedRootError::Malformed(error.into()))?;
        let material =
            Material::from_json(text).map_err(|error| TrustedRootError::Malformed(error.into()))?;
        if material.certificate_authorities.is_empty() {
            return Err(TrustedRootError::NoAuthority);
        }
        if material.tlogs.is_empty() && material.timestamp_authorities.is_empty() {
            return Err(TrustedRootError::NoClock);
        }
        let verifier = Verifier::new(&material)
            .map_err(|error| TrustedRootError::Material(Box::new(error)))?;
        Ok(Self {
            verifier,
            policy: asked_of_signatures(&material),
            digest: Digest::of(bytes),
        })
    }

    /// The digest of the file.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Checks the certificate of a bundle, what proves its time, and its signature over
    /// `signed`. Whom the certificate names is not looked at.
    pub(crate) fn verify(
        &self,
        bundle: &Bundle,
        signed: ArtifactDigest,
    ) -> Result<(), sigstore_verify::Error> {
        self.verifier.verify(signed, bundle, &self.policy)?;
        Ok(())
    }
}

fn asked_of_signatures(material: &Material) -> VerificationPolicy {
    let mut policy = VerificationPolicy::any_identity();
    if material.tlogs.is_empty() {
        policy = policy.skip_tlog_unsafe();
    }
    if material.ctlogs.is_empty() {
        policy = policy.skip_sct();
    }
    policy
}

impl fmt::Debug for TrustedRoot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "TrustedRoot({})", self.digest)
    }
}
