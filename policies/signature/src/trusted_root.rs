//! Trusted roots: whose certificates, logs and timestamps prove who signed and when
//! (protobuf-specs, `sigstore_trustroot.proto`).

use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use sigstore_types::bundle::{TimestampVerificationData, VerificationMaterialContent};
use sigstore_types::{Artifact, Bundle, MediaType};
use sigstore_verify::trust_root::{TransparencyLog, TrustedRoot as Material};
use sigstore_verify::{VerificationPolicy, Verifier};
use thiserror::Error;
use wasmport_artifact::{Digest, limits};

/// What certificates are checked with, without a network: `trusted_root.json`, as
/// `cosign trusted-root create` writes it.
///
/// What the root carries is asked for: with transparency logs in it a signature must be in
/// one of them, and with logs of certificates the certificate must be. A root without
/// transparency logs has timestamp authorities, and one of them must have seen the signature.
/// What the root does not carry is not looked at.
pub struct TrustedRoot {
    material: Material,
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
    #[error("it is not a trusted root, one JSON document: {0}")]
    Malformed(serde_json::Error),
    /// Another document, or one of a version that we do not know.
    #[error("it has media type `{0}`, expected a Sigstore trusted root of version 0.1 or 0.2")]
    MediaType(String),
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

/// Media types of the versions that we know.
const KNOWN: [&str; 4] = [
    "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    "application/vnd.dev.sigstore.trustedroot+json;version=0.2",
    "application/vnd.dev.sigstore.trustedroot.v0.1+json",
    "application/vnd.dev.sigstore.trustedroot.v0.2+json",
];

impl TrustedRoot {
    /// Reads a `trusted_root.json` of version 0.1 or 0.2.
    pub fn from_json(bytes: &[u8]) -> Result<Self, TrustedRootError> {
        if bytes.len() > ROOT_BYTES {
            return Err(TrustedRootError::TooLarge(bytes.len()));
        }
        let fields: Fields = serde_json::from_slice(bytes).map_err(TrustedRootError::Malformed)?;
        let material: Material =
            serde_json::from_value(fields.into()).map_err(TrustedRootError::Malformed)?;
        if !KNOWN.contains(&&*material.media_type) {
            return Err(TrustedRootError::MediaType(material.media_type));
        }
        if material.certificate_authorities.is_empty() {
            return Err(TrustedRootError::NoAuthority);
        }
        if material.tlogs.is_empty() && material.timestamp_authorities.is_empty() {
            return Err(TrustedRootError::NoClock);
        }
        let verifier = Verifier::new(&material)
            .map_err(|error| TrustedRootError::Material(Box::new(error)))?;
        Ok(Self {
            policy: asked_of_signatures(&material),
            material,
            verifier,
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
        mut bundle: Bundle,
        signed: Artifact<'_>,
    ) -> Result<(), sigstore_verify::Error> {
        self.leave_out_what_is_not_asked_for(&mut bundle);
        let verifier = &self.verifier;
        let result = verifier.verify(signed.clone(), &bundle, &self.policy)?;
        match result.verified_timestamps().iter().min() {
            Some(then) => self.verify_with_the_logs_of(*then, signed, &bundle),
            None => Ok(()),
        }
    }

    /// Logs and authorities that the root does not know neither help nor hurt. Neither do other
    /// certificates than the first: whoever the root means to issue some is in the root, and a
    /// bundle must not bring along somebody else with a certificate by the same authority.
    fn leave_out_what_is_not_asked_for(&self, bundle: &mut Bundle) {
        let material = &mut bundle.verification_material;
        if let VerificationMaterialContent::X509CertificateChain { certificates } =
            &mut material.content
        {
            certificates.truncate(1);
        }
        if self.material.timestamp_authorities.is_empty() {
            material.timestamp_verification_data = TimestampVerificationData::default();
        }
        if self.material.tlogs.is_empty() {
            material.tlog_entries.clear();
            // A log's promise is a part of bundles of the first version.
            if bundle.media_type == MediaType::Bundle0_1 {
                bundle.media_type = MediaType::Bundle0_2;
            }
        }
    }

    /// A log that was retired before the signature was made proves nothing about it: its key may
    /// be known by now. The verifier minds that with promises, and not with proofs.
    fn verify_with_the_logs_of(
        &self,
        then: Timestamp,
        signed: Artifact<'_>,
        bundle: &Bundle,
    ) -> Result<(), sigstore_verify::Error> {
        let is_retired = |log: &TransparencyLog| {
            let end = log.public_key.valid_for.and_then(|window| window.end);
            end.is_some_and(|end| end < then)
        };
        if !self.material.tlogs.iter().any(is_retired) {
            return Ok(());
        }
        let mut material = self.material.clone();
        material.tlogs.retain(|log| !is_retired(log));
        Verifier::new(&material)?.verify(signed, bundle, &self.policy)?;
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

/// The fields of a trusted root, so that one that is misspelt is not one that is missing.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Fields {
    media_type: Value,
    #[serde(default = "none")]
    tlogs: Value,
    #[serde(default = "none")]
    certificate_authorities: Value,
    #[serde(default = "none")]
    ctlogs: Value,
    #[serde(default = "none")]
    timestamp_authorities: Value,
}

fn none() -> Value {
    Value::Array(Vec::new())
}

impl From<Fields> for Value {
    fn from(fields: Fields) -> Self {
        json!({
            "mediaType": fields.media_type,
            "tlogs": fields.tlogs,
            "certificateAuthorities": fields.certificate_authorities,
            "ctlogs": fields.ctlogs,
            "timestampAuthorities": fields.timestamp_authorities,
        })
    }
}

impl fmt::Debug for TrustedRoot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "TrustedRoot({})", self.digest)
    }
}
