//! What stands beside a signature and proves who made it and when: certificates, entries of logs and
//! timestamps, in the place of those in a bundle that is right.

use std::str;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use wasmport_artifact::{Digest, Manifest, media_type};
use wasmport_signature::{Signature, SimpleProof, simple_layers};

use super::signatures::{KEYLESS_BUNDLE, KEYLESS_SUBJECT, WORKFLOW};

const SIMPLE_MANIFEST: &[u8] =
    include_bytes!("../../../testdata/signatures/keyless-cosign-2.sig.manifest.json");
const SIMPLE_PAYLOAD: &[u8] =
    include_bytes!("../../../testdata/signatures/keyless-cosign-2.payload.json");

/// Where something is in a bundle, how it is written there, and whether nothing else may stand there.
const PLACES: [(&str, Written, bool); 7] = [
    (
        "/verificationMaterial/certificate/rawBytes",
        Written::Base64,
        true,
    ),
    (
        "/verificationMaterial/tlogEntries/0/canonicalizedBody",
        Written::Base64,
        true,
    ),
    (
        "/verificationMaterial/tlogEntries/0/inclusionProof/checkpoint/envelope",
        Written::Text,
        false,
    ),
    ("/verificationMaterial/tlogEntries/0", Written::Json, false),
    (
        "/verificationMaterial/timestampVerificationData/rfc3161Timestamps/0/signedTimestamp",
        Written::Base64,
        false,
    ),
    ("/dsseEnvelope/signatures/0/sig", Written::Base64, false),
    ("/dsseEnvelope/payload", Written::Base64, true),
];

#[derive(Clone, Copy)]
enum Written {
    Base64,
    Text,
    Json,
}

/// The first byte is a digit and tells the place; the others stand there.
pub fn evidence(bytes: &[u8]) {
    let Some((place, bytes)) = bytes.split_first() else {
        return;
    };
    match PLACES.get(usize::from(place.wrapping_sub(b'0'))) {
        Some(place) => in_bundle(*place, bytes),
        None => beside_simple(*place, bytes),
    }
}

fn in_bundle((place, written, is_bound): (&str, Written, bool), bytes: &[u8]) {
    let (Some(workflow), Ok(mut bundle)) = (
        WORKFLOW.as_ref(),
        serde_json::from_slice::<Value>(KEYLESS_BUNDLE),
    ) else {
        return;
    };
    let (Some(there), Some(new)) = (bundle.pointer_mut(place), written.value(bytes)) else {
        return;
    };
    let is_same = *there == new;
    *there = new;
    let signature = Signature::Bundle {
        bytes: bundle.to_string().into_bytes(),
    };
    let verified = signature.verify(&Digest::of(KEYLESS_SUBJECT), workflow);
    assert!(!is_same || verified.is_ok(), "{verified:?}");
    assert!(!is_bound || is_same || verified.is_err(), "{place}");
}

impl Written {
    fn value(self, bytes: &[u8]) -> Option<Value> {
        match self {
            Self::Base64 => Some(STANDARD.encode(bytes).into()),
            Self::Text => Some(str::from_utf8(bytes).ok()?.into()),
            Self::Json => serde_json::from_slice(bytes).ok(),
        }
    }
}

/// The same in the annotations of cosign 2: its log entry, its timestamp, or its certificate.
fn beside_simple(place: u8, bytes: &[u8]) {
    let manifest = Manifest::parse(SIMPLE_MANIFEST.to_vec(), media_type::IMAGE_MANIFEST);
    let layers = manifest.map(|manifest| simple_layers(&manifest));
    let (Ok([layer]), Some(workflow), Ok(text)) =
        (layers.as_deref(), WORKFLOW.as_ref(), str::from_utf8(bytes))
    else {
        return;
    };
    let signature = layer.clone().with_payload(SIMPLE_PAYLOAD.to_vec());
    let Signature::Simple {
        payload,
        signature,
        proof: Some(proof),
    } = signature
    else {
        return;
    };
    let proof = match place {
        b'7' => SimpleProof {
            log_entry: Some(text.to_owned()),
            ..proof
        },
        b'8' => SimpleProof {
            timestamp: Some(text.to_owned()),
            ..proof
        },
        b'9' => SimpleProof {
            certificate: text.to_owned(),
            ..proof
        },
        _ => return,
    };
    let signature = Signature::Simple {
        payload,
        signature,
        proof: Some(proof),
    };
    let _ = signature.verify(&Digest::of(KEYLESS_SUBJECT), workflow);
}
