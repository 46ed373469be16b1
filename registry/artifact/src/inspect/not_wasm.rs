//! What it is instead, when it is not Wasm.

use std::fmt;

use serde::{Deserialize, Serialize};

const WASM_MAGIC: &[u8] = b"\0asm";

/// Something that is not a Wasm binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NotWasm {
    /// No bytes.
    Empty,
    /// An ELF file. Wasmtime's precompiled code is one, and a runtime that loads it runs
    /// machine code that nobody inspected.
    Elf,
    /// WAMR's precompiled code.
    Aot,
    /// The WebAssembly text format.
    WasmText,
    /// Other text.
    Text,
    /// Compressed data.
    Compressed,
    /// Anything else.
    Unknown,
}

impl NotWasm {
    /// Says what `bytes` are if they do not begin like Wasm.
    pub fn recognise(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(WASM_MAGIC) {
            return None;
        }
        Some(match bytes {
            [] => Self::Empty,
            [0x7f, b'E', b'L', b'F', ..] => Self::Elf,
            [0, b'a', b'o', b't', ..] => Self::Aot,
            [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Compressed,
            _ => Self::recognise_text(bytes),
        })
    }

    fn recognise_text(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text)
                if text.trim_start().starts_with("(module")
                    || text.trim_start().starts_with("(component") =>
            {
                Self::WasmText
            }
            Ok(_) => Self::Text,
            Err(_) => Self::Unknown,
        }
    }
}

impl fmt::Display for NotWasm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Empty => "it is empty",
            Self::Elf => "it is an ELF file (precompiled code cannot be inspected; ship the `.wasm` it was made from)",
            Self::Aot => "it is precompiled for WAMR (ship the `.wasm` it was made from)",
            Self::WasmText => "it is in the text format (make it binary with `wasm-tools parse`)",
            Self::Text => "it is text",
            Self::Compressed => "it is compressed (Wasm layers are stored as they are)",
            Self::Unknown => "it does not begin with `\\0asm`",
        })
    }
}
