//! What is pushed: a config, a layer, and the manifest over them.

use bytes::{Bytes, BytesMut};
use wasmport_artifact::{Descriptor, Digest, ImageManifest, WasmConfig, inspect, media_type};

use crate::wasm;

/// An artifact with all that a push of it needs.
#[derive(Clone, Debug)]
pub(crate) struct Artifact {
    pub(crate) config: Blob,
    pub(crate) layer: Blob,
    pub(crate) manifest: Bytes,
    pub(crate) digest: Digest,
    image: ImageManifest,
}

/// Bytes and their digest.
#[derive(Clone, Debug)]
pub(crate) struct Blob {
    pub(crate) bytes: Bytes,
    pub(crate) digest: Digest,
}

/// The sizes of the Wasm-shaped set in bytes, and how often of a hundred each comes.
const WASM_SIZES: [(usize, u128); 6] = [
    (30_000, 30),
    (100_000, 25),
    (300_000, 20),
    (1_000_000, 15),
    (2_500_000, 7),
    (5_000_000, 3),
];

impl Artifact {
    /// As `zb` makes them: the first 4 KiB are random and the rest is zero.
    pub(crate) fn sparse(size: usize, number: u128) -> Self {
        let mut bytes = BytesMut::zeroed(size);
        let mut random = number;
        for chunk in bytes.chunks_mut(16).take(256) {
            random = mix(random);
            let (from, length) = (random.to_le_bytes(), chunk.len());
            chunk.copy_from_slice(from.get(..length).unwrap_or(&from));
        }
        let config =
            format!("{{\"architecture\":\"amd64\",\"os\":\"linux\",\"load\":\"{number:x}\"}}");
        let kinds = (
            "application/vnd.oci.image.config.v1+json",
            "application/vnd.oci.image.layer.v1.tar",
        );
        Self::of(Blob::of(config), Blob::of(bytes), kinds)
    }

    /// A component of about `size` bytes that no other number gives.
    pub(crate) fn wasm(size: usize, number: u128) -> anyhow::Result<Self> {
        let layer = Blob::of(wasm::component(size, number));
        let inspection = inspect(&layer.bytes)?;
        let config = WasmConfig::describe(&inspection, layer.digest.clone(), None, None);
        let kinds = (media_type::WASM_CONFIG, media_type::WASM);
        Ok(Self::of(Blob::of(config.to_bytes()), layer, kinds))
    }

    /// Another manifest over the same blobs.
    pub(crate) fn noted(&self, number: u128) -> Self {
        let mut image = self.image.clone();
        let note = ("example.load".to_owned(), format!("{number:x}"));
        image.annotations.extend([note]);
        Self::over(self.config.clone(), self.layer.clone(), image)
    }

    fn of(config: Blob, layer: Blob, kinds: (&str, &str)) -> Self {
        let (config_size, layer_size) = (config.bytes.len() as u64, layer.bytes.len() as u64);
        let image = ImageManifest::new(
            Descriptor::new(kinds.0, config.digest.clone(), config_size),
            vec![Descriptor::new(kinds.1, layer.digest.clone(), layer_size)],
        );
        Self::over(config, layer, image)
    }

    fn over(config: Blob, layer: Blob, image: ImageManifest) -> Self {
        let manifest = Bytes::from(image.to_bytes());
        Self {
            config,
            layer,
            digest: Digest::of(&manifest),
            manifest,
            image,
        }
    }
}

impl Blob {
    fn of(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self {
            digest: Digest::of(&bytes),
            bytes,
        }
    }
}

/// The size that the artifact with this number has in the Wasm-shaped set.
pub(crate) fn wasm_size(number: u128) -> usize {
    let mut left = mix(number) % 100;
    for (size, share) in WASM_SIZES {
        if left < share {
            return size;
        }
        left -= share;
    }
    WASM_SIZES.first().map_or(0, |(size, _)| *size)
}

/// Scatters a number, so that neighbours have nothing in common.
pub(crate) fn mix(number: u128) -> u128 {
    let mixed = number.wrapping_mul(0xda94_2042_e4dd_58b5_94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 61)).wrapping_add(0x9e37_79b9_7f4a_7c15)
}
