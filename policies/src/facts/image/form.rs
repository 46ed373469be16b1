//! What a file is by how it begins. Names and media types do not count: whoever wants to hide
//! something chooses them.

use wasmport_artifact::NotWasm;

use super::header::Header;

/// What a file is by how it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Empty,
    Wasm,
    Gzip,
    Zstandard,
    Tar,
    /// It can hold Wasm or be made into it, and is not looked into: what it is.
    Closed(&'static str),
    /// Nothing that a runtime would look for Wasm in, unless it is text.
    Plain,
}

/// How many bytes tell the form: a header of a tar archive.
pub(super) const BEGINNING: usize = 512;

/// ELF's byte for the operating system, as Wasmtime writes it for precompiled code.
const WASMTIME: u8 = 200;

/// Beginnings of archives and compressed files that are not looked into.
const CLOSED: [(&[u8], &str); 19] = [
    (b"\xfd7zXZ\0", "it is compressed with xz"),
    (b"BZh", "it is compressed with bzip2"),
    (b"\x1f\x9d", "it is compressed with compress"),
    (b"\x04\x22\x4d\x18", "it is compressed with LZ4"),
    (b"LZIP", "it is compressed with lzip"),
    (b"7z\xbc\xaf\x27\x1c", "it is a 7z archive"),
    (b"PK\x03\x04", "it is a zip archive"),
    (b"PK\x05\x06", "it is a zip archive"),
    (b"hsqs", "it is a Squashfs image"),
    (b"wasmer-universal", "it is precompiled for Wasmer"),
    (b"WASMER\0\0", "it is precompiled for Wasmer"),
    (b"\0webc", "it is a package of Wasmer"),
    (b"070701", "it is a cpio archive"),
    (b"070702", "it is a cpio archive"),
    (b"070707", "it is a cpio archive"),
    (b"\x5d\0\0", "it is compressed with LZMA"),
    (b"\x02\x21\x4c\x18", "it is compressed with LZ4"),
    (b"\xff\x06\0\0sNaPpY", "it is compressed with Snappy"),
    (b"Rar!\x1a\x07", "it is a RAR archive"),
];

impl Form {
    /// `beginning` has [`BEGINNING`] bytes, or is all that there is.
    pub(super) fn recognise(beginning: &[u8]) -> Self {
        match NotWasm::recognise(beginning) {
            None => return Self::Wasm,
            Some(NotWasm::Empty) => return Self::Empty,
            Some(NotWasm::Aot) => return Self::Closed("it is precompiled for WAMR"),
            Some(NotWasm::Elf) if beginning.get(7) == Some(&WASMTIME) => {
                return Self::Closed("it is precompiled for Wasmtime");
            }
            Some(_) => {}
        }
        match beginning {
            [0x1f, 0x8b, ..] => return Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
                return Self::Zstandard;
            }
            _ => {}
        }
        if matches!(beginning, [0x1e..=0x27, 0xb5, 0x2f, 0xfd, ..]) {
            return Self::Closed("it is compressed with Zstandard of before its version 1");
        }
        if let Some((_, what)) = CLOSED
            .iter()
            .find(|(magic, _)| beginning.starts_with(magic))
        {
            return Self::Closed(what);
        }
        if Header::is_one(beginning) {
            return Self::Tar;
        }
        Self::Plain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precompiled_code_is_told_from_programs() {
        let mut elf = *b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0";
        assert_eq!(Form::recognise(&elf), Form::Plain);
        elf[7] = WASMTIME;
        assert!(matches!(Form::recognise(&elf), Form::Closed(_)));
    }
}
