//! The layers of images: archives, and what is compressed. However the bytes arrive, the same is
//! found in them, and all that another reader of archives finds.
#![no_main]

use std::io::{self, Read};

use wasmport_artifact::{Descriptor, Digest, ImageManifest, Manifest, media_type};
use wasmport_policies::{Content, ImageSurvey, LayerFacts, LayerLimits};

/// Small, so that a run is short.
const LIMITS: LayerLimits = LayerLimits {
    expanded_bytes: 4 << 20,
};

/// Gives as many bytes at once as the first one says.
struct Pieces<'a>(&'a [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(self.1);
        self.0.read(&mut buffer[..most])
    }
}

/// An archive needs checksums, which no fuzzer guesses: they are made right where a header
/// could be.
fn signed(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for block in bytes.chunks_exact_mut(512) {
        if block[257..262] == *b"ustar" {
            block[148..156].fill(b' ');
            let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
            block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
    }
    bytes
}

/// How many regular files begin as Wasm, for the crate that runtimes in Rust unpack with.
fn wasm_by_tar(bytes: &[u8]) -> usize {
    let mut archive = tar::Archive::new(bytes);
    let entries = archive.entries().into_iter().flatten();
    let begins_as_wasm = |mut entry: tar::Entry<&[u8]>| {
        let kind = entry.header().entry_type();
        let mut beginning = [0; 4];
        (kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse())
            && entry.read_exact(&mut beginning).is_ok()
            && beginning == *b"\0asm"
    };
    entries
        .map_while(Result::ok)
        .filter_map(|entry| begins_as_wasm(entry).then_some(()))
        .count()
}

/// What is known of an image with this layer alone.
fn content(layer: &[u8], found: &LayerFacts) -> Content {
    let layer = Descriptor::of("application/octet-stream", layer);
    let config = Descriptor::of(media_type::IMAGE_CONFIG, b"{}");
    let manifest = ImageManifest::new(config, vec![layer.clone()]).to_bytes();
    let manifest = Manifest::parse(manifest, media_type::IMAGE_MANIFEST).unwrap();
    let mut survey = ImageSurvey::new(LIMITS);
    survey.take_up(&layer, found);
    survey.finish(&manifest)
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else {
        return;
    };
    let layer = if first & 1 == 0 {
        signed(rest)
    } else {
        rest.to_vec()
    };
    let digest = Digest::of(&layer);
    let size = layer.len() as u64;
    let whole = LayerFacts::of(&digest, size, &mut layer.as_slice(), LIMITS);
    let mut pieces = Pieces(&layer, usize::from(first >> 1) + 1);
    let pieces = LayerFacts::of(&digest, size, &mut pieces, LIMITS);
    assert_eq!(format!("{whole:?}"), format!("{pieces:?}"));
    if let Content::Image {
        wasm,
        unreadable,
        unseen,
    } = content(&layer, &whole)
    {
        let theirs = wasm_by_tar(&layer);
        let ours = wasm.len();
        assert!(
            ours >= theirs || !unreadable.is_empty() || !unseen.is_empty(),
            "found {ours} of {theirs}"
        );
    }
});
