//! The layers of images: archives, and what is compressed. However the bytes arrive, the same is
//! found in them.
#![no_main]

use std::io::{self, Read};

use wasmport_artifact::Digest;
use wasmport_policies::{LayerFacts, LayerLimits};

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

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else {
        return;
    };
    let layer = if first & 1 == 0 { signed(rest) } else { rest.to_vec() };
    let digest = Digest::of(&layer);
    let size = layer.len() as u64;
    let whole = LayerFacts::of(&digest, size, &mut layer.as_slice(), LIMITS);
    let mut pieces = Pieces(&layer, usize::from(first >> 1) + 1);
    let pieces = LayerFacts::of(&digest, size, &mut pieces, LIMITS);
    assert_eq!(format!("{whole:?}"), format!("{pieces:?}"));
});
