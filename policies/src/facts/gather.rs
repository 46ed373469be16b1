//! Reads what a manifest carries from its blobs.

use wasmport_artifact::{
    Descriptor, Disagreement, Inspection, Manifest, WasmConfig, limits, media_type, with_causes,
};

use super::{Content, ImageSurvey, Wasm};

impl Content {
    /// Finds out what `manifest` carries if it is one Wasm, and otherwise nothing: that is
    /// for an [`ImageSurvey`]. `config` is the config blob, `layer` the blob of the single
    /// Wasm layer; both may be left out when the manifest is not of Wasm. The caller has
    /// checked their digests.
    pub fn gather(manifest: &Manifest, config: Option<&[u8]>, layer: Option<Wasm<'_>>) -> Self {
        if !manifest.is_wasm() {
            return Self::Other;
        }
        read(manifest, config, layer).unwrap_or_else(|reason| Self::Unreadable { reason })
    }

    /// What a manifest is that carries Wasm in itself, packed into the `data` of a descriptor.
    /// A registry can hold back blobs, and not what stands in a manifest.
    pub fn embedded(manifest: &Manifest) -> Option<Self> {
        let mut embedded = manifest.embedded().into_iter();
        let hiding = embedded.find(|(_, bytes)| !is_plain(bytes));
        hiding.map(|(descriptor, _)| Self::Unreadable {
            reason: format!(
                "the `data` of the descriptor of `{}` is or may hold WebAssembly, expected that \
                 in a blob",
                descriptor.digest
            ),
        })
    }
}

fn read(
    manifest: &Manifest,
    config: Option<&[u8]>,
    layer: Option<Wasm<'_>>,
) -> Result<Content, String> {
    let descriptor = single_layer(manifest)?;
    if descriptor.size > limits::WASM_BYTES {
        return Err(format!(
            "its layer has {} bytes, and at most {} are inspected",
            descriptor.size,
            limits::WASM_BYTES
        ));
    }
    let inspection = layer.ok_or("its layer is not there")?.inspect()?;
    let disagreements = match manifest.config() {
        Some(described) => {
            let bytes = config.ok_or("its config is not there")?;
            disagreements(described, bytes, &inspection, descriptor)?
        }
        None => Vec::new(),
    };
    Ok(Content::Wasm {
        inspection: Box::new(inspection),
        disagreements,
    })
}

/// What the config claims wrongly. Older layouts have one that claims nothing about the layer;
/// it may be anything but another place for Wasm, which would be readable with the layer.
fn disagreements(
    described: &Descriptor,
    config: &[u8],
    inspection: &Inspection,
    layer: &Descriptor,
) -> Result<Vec<Disagreement>, String> {
    let kind = &described.media_type;
    if kind.eq_ignore_ascii_case(media_type::WASM_CONFIG) {
        let config = WasmConfig::parse(config).map_err(|error| with_causes(&error))?;
        return Ok(config.disagreements(inspection, &layer.digest));
    }
    if is_plain(config) {
        return Ok(Vec::new());
    }
    Err("its config is or may hold WebAssembly, expected that in its layer".to_owned())
}

/// True when there is nothing in `bytes` that a runtime would look for Wasm in, whatever they are
/// said to be: what is no archive need not be one here.
fn is_plain(bytes: &[u8]) -> bool {
    let described = Descriptor::of("application/octet-stream", bytes);
    let mut survey = ImageSurvey::default();
    survey.look_through(&described, &mut &*bytes);
    survey.is_plain()
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
