//! Makes signatures that cosign 2 and cosign 3 verify with
//! `cosign verify --key KEY --insecure-ignore-tlog`. Nothing is sent to a log.

use std::collections::BTreeMap;

use sigstore_types::{SignatureBytes, pae};
use thiserror::Error;
use wasmport_artifact::Digest;

use crate::private_key::PrivateKey;
use crate::signature::Signature;
use crate::statement::{self, Statement};
use crate::{bundle, simple_signing};

/// Why nothing was signed.
#[derive(Debug, Error)]
#[error("the key `{fingerprint}` could not sign")]
pub struct SignError {
    /// The fingerprint of the key's public half.
    fingerprint: String,
    source: sigstore_crypto::Error,
}

/// Signs the manifest with digest `subject`, in the form that cosign 3 reads.
///
/// `annotations` are signed too; `cosign verify -a key=value` asks for them.
pub fn sign_bundle(
    key: &PrivateKey,
    subject: &Digest,
    annotations: &BTreeMap<String, String>,
) -> Result<Signature, SignError> {
    let payload = Statement::signature_of(subject, annotations).to_bytes();
    let signature = sign(key, &pae(bundle::PAYLOAD_TYPE, &payload))?;
    Ok(Signature::Bundle {
        bytes: bundle::write(&payload, &signature, &key.public_key()),
    })
}

/// Signs a statement about the manifest with digest `subject`, as `cosign attest` of cosign 3
/// does: `predicate` is of the type `predicate_type`.
pub fn sign_statement(
    key: &PrivateKey,
    subject: &Digest,
    predicate_type: &str,
    predicate: &serde_json::Value,
) -> Result<Signature, SignError> {
    let payload = statement::about(subject, predicate_type, predicate);
    let signature = sign(key, &pae(bundle::PAYLOAD_TYPE, &payload))?;
    Ok(Signature::Bundle {
        bytes: bundle::write(&payload, &signature, &key.public_key()),
    })
}

/// Signs the manifest with digest `subject`, in the form that cosign 2 reads.
///
/// `docker_reference` is the host and repository, such as `registry.example/ns/app`. It
/// is signed, but cosign does not compare it with where the signature was found.
pub fn sign_simple(
    key: &PrivateKey,
    subject: &Digest,
    docker_reference: &str,
    annotations: &BTreeMap<String, String>,
) -> Result<Signature, SignError> {
    let payload = simple_signing::payload(subject, docker_reference, annotations);
    let signature = sign(key, &payload)?.to_base64();
    Ok(Signature::Simple {
        payload,
        signature,
        proof: None,
    })
}

fn sign(key: &PrivateKey, message: &[u8]) -> Result<SignatureBytes, SignError> {
    key.sign(message).map_err(|source| SignError {
        fingerprint: key.public_key().fingerprint(),
        source,
    })
}
