//! What is said about an artifact on a registry, and signed: bundles and cosign 2's `.att` tag.

use wasmport_artifact::{Digest, Manifest, Selector, Tag, limits};
use wasmport_signature::{Attestation, Signature};

use crate::error::ClientError;
use crate::registry::Registry;
use crate::signatures::{Signatures, Unreadable, bearable, read_blob, tag_place};

/// A layer of cosign 2's `.att` manifest.
const DSSE_ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";

/// What a registry has on a manifest.
#[derive(Clone, Debug, Default)]
pub struct Attestations {
    /// What may be attestations, none of them checked.
    pub found: Vec<Attestation>,
    /// What may be one but cannot be read.
    pub unreadable: Vec<Unreadable>,
}

/// Collects what is said about `subject`, of which the signatures are known already: a bundle is a
/// signature or an attestation by what it says, which is only read once somebody is known to have
/// signed it.
///
/// Whatever is wrong with one of them does not hide the others.
pub async fn attestations(
    registry: &Registry,
    subject: &Digest,
    signatures: &Signatures,
) -> Result<Attestations, ClientError> {
    let mut attestations = Attestations::default();
    for known in &signatures.found {
        if let Signature::Bundle { bytes } = &known.signature {
            let bytes = bytes.clone();
            attestations.found.push(Attestation::Bundle { bytes });
        }
    }
    let tag = Tag::cosign_attestations(subject);
    let from = tag_place(&tag);
    let unreadable = |reason| Unreadable {
        from: from.clone(),
        reason,
    };
    match bearable(registry.find_manifest(&Selector::Tag(tag)).await)? {
        Ok(Some(manifest)) => {
            for read in envelopes(registry, &manifest).await? {
                match read {
                    Ok(bytes) => attestations.found.push(Attestation::Envelope { bytes }),
                    Err(reason) => attestations.unreadable.push(unreadable(reason)),
                }
            }
        }
        Ok(None) => {}
        Err(reason) => attestations.unreadable.push(unreadable(reason)),
    }
    Ok(attestations)
}

async fn envelopes(
    registry: &Registry,
    manifest: &Manifest,
) -> Result<Vec<Result<Vec<u8>, String>>, ClientError> {
    let layers = manifest.layers().iter();
    let layers = layers.filter(|layer| layer.media_type == DSSE_ENVELOPE);
    let mut read = Vec::new();
    for layer in layers.take(limits::SIGNATURES) {
        read.push(bearable(read_blob(registry, layer).await)?);
    }
    Ok(read)
}
