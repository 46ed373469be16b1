//! The manifest of the `.sig` tag, one layer for each signature (cosign,
//! `specs/SIGNATURE_SPEC.md`).

use serde::Serialize;
use wasmport_artifact::{Descriptor, Digest, ImageManifest, Manifest, limits, media_type};

use crate::signature::Signature;
use crate::simple_proof::SimpleProof;

/// The manifest to put at the `.sig` tag so that it holds `signatures` too, and the blobs
/// to upload before it, the config among them.
///
/// Everything that `previous` holds stays as it is, in its order. A signature that it
/// already holds is not added again. Bundles have no place here and are left out.
pub fn simple_manifest(
    previous: Option<&Manifest>,
    signatures: &[Signature],
) -> (ImageManifest, Vec<(Descriptor, Vec<u8>)>) {
    let mut layers = previous.map_or_else(Vec::new, |manifest| manifest.layers().to_vec());
    let mut blobs = Vec::new();
    for (layer, payload) in signatures.iter().filter_map(layer) {
        if layers.contains(&layer) {
            continue;
        }
        let blob = Descriptor::new(&layer.media_type, layer.digest.clone(), layer.size);
        if !blobs.iter().any(|(known, _)| *known == blob) {
            blobs.push((blob, payload.to_vec()));
        }
        layers.push(layer);
    }
    let config = config(&layers);
    let descriptor = Descriptor::of(media_type::IMAGE_CONFIG, &config);
    blobs.push((descriptor.clone(), config));
    let mut manifest = ImageManifest::new(descriptor, layers);
    if let Some(previous) = previous {
        keep(previous, &mut manifest);
    }
    (manifest, blobs)
}

/// A layer of a `.sig` manifest: a signature whose payload is still to be read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SimpleLayer {
    /// The blob of the payload.
    pub blob: Descriptor,
    signature: String,
    proof: Option<SimpleProof>,
}

impl SimpleLayer {
    /// The signature with its payload, the content of the blob.
    pub fn with_payload(self, payload: Vec<u8>) -> Signature {
        Signature::Simple {
            payload,
            signature: self.signature,
            proof: self.proof,
        }
    }
}

/// The signatures of a `.sig` manifest. Layers of other kinds and layers without a signature
/// are passed over.
pub fn simple_layers(manifest: &Manifest) -> Vec<SimpleLayer> {
    let signature = |layer: &Descriptor| {
        Some(SimpleLayer {
            blob: layer.clone(),
            signature: layer.annotations.get(SIGNATURE)?.clone(),
            proof: SimpleProof::of(&layer.annotations),
        })
    };
    manifest
        .layers()
        .iter()
        .filter(|layer| layer.media_type == media_type::SIMPLE_SIGNING)
        .filter_map(signature)
        .take(limits::SIGNATURES)
        .collect()
}

const SIGNATURE: &str = "dev.cosignproject.cosign/signature";

fn layer(signature: &Signature) -> Option<(Descriptor, &[u8])> {
    match signature {
        Signature::Simple {
            payload, signature, ..
        } => {
            let layer =
                Descriptor::of(media_type::SIMPLE_SIGNING, payload).annotated(SIGNATURE, signature);
            Some((layer, payload))
        }
        Signature::Bundle { .. } => None,
    }
}

/// What a `.sig` manifest says besides its layers.
fn keep(previous: &Manifest, manifest: &mut ImageManifest) {
    manifest.annotations.clone_from(previous.annotations());
    manifest.subject = previous.subject().cloned();
    let config_type = previous.config().map(|config| config.media_type.as_str());
    manifest.artifact_type = previous
        .artifact_type()
        .filter(|kind| Some(*kind) != config_type)
        .map(str::to_owned);
}

/// An image config as `go-containerregistry` writes it for cosign: when cosign appends a
/// signature, it reads this and wants one difference id and one history entry a layer.
/// The layers are not compressed, so their digests are their difference ids.
fn config(layers: &[Descriptor]) -> Vec<u8> {
    let config = ImageConfig {
        architecture: "",
        created: NEVER,
        history: vec![History { created: NEVER }; layers.len()],
        os: "",
        rootfs: RootFs {
            kind: "layers",
            diff_ids: layers.iter().map(|layer| &layer.digest).collect(),
        },
        config: Empty {},
    };
    // A struct of strings always has a JSON form.
    serde_json::to_vec(&config).unwrap_or_default()
}

/// The zero time of Go.
const NEVER: &str = "0001-01-01T00:00:00Z";

#[derive(Serialize)]
struct ImageConfig<'a> {
    architecture: &'static str,
    created: &'static str,
    history: Vec<History>,
    os: &'static str,
    rootfs: RootFs<'a>,
    config: Empty,
}

#[derive(Clone, Serialize)]
struct History {
    created: &'static str,
}

#[derive(Serialize)]
struct RootFs<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    diff_ids: Vec<&'a Digest>,
}

#[derive(Serialize)]
struct Empty {}

#[cfg(test)]
mod tests;
