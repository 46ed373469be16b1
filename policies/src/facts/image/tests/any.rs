//! Any archives: what the reader of Rust's runtimes takes out of one and is Wasm is found, or it is
//! said that something was not seen.

use std::io::{self, Read};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// Gives a few bytes at a time.
struct Pieces<'a> {
    bytes: &'a [u8],
    sizes: std::iter::Cycle<std::vec::IntoIter<usize>>,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = self.sizes.next().unwrap_or(1).min(buffer.len());
        self.bytes.read(&mut buffer[..most])
    }
}

/// An entry as GNU's, POSIX' and old writers make it.
fn any_entry() -> impl Strategy<Value = Vec<u8>> {
    let kind = select(b"\x000123567xgLKSMXVDZ".to_vec());
    let path = select(vec!["app", "dir/", "a/b.wasm", "pax"]);
    let records = select(vec![
        "9 path=x\n",
        "11 path=d/\n",
        "10 size=8\n9 path=a\n",
        "11 size=-1\n",
        "12 comment=\n",
        "22 GNU.sparse.major=1\n",
    ]);
    let content = prop_oneof![
        Just(b"\0asm\x01\0\0\0".to_vec()),
        records.prop_map(|text| text.as_bytes().to_vec()),
        vec(any::<u8>(), 0..20),
    ];
    let sizes = prop_oneof![4 => Just(None), 1 => select(vec![0, 7, 512, 1024]).prop_map(Some)];
    (kind, path, content, sizes, any::<bool>(), any::<bool>()).prop_map(
        |(kind, path, content, size, is_gnu, has_magic)| {
            let size = size.unwrap_or(content.len() as u64);
            let mut bytes = entry(kind, path, size, &content);
            if is_gnu {
                bytes[257..265].copy_from_slice(b"ustar  \0");
            } else if !has_magic {
                bytes[257..265].fill(0);
            }
            bytes
        },
    )
}

/// Archives of such entries, with a few bytes changed and checksums that are right all the same.
fn any_archive() -> impl Strategy<Value = Vec<u8>> {
    let changes = vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    (vec(any_entry(), 1..6), changes, 0..3_usize).prop_map(|(entries, changes, end)| {
        let mut bytes = entries.concat();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        for block in bytes.chunks_exact_mut(512) {
            if block[257..262] == *b"ustar" || block[148..154].iter().all(u8::is_ascii_digit) {
                block[148..156].fill(b' ');
                let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
                block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            }
        }
        bytes.resize(bytes.len() + end * 512, 0);
        bytes
    })
}

/// How many regular files begin as Wasm, for the crate that runtimes in Rust unpack with.
fn wasm_by_tar(bytes: &[u8]) -> usize {
    let mut archive = tar::Archive::new(bytes);
    let Ok(entries) = archive.entries() else {
        return 0;
    };
    let mut count = 0;
    for entry in entries {
        let Ok(mut entry) = entry else { break };
        let is_file = entry.header().entry_type().is_file()
            || entry.header().entry_type().is_contiguous()
            || entry.header().entry_type().is_gnu_sparse();
        let mut beginning = [0; 4];
        if is_file && entry.read_exact(&mut beginning).is_ok() && beginning == *b"\0asm" {
            count += 1;
        }
    }
    count
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_others_unpack_is_found_or_unseen(archive in any_archive()) {
        let found = survey(TAR, &archive);
        let ours = found.wasm.len() + found.unreadable.len();
        let theirs = wasm_by_tar(&archive);
        prop_assert!(
            ours >= theirs || !found.unseen.is_empty(),
            "found {ours} of {theirs}"
        );
    }

    #[test]
    fn pieces_make_no_difference(
        archive in any_archive(),
        form in 0..3,
        sizes in vec(1..700_usize, 1..10),
    ) {
        let layer = match form {
            0 => archive,
            1 => gzip(&archive),
            _ => zstandard(&archive),
        };
        let (digest, size) = (Digest::of(&layer), layer.len() as u64);
        let limits = LayerLimits::default();
        let mut pieces = Pieces { bytes: &layer, sizes: sizes.into_iter().cycle() };
        let pieces = LayerFacts::of(&digest, size, &mut pieces, limits);
        let whole = LayerFacts::of(&digest, size, &mut layer.as_slice(), limits);
        prop_assert_eq!(format!("{pieces:?}"), format!("{whole:?}"));
    }

    #[test]
    fn any_bytes_are_looked_at(mut bytes in vec(any::<u8>(), 0..3000), magic in 0..5) {
        let magic: &[u8] = match magic {
            0 => b"\x1f\x8b\x08\0",
            1 => b"\x28\xb5\x2f\xfd",
            2 => b"\0asm\x01\0\0\0",
            3 => b"\x50\x2a\x4d\x18",
            _ => b"",
        };
        let end = magic.len().min(bytes.len());
        bytes[..end].copy_from_slice(&magic[..end]);
        let _ = look(TAR, &bytes);
    }
}
