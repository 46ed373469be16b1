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
    /// Nothing that a runtime would look for Wasm in.
    Plain,
}

/// How many bytes tell the form: a header of a tar archive.
pub(super) const BEGINNING: usize = 512;

/// ELF's byte for the operating system, as Wasmtime writes it for precompiled code.
const WASMTIME: u8 = 200;

/// Beginnings of archives and compressed files that are not looked into.
const CLOSED: [(&[u8], &str); 11] = [
    (b"\xfd7zXZ\0", "it is compressed with xz"),
    (b"BZh", "it is compressed with bzip2"),
    (b"\x1f\x9d", "it is compressed with compress"),
    (b"\x04\x22\x4d\x18", "it is compressed with LZ4"),
    (b"LZIP", "it is compressed with lzip"),
    (b"7z\xbc\xaf\x27\x1c", "it is a 7z archive"),
    (b"PK\x03\x04", "it is a zip archive"),
    (b"PK\x05\x06", "it is a zip archive"),
    (b"hsqs", "it is a Squashfs image"),
    (b"\0webc", "it is a package of Wasmer"),
    (b"070701", "it is a cpio archive"),
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
        if is_wasm_text(beginning) {
            return Self::Closed("it is WebAssembly in the text format");
        }
        Self::Plain
    }
}

/// Runtimes take text too. Comments may come first.
fn is_wasm_text(beginning: &[u8]) -> bool {
    let text = String::from_utf8_lossy(beginning);
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    loop {
        let after = if let Some(comment) = rest.strip_prefix(";;") {
            comment.split_once('\n').map(|(_, after)| after)
        } else if let Some(comment) = rest.strip_prefix("(;") {
            comment.split_once(";)").map(|(_, after)| after)
        } else {
            break;
        };
        match after {
            Some(after) => rest = after.trim_start(),
            None => return false,
        }
    }
    let Some(rest) = rest.strip_prefix('(') else {
        return false;
    };
    let word = rest.trim_start();
    ["module", "component"].iter().any(|keyword| {
        word.strip_prefix(keyword).is_some_and(|after| {
            let next = after.chars().next();
            next.is_none_or(|next| next.is_whitespace() || matches!(next, '(' | ')' | ';' | '$'))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wasm_in_the_text_format_is_known_behind_comments() {
        for text in [
            "(module)",
            "  ( component (import \"x\" (func)))",
            ";; a comment\n(; another ;)\n(module $x)",
        ] {
            let form = Form::recognise(text.as_bytes());
            assert!(matches!(form, Form::Closed(_)), "{text}: {form:?}");
        }
        for text in ["(modular)", "module", ";; (module)", "(defun x ())"] {
            assert_eq!(Form::recognise(text.as_bytes()), Form::Plain, "{text}");
        }
    }

    #[test]
    fn precompiled_code_is_told_from_programs() {
        let mut elf = *b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0";
        assert_eq!(Form::recognise(&elf), Form::Plain);
        elf[7] = WASMTIME;
        assert!(matches!(Form::recognise(&elf), Form::Closed(_)));
    }
}
