//! Signatures to a registry, where cosign 3 and cosign 2 look for them.

use bytes::Bytes;
use wasmport_artifact::{Descriptor, Digest, ImageManifest, Selector, Tag, media_type};
use wasmport_signature::{Signature, bundle_manifest, simple_manifest};

use crate::error::ClientError;
use crate::registry::Registry;
use crate::signatures::{referrer_place, tag_place};

/// A signature that is on the registry now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushedSignature {
    /// The form, as [`Signature::kind`] names it.
    pub kind: &'static str,
    /// Where it is: `referrer sha256:…` or `tag sha256-….sig`.
    pub place: String,
    /// What the registry warns of.
    pub warnings: Vec<String>,
}

/// Attaches signatures to `subject`, a descriptor of the manifest that they sign.
///
/// Bundles become referrers, and the others are added to the `.sig` tag, which keeps what
/// it holds. `created` is the RFC 3339 time that the manifests of bundles carry; the same
/// time and the same bundle make the same manifest.
pub async fn push_signatures(
    registry: &Registry,
    subject: &Descriptor,
    signatures: &[Signature],
    created: &str,
) -> Result<Vec<PushedSignature>, ClientError> {
    let mut pushed = Vec::new();
    // Bundles first: where there is one, cosign 3 looks at nothing else.
    for signature in signatures {
        if let Signature::Bundle { bytes } = signature {
            pushed.push(push_bundle(registry, subject, bytes, created).await?);
        }
    }
    let is_simple = |signature: &&Signature| matches!(signature, Signature::Simple { .. });
    let simple: Vec<Signature> = signatures.iter().filter(is_simple).cloned().collect();
    if !simple.is_empty() {
        pushed.push(push_simple(registry, &subject.digest, &simple).await?);
    }
    Ok(pushed)
}

async fn push_bundle(
    registry: &Registry,
    subject: &Descriptor,
    bundle: &[u8],
    created: &str,
) -> Result<PushedSignature, ClientError> {
    let manifest = bundle_manifest(bundle, subject.clone(), created);
    for layer in &manifest.layers {
        push_blob(registry, layer, bundle).await?;
    }
    push_blob(registry, &manifest.config, b"{}").await?;
    let (referrer, bytes) = describe(&manifest);
    let selector = Selector::Digest(referrer.digest.clone());
    let put = registry
        .put_manifest(&selector, &bytes, media_type::IMAGE_MANIFEST)
        .await?;
    if !put.subject_is_known {
        registry.add_to_fallback(&subject.digest, &referrer).await?;
    }
    Ok(PushedSignature {
        kind: "sigstore-bundle",
        place: referrer_place(&referrer.digest),
        warnings: put.warnings,
    })
}

async fn push_simple(
    registry: &Registry,
    subject: &Digest,
    signatures: &[Signature],
) -> Result<PushedSignature, ClientError> {
    let tag = Tag::cosign_signatures(subject);
    let selector = Selector::Tag(tag.clone());
    let previous = registry.find_manifest(&selector).await?;
    let (manifest, blobs) = simple_manifest(previous.as_ref(), signatures);
    for (descriptor, content) in &blobs {
        push_blob(registry, descriptor, content).await?;
    }
    let bytes = manifest.to_bytes().into();
    let put = registry
        .put_manifest(&selector, &bytes, media_type::IMAGE_MANIFEST)
        .await?;
    Ok(PushedSignature {
        kind: "cosign-simple-signing",
        place: tag_place(&tag),
        warnings: put.warnings,
    })
}

async fn push_blob(
    registry: &Registry,
    descriptor: &Descriptor,
    content: &[u8],
) -> Result<(), ClientError> {
    let content = Bytes::copy_from_slice(content);
    registry.push_blob_bytes(descriptor, &content).await?;
    Ok(())
}

/// The descriptor as an index has it: with artifact type and annotations (distribution
/// specification, "Referrers Tag Schema").
fn describe(manifest: &ImageManifest) -> (Descriptor, Bytes) {
    let bytes = manifest.to_bytes();
    let mut descriptor = Descriptor::of(media_type::IMAGE_MANIFEST, &bytes);
    descriptor.artifact_type.clone_from(&manifest.artifact_type);
    descriptor.annotations.clone_from(&manifest.annotations);
    (descriptor, bytes.into())
}
