//! Identities: signers whom a certificate names, and whose keys live for minutes ("keyless").

use std::sync::Arc;

use serde::de::Error as _;
use sigstore_crypto::{CertificateInfo, SubjectAltName, parse_certificate_info};
use sigstore_types::bundle::SignatureContent;
use sigstore_types::{
    Artifact, ArtifactDigest, Bundle, DigestBytes, HashAlgorithm, Sha256Hash, Sha512Hash,
};
use wasmport_artifact::{Algorithm, Digest};

use crate::bundle::parse;
use crate::identity_pattern::IdentityPattern;
use crate::simple_bundle;
use crate::simple_proof::SimpleProof;
use crate::trusted_root::TrustedRoot;
use crate::verify::{Shown, VerifyError};

/// A signer, by the certificate that Fulcio or another authority gave it
/// (fulcio, `docs/certificate-specification.md`).
#[derive(Clone, Debug)]
pub struct CertifiedIdentity {
    /// Who issued the token that the certificate was given for, such as
    /// `https://token.actions.githubusercontent.com`.
    pub issuer: String,
    /// Whom the certificate must be for: an address of a workflow, or of a person.
    pub identity: IdentityPattern,
    /// Whose certificates count.
    pub root: Arc<TrustedRoot>,
}

impl CertifiedIdentity {
    /// A digest of all that makes it this one.
    pub fn fingerprint(&self) -> String {
        let text = format!("{}\n{}\n{}", self.issuer, self.identity, self.root.digest());
        Digest::of(text.as_bytes()).to_string()
    }

    /// True when one certificate can be for both.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.issuer == other.issuer && self.identity.overlaps(&other.identity)
    }

    /// Gives the payload of a bundle's envelope, which this identity has signed, and which
    /// says to be about `subject`.
    pub(crate) fn open(&self, bundle: &[u8], subject: &Digest) -> Result<Vec<u8>, VerifyError> {
        let bundle = parse_bundle(bundle)?;
        let SignatureContent::DsseEnvelope(envelope) = &bundle.content else {
            return Err(VerifyError::MessageSignature);
        };
        let payload = envelope.payload.as_bytes().to_vec();
        self.prove(bundle, Artifact::Digest(artifact(subject)?))?;
        Ok(payload)
    }

    /// Checks that this identity signed `payload`, with what stands beside the signature.
    pub(crate) fn signed(
        &self,
        payload: &[u8],
        signature: &str,
        proof: &SimpleProof,
    ) -> Result<(), VerifyError> {
        let bundle = simple_bundle::bundle(signature, proof)?;
        self.prove(bundle, Artifact::Blob(payload))
    }

    /// What the certificate claims is compared first: it costs little, and most bundles
    /// of others end there. It counts once the root has proved it.
    fn prove(&self, bundle: Bundle, signed: Artifact<'_>) -> Result<(), VerifyError> {
        let material = &bundle.verification_material;
        let timestamps = &material.timestamp_verification_data.rfc3161_timestamps;
        let most = material.tlog_entries.len().max(timestamps.len());
        if most > PROOFS {
            return Err(VerifyError::TooManyProofs {
                max: PROOFS,
                got: most,
            });
        }
        let certificate = bundle
            .signing_certificate()
            .ok_or(VerifyError::NoCertificate)?;
        let claims = parse_certificate_info(certificate).map_err(VerifyError::unproved)?;
        if !self.is_meant(&claims) {
            let identity = claims.identity.as_ref().map(SubjectAltName::as_str);
            return Err(VerifyError::WrongIdentity {
                identity: Shown::from(identity.unwrap_or("nobody")),
                issuer: Shown::from(claims.issuer.as_deref().unwrap_or("nobody")),
            });
        }
        self.root
            .verify(bundle, signed)
            .map_err(VerifyError::unproved)
    }

    fn is_meant(&self, claims: &CertificateInfo) -> bool {
        let identity = match &claims.identity {
            Some(SubjectAltName::Uri(uri)) if self.identity.is_uri() => uri,
            Some(SubjectAltName::Email(address)) if !self.identity.is_uri() => address,
            _ => return false,
        };
        claims.issuer.as_ref() == Some(&self.issuer) && self.identity.matches(identity)
    }
}

/// What is wrong with it is said in words of others, which may hold any text of the bundle.
fn parse_bundle(bytes: &[u8]) -> Result<Bundle, VerifyError> {
    parse("bundle", bytes).map_err(|error| match error {
        VerifyError::Malformed { what, source } => VerifyError::Malformed {
            what,
            source: serde_json::Error::custom(Shown::from(&*source.to_string())),
        },
        error => error,
    })
}

/// How many log entries, and how many timestamps, a bundle may have. Signers make one or two.
const PROOFS: usize = 32;

fn artifact(subject: &Digest) -> Result<ArtifactDigest, VerifyError> {
    let hex = subject.hex();
    let (algorithm, digest) = match subject.algorithm() {
        Algorithm::Sha256 => (
            HashAlgorithm::Sha2256,
            Sha256Hash::from_hex(hex).map(DigestBytes::from),
        ),
        Algorithm::Sha512 => (
            HashAlgorithm::Sha2512,
            Sha512Hash::from_hex(hex).map(DigestBytes::from),
        ),
    };
    let digest = digest.map_err(VerifyError::unproved)?;
    ArtifactDigest::new(algorithm, digest).map_err(VerifyError::unproved)
}
