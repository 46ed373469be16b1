//! Sigstore bundles around a DSSE envelope (protobuf-specs,
//! `sigstore_bundle.proto`; cosign, `specs/BUNDLE_SPEC.md`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use sigstore_types::{MediaType, SignatureBytes, pae};
use wasmport_artifact::{Digest, limits};

use crate::authority::Authority;
use crate::public_key::PublicKey;
use crate::statement::Statement;
use crate::verify::{Shown, VerifyError};

/// What a DSSE envelope in a bundle may hold.
pub(crate) const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// Checks that a bundle is a signature by `by`. Any of the statement's subjects may be
/// `subject`, as with cosign.
pub(crate) fn verify(bytes: &[u8], subject: &Digest, by: &Authority) -> Result<(), VerifyError> {
    let statement = open(bytes, subject, by)?;
    statement.check_is_signature()?;
    statement.check_subject(subject)
}

/// The predicate type of the statement about `subject` that `by` has signed in a bundle.
pub(crate) fn attested(
    bytes: &[u8],
    subject: &Digest,
    by: &Authority,
) -> Result<String, VerifyError> {
    predicate_about(&open(bytes, subject, by)?, subject)
}

/// The same in an envelope that no bundle is around. Cosign 2 puts a certificate beside it, and
/// what proves its time in a form that no verifier of bundles reads, so a key must have signed.
pub(crate) fn attested_in_envelope(
    bytes: &[u8],
    subject: &Digest,
    by: &Authority,
) -> Result<String, VerifyError> {
    let envelope: Envelope = parse("envelope", bytes)?;
    match by {
        Authority::Key(key) => predicate_about(&envelope.open(key)?, subject),
        #[cfg(feature = "keyless")]
        Authority::Identity(_) => Err(VerifyError::NoCertificate),
    }
}

/// The statement in a bundle, once `by` is known to have signed it.
fn open(bytes: &[u8], subject: &Digest, by: &Authority) -> Result<Statement, VerifyError> {
    match by {
        Authority::Key(key) => Bundle::parse(bytes)?.into_key_envelope()?.open(key),
        #[cfg(feature = "keyless")]
        Authority::Identity(identity) => Statement::parse(&identity.open(bytes, subject)?),
    }
}

fn predicate_about(statement: &Statement, subject: &Digest) -> Result<String, VerifyError> {
    statement.check_type()?;
    statement.check_subject(subject)?;
    Ok(statement.predicate_type().to_owned())
}

/// The JSON of a bundle without log entries.
#[cfg(feature = "sign")]
pub(crate) fn write(payload: &[u8], signature: &SignatureBytes, key: &PublicKey) -> Vec<u8> {
    let bundle = Bundle {
        media_type: MediaType::Bundle0_3.as_str().to_owned(),
        verification_material: VerificationMaterial {
            public_key: Some(PublicKeyIdentifier { hint: key.hint() }),
            ..VerificationMaterial::default()
        },
        dsse_envelope: Some(Envelope {
            payload: STANDARD.encode(payload),
            payload_type: PAYLOAD_TYPE.to_owned(),
            signatures: vec![EnvelopeSignature {
                sig: signature.to_base64(),
            }],
        }),
        message_signature: None,
    };
    // A struct of strings always has a JSON form.
    serde_json::to_vec(&bundle).unwrap_or_default()
}

/// The predicate type of the statement in a bundle, if it holds one. Nothing is checked:
/// this is for the annotation that saves others a download.
pub(crate) fn predicate_type(bytes: &[u8]) -> Option<String> {
    let envelope = Bundle::parse(bytes).ok()?.dsse_envelope?;
    let statement = Statement::parse(&envelope.payload().ok()?).ok()?;
    Some(statement.predicate_type().to_owned())
}

/// The fields of a bundle that a key signed. Fields that we do not know are left alone: they
/// carry more evidence, and the key's signature is enough.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    media_type: String,
    verification_material: VerificationMaterial,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dsse_envelope: Option<Envelope>,
    #[serde(default, skip_serializing)]
    message_signature: Option<IgnoredAny>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct VerificationMaterial {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    public_key: Option<PublicKeyIdentifier>,
    #[serde(default, skip_serializing)]
    certificate: Option<IgnoredAny>,
    #[serde(default, skip_serializing)]
    x509_certificate_chain: Option<IgnoredAny>,
}

#[derive(Serialize, Deserialize)]
struct PublicKeyIdentifier {
    #[serde(default)]
    hint: String,
}

/// A DSSE envelope (secure-systems-lab/dsse, `envelope.md`).
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<EnvelopeSignature>,
}

/// A `keyid` is never written, since Go's verifier skips a signature whose `keyid` is not
/// its own name for the key, and never read, since it is not signed.
#[derive(Serialize, Deserialize)]
struct EnvelopeSignature {
    sig: String,
}

impl Bundle {
    fn parse(bytes: &[u8]) -> Result<Self, VerifyError> {
        parse("bundle", bytes)
    }

    /// The envelope of a bundle that a key signed.
    fn into_key_envelope(self) -> Result<Envelope, VerifyError> {
        if self.media_type.parse::<MediaType>().is_err() {
            return Err(VerifyError::MediaType(Shown::from(&*self.media_type)));
        }
        if self.message_signature.is_some() {
            return Err(VerifyError::MessageSignature);
        }
        let material = &self.verification_material;
        if material.certificate.is_some() || material.x509_certificate_chain.is_some() {
            return Err(VerifyError::Certificate);
        }
        if material.public_key.is_none() {
            return Err(VerifyError::NoPublicKey);
        }
        self.dsse_envelope.ok_or(VerifyError::NoEnvelope)
    }
}

impl Envelope {
    /// The statement, once `key` is known to have signed it.
    fn open(&self, key: &PublicKey) -> Result<Statement, VerifyError> {
        let [signature] = self.signatures.as_slice() else {
            return Err(VerifyError::SignatureCount(self.signatures.len()));
        };
        if self.payload_type != PAYLOAD_TYPE {
            return Err(VerifyError::PayloadType(Shown::from(&*self.payload_type)));
        }
        let payload = self.payload()?;
        let signature = decode("signature", &signature.sig)?;
        let signed = pae(&self.payload_type, &payload);
        if !key.signed(&signed, &SignatureBytes::new(signature)) {
            return Err(VerifyError::WrongKey {
                fingerprint: key.fingerprint(),
            });
        }
        Statement::parse(&payload)
    }

    fn payload(&self) -> Result<Vec<u8>, VerifyError> {
        decode("envelope's payload", &self.payload)
    }
}

pub(crate) fn parse<T: DeserializeOwned>(
    what: &'static str,
    bytes: &[u8],
) -> Result<T, VerifyError> {
    if bytes.len() > limits::SIGNATURE_BYTES {
        return Err(VerifyError::TooLarge {
            max: limits::SIGNATURE_BYTES,
            got: bytes.len(),
        });
    }
    serde_json::from_slice(bytes).map_err(|source| VerifyError::Malformed { what, source })
}

pub(crate) fn decode(what: &'static str, text: &str) -> Result<Vec<u8>, VerifyError> {
    STANDARD
        .decode(text)
        .map_err(|source| VerifyError::Base64 { what, source })
}

#[cfg(test)]
#[cfg(feature = "sign")]
mod tests;
