//! The payload of cosign 2's signatures (cosign, `specs/SIGNATURE_SPEC.md`; the format is
//! Red Hat's "simple signing").

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sigstore_types::SignatureBytes;
use wasmport_artifact::{Digest, limits};

use crate::authority::Authority;
use crate::bundle::decode;
use crate::public_key::PublicKey;
use crate::simple_proof::SimpleProof;
use crate::verify::{Shown, VerifyError};

/// Checks a signature over a payload, and that the payload names `subject`.
///
/// The payload's docker reference is not looked at, as with cosign: the digest is what
/// is signed, and a copy in another repository is the same artifact.
pub(crate) fn verify(
    payload: &[u8],
    signature: &str,
    proof: Option<&SimpleProof>,
    subject: &Digest,
    by: &Authority,
) -> Result<(), VerifyError> {
    let size = payload.len().max(signature.len());
    if size > limits::SIGNATURE_BYTES {
        return Err(VerifyError::TooLarge {
            max: limits::SIGNATURE_BYTES,
            got: size,
        });
    }
    match by {
        // As with bundles, a signature is by a key or by an identity, and never counts for both.
        Authority::Key(_) if proof.is_some() => return Err(VerifyError::Certificate),
        Authority::Key(key) => check_key(payload, signature, key)?,
        #[cfg(feature = "keyless")]
        Authority::Identity(identity) => {
            identity.signed(payload, signature, proof.ok_or(VerifyError::NoCertificate)?)?;
        }
    }
    Payload::parse(payload)?.check(subject)
}

fn check_key(payload: &[u8], signature: &str, key: &PublicKey) -> Result<(), VerifyError> {
    let signature = SignatureBytes::new(decode("signature", signature)?);
    if key.signed(payload, &signature) {
        return Ok(());
    }
    Err(VerifyError::WrongKey {
        fingerprint: key.fingerprint(),
    })
}

/// The bytes to sign, as cosign writes them.
#[cfg(feature = "sign")]
pub(crate) fn payload(
    subject: &Digest,
    docker_reference: &str,
    annotations: &BTreeMap<String, String>,
) -> Vec<u8> {
    let payload = Payload {
        critical: Critical {
            identity: Identity {
                docker_reference: docker_reference.to_owned(),
            },
            image: Image {
                docker_manifest_digest: subject.to_string(),
            },
            kind: KIND.to_owned(),
        },
        optional: Some(annotations.clone()).filter(|annotations| !annotations.is_empty()),
    };
    // A struct of strings always has a JSON form.
    serde_json::to_vec(&payload).unwrap_or_default()
}

const KIND: &str = "cosign container image signature";

#[derive(Serialize, Deserialize)]
struct Payload {
    critical: Critical,
    #[serde(default, skip_deserializing)]
    optional: Option<BTreeMap<String, String>>,
}

#[derive(Serialize, Deserialize)]
struct Critical {
    #[serde(default, skip_deserializing)]
    identity: Identity,
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Identity {
    docker_reference: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Image {
    // The specification writes it with a capital, cosign without.
    #[serde(alias = "Docker-manifest-digest")]
    docker_manifest_digest: String,
}

impl Payload {
    fn parse(bytes: &[u8]) -> Result<Self, VerifyError> {
        serde_json::from_slice(bytes).map_err(|source| VerifyError::Malformed {
            what: "simple-signing payload",
            source,
        })
    }

    fn check(&self, subject: &Digest) -> Result<(), VerifyError> {
        if self.critical.kind != KIND {
            return Err(VerifyError::NotASignature {
                predicate_type: Shown::from(&*self.critical.kind),
            });
        }
        let got = &self.critical.image.docker_manifest_digest;
        if got == subject.as_str() {
            return Ok(());
        }
        Err(VerifyError::NotForThisSubject {
            expected: subject.clone(),
            got: [got.clone()].into_iter().collect(),
        })
    }
}

#[cfg(test)]
#[cfg(feature = "sign")]
mod tests;
