//! The parts of a manifest as they are looked at one after the other: its config and its layers.

use std::collections::HashSet;

use wasmport_artifact::{Descriptor, Manifest, NotWasm, media_type};

use super::Content;

/// A config or a layer of a manifest.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// As the manifest describes it.
    pub described: &'a Descriptor,
    is_config: bool,
}

impl<'a> Part<'a> {
    /// How much of a part tells whether it is Wasm, in bytes.
    pub const BEGINNING_BYTES: u64 = 8;

    /// The config and the layers of `manifest`, in this order. What is there twice under one
    /// media type is given once.
    pub fn all(manifest: &'a Manifest) -> impl Iterator<Item = Self> {
        let config = manifest.config().into_iter().map(|config| (config, true));
        let layers = manifest.layers().iter().map(|layer| (layer, false));
        let mut known = HashSet::new();
        config
            .chain(layers)
            .filter(move |(part, _)| known.insert((&part.digest, &part.media_type)))
            .map(|(described, is_config)| Self {
                described,
                is_config,
            })
    }

    /// What the manifest is if this part begins with `beginning`, is Wasm and does not say so:
    /// somebody's client will run a layer all the same, and nobody runs a config, which would
    /// only hide what should be a layer.
    pub fn disguised(&self, beginning: &[u8]) -> Option<Content> {
        let is_code = matches!(NotWasm::recognise(beginning), None | Some(NotWasm::Aot));
        let kind = &self.described.media_type;
        if !is_code || (!self.is_config && media_type::is_wasm_layer(kind)) {
            return None;
        }
        let reason = if self.is_config {
            "its config is WebAssembly, expected it in a layer".to_owned()
        } else {
            format!(
                "a layer is WebAssembly and its media type is `{kind}`, expected `{}`",
                media_type::WASM
            )
        };
        Some(Content::Unreadable { reason })
    }
}

#[cfg(test)]
mod tests {
    use wasmport_artifact::ImageManifest;

    use super::*;

    const WASM: &[u8] = b"\0asm\x0d\0\x01\0";

    fn manifest(config: &str, layers: &[&str]) -> Manifest {
        let described = |kind: &&str| Descriptor::of(kind, kind.as_bytes());
        let layers = layers.iter().map(described).collect();
        let manifest = ImageManifest::new(described(&config), layers);
        Manifest::parse(manifest.to_bytes(), media_type::IMAGE_MANIFEST).unwrap()
    }

    #[test]
    fn config_and_layers_come_once_each() {
        let manifest = manifest("a/a", &["b/b", "c/c", "b/b"]);
        let kinds: Vec<_> = Part::all(&manifest)
            .map(|part| part.described.media_type.as_str())
            .collect();
        assert_eq!(kinds, ["a/a", "b/b", "c/c"]);
    }

    #[test]
    fn wasm_under_another_type_and_in_a_config_is_disguised() {
        let manifest = manifest("a/a", &["application/octet-stream", "application/wasm"]);
        let disguised: Vec<_> = Part::all(&manifest)
            .map(|part| part.disguised(WASM).is_some())
            .collect();
        assert_eq!(disguised, [true, true, false]);
        for other in [b"hello".as_slice(), b"", b"\0as"] {
            for part in Part::all(&manifest) {
                assert_eq!(part.disguised(other), None);
            }
        }
    }
}
