//! What cosign 2 puts beside a signature of the `.sig` tag when a certificate tells who made
//! it: annotations of the layer (cosign, `specs/SIGNATURE_SPEC.md`).

use std::collections::BTreeMap;

/// A certificate, and what proves when it was used, as the annotations hold them. Nothing of
/// it is checked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SimpleProof {
    /// The certificate as PEM.
    pub certificate: String,
    /// An entry of a transparency log with the log's promise: JSON.
    pub log_entry: Option<String>,
    /// A timestamp (RFC 3161) over the signature: JSON.
    pub timestamp: Option<String>,
}

impl SimpleProof {
    /// What the annotations of a layer hold, if there is a certificate among them.
    pub(crate) fn of(annotations: &BTreeMap<String, String>) -> Option<Self> {
        Some(Self {
            certificate: annotations.get(CERTIFICATE)?.clone(),
            log_entry: annotations.get(LOG_ENTRY).cloned(),
            timestamp: annotations.get(TIMESTAMP).cloned(),
        })
    }
}

/// The specification's text has another beginning; its examples and all of cosign this one.
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
const LOG_ENTRY: &str = "dev.sigstore.cosign/bundle";
const TIMESTAMP: &str = "dev.sigstore.cosign/rfc3161timestamp";
