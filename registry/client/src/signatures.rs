//! Signatures from a registry, from everywhere where they may be.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use wasmport_artifact::{Descriptor, Digest, Manifest, Selector, Tag, limits, media_type};
use wasmport_signature::{Signature, SimpleLayer, is_bundle_manifest, simple_layers};

use crate::answer::in_one_line;
use crate::error::ClientError;
use crate::registry::Registry;

/// How many requests for signatures run at once.
const AT_ONCE: usize = 8;

/// What a registry has on a manifest.
#[derive(Clone, Debug, Default)]
pub struct Signatures {
    /// The signatures, none of them checked.
    pub found: Vec<FoundSignature>,
    /// What may be a signature but cannot be read.
    pub unreadable: Vec<Unreadable>,
}

/// A signature and where it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundSignature {
    /// The signature.
    pub signature: Signature,
    /// `referrer sha256:…` or `tag sha256-….sig`.
    pub from: String,
}

/// Something that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// `referrer sha256:…` or `tag sha256-….sig`.
    pub from: String,
    /// Why, in one line.
    pub reason: String,
}

/// Collects the signatures of `subject`: bundles among its referrers, by the API or by the
/// fallback tag, and then what is at its `.sig` tag.
///
/// Whatever is wrong with one of them does not hide the others. When the registry cannot
/// be asked, that is an error, since "no signatures" would be a wrong answer.
pub async fn signatures(registry: &Registry, subject: &Digest) -> Result<Signatures, ClientError> {
    let mut signatures = Signatures::default();
    collect_bundles(registry, subject, &mut signatures).await?;
    collect_simple(registry, subject, &mut signatures).await?;
    Ok(signatures)
}

pub(crate) fn referrer_place(digest: &Digest) -> String {
    format!("referrer {digest}")
}

pub(crate) fn tag_place(tag: &Tag) -> String {
    format!("tag {tag}")
}

impl Signatures {
    fn add(&mut self, from: String, read: Result<Option<Signature>, String>) {
        match read {
            Ok(Some(signature)) => self.found.push(FoundSignature { signature, from }),
            Ok(None) => {}
            Err(reason) => self.unreadable.push(Unreadable { from, reason }),
        }
    }
}

async fn collect_bundles(
    registry: &Registry,
    subject: &Digest,
    signatures: &mut Signatures,
) -> Result<(), ClientError> {
    let referrers = match bearable(registry.referrers(subject).await)? {
        Ok(referrers) => referrers,
        Err(reason) => {
            signatures.add(format!("referrers of {subject}"), Err(reason));
            return Ok(());
        }
    };
    let may_be_bundle = |referrer: &&Descriptor| !media_type::is_index(&referrer.media_type);
    let candidates: Vec<&Descriptor> = referrers.iter().filter(may_be_bundle).collect();
    let read = candidates
        .iter()
        .take(limits::SIGNATURES)
        .map(|referrer| async {
            let from = referrer_place(&referrer.digest);
            let bundle = bearable(read_bundle(registry, &referrer.digest).await)?;
            Ok::<_, ClientError>((from, bundle))
        });
    let read: Vec<_> = stream::iter(read).buffered(AT_ONCE).try_collect().await?;
    for (from, bundle) in read {
        signatures.add(from, bundle);
    }
    if candidates.len() > limits::SIGNATURES {
        let reason = format!(
            "only {} of its referrers were looked at",
            limits::SIGNATURES
        );
        signatures.add(format!("referrers of {subject}"), Err(reason));
    }
    Ok(())
}

/// `None` for a referrer that is something else, such as an SBOM.
async fn read_bundle(
    registry: &Registry,
    digest: &Digest,
) -> Result<Option<Signature>, ClientError> {
    let manifest = registry
        .get_manifest(&Selector::Digest(digest.clone()))
        .await?;
    if !is_bundle_manifest(&manifest) {
        return Ok(None);
    }
    let Some(layer) = manifest.layers().first() else {
        return Ok(None);
    };
    let bytes = read_blob(registry, layer).await?;
    Ok(Some(Signature::Bundle { bytes }))
}

async fn collect_simple(
    registry: &Registry,
    subject: &Digest,
    signatures: &mut Signatures,
) -> Result<(), ClientError> {
    let tag = Tag::cosign_signatures(subject);
    let from = tag_place(&tag);
    let manifest = registry.find_manifest(&Selector::Tag(tag)).await;
    let layers = match bearable(manifest)? {
        Ok(manifest) => manifest.as_ref().map(layers_of).unwrap_or_default(),
        Err(reason) => {
            signatures.add(from, Err(reason));
            return Ok(());
        }
    };
    let read = layers.into_iter().map(|layer: SimpleLayer| async move {
        let payload = bearable(read_blob(registry, &layer.blob).await)?;
        let simple = payload.map(|payload| Some(layer.with_payload(payload)));
        Ok::<_, ClientError>(simple)
    });
    let read: Vec<_> = stream::iter(read).buffered(AT_ONCE).try_collect().await?;
    for simple in read {
        signatures.add(from.clone(), simple);
    }
    Ok(())
}

fn layers_of(manifest: &Manifest) -> Vec<SimpleLayer> {
    let mut layers = simple_layers(manifest);
    layers.truncate(limits::SIGNATURES);
    layers
}

pub(crate) async fn read_blob(
    registry: &Registry,
    layer: &Descriptor,
) -> Result<Vec<u8>, ClientError> {
    let limit = limits::SIGNATURE_BYTES as u64;
    registry.pull_blob_bytes(layer, limit).await
}

/// Takes an error about content as an answer, with its reason. Others stay errors.
pub(crate) fn bearable<T>(
    result: Result<T, ClientError>,
) -> Result<Result<T, String>, ClientError> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(error) if error.failure().is_about_content() => Ok(Err(in_one_line(&error))),
        Err(error) => Err(error),
    }
}
