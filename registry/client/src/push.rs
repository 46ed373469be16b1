//! A whole artifact to a registry: blobs, signatures, manifest, tag, in this order.

use std::path::PathBuf;

use bytes::Bytes;
use wasmport_artifact::{Algorithm, Descriptor, Digest, Reference, Selector};
use wasmport_signature::Signature;

use crate::blobs::Upload;
use crate::error::{ClientError, Failure, Kind};
use crate::push_signatures::{PushedSignature, push_signatures};
use crate::registry::Registry;

/// What is pushed.
#[derive(Clone, Debug)]
pub struct Push {
    /// The manifest's bytes, which are stored as they are.
    pub manifest: Bytes,
    /// The manifest's media type.
    pub media_type: String,
    /// The config and the layers.
    pub blobs: Vec<(Descriptor, BlobSource)>,
}

/// Where the bytes of a blob are.
#[derive(Clone, Debug)]
pub enum BlobSource {
    /// In a file.
    File(PathBuf),
    /// In memory.
    Bytes(Bytes),
}

/// What was pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// The digest of the manifest.
    pub digest: Digest,
    /// What the registry warns of: that it holds the artifact, for example.
    pub warnings: Vec<String>,
    /// How many bytes of blobs were sent.
    pub sent_bytes: u64,
    /// How many bytes of blobs the repository had already.
    pub present_bytes: u64,
    /// The signatures that were pushed with it.
    pub signatures: Vec<PushedSignature>,
}

/// Pushes an artifact to `reference`, at its tag if it has one.
///
/// The signatures go first, so that the registry judges the manifest with everything at
/// hand; a registry must take a manifest whose subject is not there yet (distribution
/// specification, "Pushing Manifests with Subject"). One that does not gets them last.
/// `created` is the RFC 3339 time that the signatures' manifests carry.
pub async fn push(
    registry: &Registry,
    reference: &Reference,
    artifact: &Push,
    signatures: &[Signature],
    created: &str,
) -> Result<Pushed, ClientError> {
    let subject = Descriptor::of(&artifact.media_type, &artifact.manifest);
    let selector = selector(registry, reference, artifact)?;
    let (sent_bytes, present_bytes) = push_blobs(registry, &artifact.blobs).await?;
    let attach = || push_signatures(registry, &subject, signatures, created);
    let early = match attach().await {
        Ok(pushed) => Some(pushed),
        Err(error) if matches!(error.kind(), Kind::Rejected | Kind::NotFound) => None,
        Err(error) => return Err(error),
    };
    let put = registry
        .put_manifest(&selector, &artifact.manifest, &artifact.media_type)
        .await?;
    let signatures = match early {
        Some(pushed) => pushed,
        None => attach().await?,
    };
    Ok(Pushed {
        digest: put.digest,
        warnings: put.warnings,
        sent_bytes,
        present_bytes,
        signatures,
    })
}

/// The tag, else the manifest's own digest. A digest in the reference must be that one.
fn selector(
    registry: &Registry,
    reference: &Reference,
    artifact: &Push,
) -> Result<Selector, ClientError> {
    let got = Digest::with(algorithm(reference), &artifact.manifest);
    if let Some(expected) = reference
        .digest()
        .filter(|expected| **expected != got)
        .cloned()
    {
        let failure = Failure::OtherManifest { expected, got };
        return Err(registry.error("push a manifest to", failure));
    }
    Ok(reference
        .tag()
        .cloned()
        .map_or(Selector::Digest(got), Selector::Tag))
}

/// The algorithm of the digest in the reference, if there is one.
fn algorithm(reference: &Reference) -> Algorithm {
    reference
        .digest()
        .map_or(Algorithm::Sha256, Digest::algorithm)
}

/// Gives the bytes that were sent and those that were there.
async fn push_blobs(
    registry: &Registry,
    blobs: &[(Descriptor, BlobSource)],
) -> Result<(u64, u64), ClientError> {
    let (mut sent, mut present) = (0, 0);
    for (descriptor, source) in blobs {
        let upload = match source {
            BlobSource::File(path) => registry.push_blob_from_file(descriptor, path).await?,
            BlobSource::Bytes(bytes) => registry.push_blob_bytes(descriptor, bytes).await?,
        };
        match upload {
            Upload::Sent => sent += descriptor.size,
            Upload::AlreadyThere => present += descriptor.size,
        }
    }
    Ok((sent, present))
}
