//! A signature of the `.sig` tag with its certificate, as a bundle around the payload: so
//! that one verifier checks the certificates of both forms.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use sigstore_types::{Bundle, MediaType, Sha256Hash};

use crate::bundle::{decode, parse};
use crate::simple_proof::SimpleProof;
use crate::verify::VerifyError;

/// A bundle whose message is the payload. `signature` is base64.
///
/// Cosign 2 keeps the log's promise to take an entry up, and no proof that it did. That is
/// version 0.1 of bundles; with a timestamp alone it is version 0.2.
pub(crate) fn bundle(signature: &str, proof: &SimpleProof) -> Result<Bundle, VerifyError> {
    let entry = proof.log_entry.as_deref().map(log_entry).transpose()?;
    let timestamp = proof.timestamp.as_deref().map(timestamp).transpose()?;
    let version = match entry {
        Some(_) => MediaType::Bundle0_1,
        None => MediaType::Bundle0_2,
    };
    let certificate = pem::parse(&proof.certificate).map_err(VerifyError::CertificatePem)?;
    let certificate = STANDARD.encode(certificate.contents());
    let timestamps: Vec<Value> = timestamp
        .map(|timestamp| json!({ "signedTimestamp": timestamp }))
        .into_iter()
        .collect();
    let bundle = json!({
        "mediaType": version.as_str(),
        "verificationMaterial": {
            "x509CertificateChain": { "certificates": [{ "rawBytes": certificate }] },
            "tlogEntries": entry.into_iter().collect::<Vec<_>>(),
            "timestampVerificationData": { "rfc3161Timestamps": timestamps },
        },
        "messageSignature": { "signature": signature },
    });
    serde_json::from_value(bundle).map_err(|source| VerifyError::Malformed {
        what: "evidence beside the signature",
        source,
    })
}

/// The annotation `dev.sigstore.cosign/bundle`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LogEntry {
    signed_entry_timestamp: String,
    payload: LogPayload,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogPayload {
    body: String,
    integrated_time: i64,
    log_index: i64,
    #[serde(rename = "logID")]
    log_id: String,
}

/// The beginning of an entry's body, which says what kind of entry it is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogBody {
    api_version: String,
    kind: String,
}

/// The annotation `dev.sigstore.cosign/rfc3161timestamp`.
#[derive(Deserialize)]
struct Timestamp {
    #[serde(rename = "SignedRFC3161Timestamp")]
    signed: String,
}

/// The entry as a bundle writes it.
fn log_entry(text: &str) -> Result<Value, VerifyError> {
    let LogEntry {
        signed_entry_timestamp,
        payload,
    } = parse("log entry", text.as_bytes())?;
    let LogBody { api_version, kind } = parse(
        "log entry's body",
        &decode("log entry's body", &payload.body)?,
    )?;
    let log_id = Sha256Hash::from_hex(&payload.log_id).map_err(VerifyError::unproved)?;
    Ok(json!({
        "logIndex": payload.log_index.to_string(),
        "logId": { "keyId": log_id.to_base64() },
        "kindVersion": { "kind": kind, "version": api_version },
        "integratedTime": payload.integrated_time.to_string(),
        "inclusionPromise": { "signedEntryTimestamp": signed_entry_timestamp },
        "canonicalizedBody": payload.body,
    }))
}

fn timestamp(text: &str) -> Result<String, VerifyError> {
    let Timestamp { signed } = parse("timestamp", text.as_bytes())?;
    Ok(signed)
}
