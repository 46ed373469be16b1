//! The one Wasm file of an artifact.

use std::path::Path;

use thiserror::Error;
use wasmport_artifact::{Descriptor, Manifest, limits, media_type};

use crate::error::{ClientError, Failure};
use crate::registry::Registry;

/// Why a manifest is not one of a single Wasm file.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum NotOneWasm {
    /// An index, whose entries are manifests.
    #[error(
        "this is an index of {0} manifests, expected the manifest of one Wasm artifact; \
         name one of its manifests by digest"
    )]
    Index(usize),
    /// No layer, or several. Consumers should reject these (CNCF TAG Runtime, "Wasm OCI
    /// Artifact layout").
    #[error("the manifest has {0} layers, expected one `application/wasm`")]
    Layers(usize),
    /// One layer, of something else.
    #[error("the layer is a `{0}`, expected `application/wasm`")]
    LayerType(String),
}

/// The layer that holds the module or component.
///
/// Layer types that other Wasm systems have used for the same bytes are taken too, with
/// whatever config they have.
pub fn wasm_layer(manifest: &Manifest) -> Result<&Descriptor, NotOneWasm> {
    if manifest.is_index() {
        return Err(NotOneWasm::Index(manifest.manifests().len()));
    }
    match manifest.layers() {
        [layer] if media_type::is_wasm_layer(&layer.media_type) => Ok(layer),
        [layer] => Err(NotOneWasm::LayerType(layer.media_type.clone())),
        layers => Err(NotOneWasm::Layers(layers.len())),
    }
}

/// Fetches the Wasm file of `manifest` to `destination`, as a whole or not at all; see
/// [`Registry::pull_blob_to`].
pub async fn pull_wasm(
    registry: &Registry,
    manifest: &Manifest,
    destination: &Path,
) -> Result<(), ClientError> {
    let layer = layer_of(registry, manifest)?;
    registry
        .pull_blob_to(layer, destination, limits::WASM_BYTES)
        .await
}

/// Fetches the Wasm file of `manifest` into memory.
pub async fn pull_wasm_bytes(
    registry: &Registry,
    manifest: &Manifest,
) -> Result<Vec<u8>, ClientError> {
    let layer = layer_of(registry, manifest)?;
    registry.pull_blob_bytes(layer, limits::WASM_BYTES).await
}

fn layer_of<'manifest>(
    registry: &Registry,
    manifest: &'manifest Manifest,
) -> Result<&'manifest Descriptor, ClientError> {
    let action = format!("pull `{}` from", manifest.digest());
    wasm_layer(manifest).map_err(|reason| registry.error(&action, Failure::NotOneWasm(reason)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmport_artifact::ImageManifest;

    fn manifest(config: &str, layers: &[&str]) -> Manifest {
        let layers = layers
            .iter()
            .map(|kind| Descriptor::of(kind, b"x"))
            .collect();
        let manifest = ImageManifest::new(Descriptor::of(config, b"{}"), layers);
        Manifest::parse(manifest.to_bytes(), media_type::IMAGE_MANIFEST).unwrap()
    }

    #[test]
    fn one_wasm_layer_is_found_under_its_new_and_old_types() {
        let legacy = "application/vnd.wasm.content.layer.v1+wasm";
        for manifest in [
            manifest(media_type::WASM_CONFIG, &[media_type::WASM]),
            manifest("application/vnd.wasm.config.v1+json", &[legacy]),
        ] {
            assert!(wasm_layer(&manifest).is_ok(), "{manifest:?}");
        }
    }

    #[test]
    fn what_is_not_one_wasm_layer_is_refused() {
        let refusal =
            |layers: &[&str]| wasm_layer(&manifest(media_type::WASM_CONFIG, layers)).unwrap_err();
        assert_eq!(refusal(&[]), NotOneWasm::Layers(0));
        assert_eq!(
            refusal(&[media_type::WASM, media_type::WASM]),
            NotOneWasm::Layers(2)
        );
        assert_eq!(
            refusal(&["application/tar"]),
            NotOneWasm::LayerType("application/tar".to_owned())
        );
        let index = br#"{"schemaVersion":2,"manifests":[]}"#.to_vec();
        let index = Manifest::parse(index, media_type::IMAGE_INDEX).unwrap();
        assert_eq!(wasm_layer(&index), Err(NotOneWasm::Index(0)));
    }
}
