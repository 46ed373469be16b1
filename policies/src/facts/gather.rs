//! Reads what a manifest carries from its blobs.

use std::num::NonZeroUsize;

use wasmport_artifact::{
    Descriptor, Manifest, NotWasm, WasmConfig, examine, media_type, with_causes,
};

use super::Content;

/// A DSSE envelope: the layer of cosign 2's `.att` manifest.
const DSSE_ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";
/// Docker's config of an image.
const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";

impl Content {
    /// Finds out what `manifest` carries. `config` is the config blob, `layer` the blob of
    /// the single Wasm layer; both may be left out when the manifest is not of Wasm. The
    /// caller has checked their digests.
    pub fn gather(manifest: &Manifest, config: Option<&[u8]>, layer: Option<&[u8]>) -> Self {
        if !manifest.is_wasm() {
            return if is_attachment(manifest) {
                Self::Attachment
            } else {
                Self::Other
            };
        }
        read(manifest, config, layer).unwrap_or_else(|reason| Self::Unreadable { reason })
    }

    /// What a layer is that begins with `beginning` (eight bytes are enough), if it is Wasm
    /// and its media type does not say so. Somebody's client will run it all the same.
    pub fn disguised(media_type: &str, beginning: &[u8]) -> Option<Self> {
        let is_code = matches!(NotWasm::recognise(beginning), None | Some(NotWasm::Aot));
        (is_code && !media_type::is_wasm_layer(media_type)).then(|| Self::Unreadable {
            reason: format!(
                "a layer is WebAssembly and its media type is `{media_type}`, expected `{}`",
                media_type::WASM
            ),
        })
    }

    /// What a manifest is whose config begins with `beginning`, if that is Wasm: nobody runs a
    /// config, and so it would only hide what should be a layer.
    pub fn disguised_as_config(beginning: &[u8]) -> Option<Self> {
        let is_code = matches!(NotWasm::recognise(beginning), None | Some(NotWasm::Aot));
        is_code.then(|| Self::Unreadable {
            reason: "its config is WebAssembly, expected it in a layer".to_owned(),
        })
    }
}

/// What carries no layer of an image and has a subject, or is one of the manifests that
/// cosign 2 finds by their tag.
fn is_attachment(manifest: &Manifest) -> bool {
    let is_image = manifest.config().is_some_and(|config| {
        matches!(
            config.media_type.as_str(),
            media_type::IMAGE_CONFIG | DOCKER_CONFIG
        )
    });
    let mut layers = manifest.layers().iter();
    let is_cosign = !manifest.layers().is_empty()
        && layers.all(|layer| {
            matches!(
                layer.media_type.as_str(),
                media_type::SIMPLE_SIGNING | DSSE_ENVELOPE
            )
        });
    is_cosign || (manifest.subject().is_some() && !manifest.is_index() && !is_image)
}

fn read(
    manifest: &Manifest,
    config: Option<&[u8]>,
    layer: Option<&[u8]>,
) -> Result<Content, String> {
    let descriptor = single_layer(manifest)?;
    let bytes = layer.ok_or("its layer is not there")?;
    let inspection = examine(bytes, NonZeroUsize::MIN).map_err(|error| with_causes(&error))?;
    let is_claim = manifest.config().is_some_and(|config| {
        config
            .media_type
            .eq_ignore_ascii_case(media_type::WASM_CONFIG)
    });
    // Older layouts have a config that claims nothing about the layer.
    let disagreements = if is_claim {
        let bytes = config.ok_or("its config is not there")?;
        let config = WasmConfig::parse(bytes).map_err(|error| with_causes(&error))?;
        config.disagreements(&inspection, &descriptor.digest)
    } else {
        Vec::new()
    };
    Ok(Content::Wasm {
        inspection: Box::new(inspection),
        disagreements,
    })
}

/// Consumers must reject more than one layer, and run different ones where they do not
/// (CNCF TAG Runtime, "Wasm OCI Artifact layout").
fn single_layer(manifest: &Manifest) -> Result<&Descriptor, String> {
    match (manifest.layers(), manifest.wasm_layers().count()) {
        ([layer], 1) => Ok(layer),
        ([_], _) => Err("its layer is not `application/wasm`".to_owned()),
        (layers, _) => Err(format!(
            "a Wasm artifact has one layer, and this has {}",
            layers.len()
        )),
    }
}

#[cfg(test)]
mod tests;
