//! Custom sections that runtimes map into memory and run as machine code.
//!
//! Such code is not what was inspected: the module beside it is read for its imports only, or not at all.

use wasmparser::CustomSectionReader;

/// Names under which runtimes look for it: those of `WasmEdge`, WAVM, and WAMR inside Envoy.
const SECTIONS: [&str; 3] = ["wasmedge", "wavm.precompiled_object", "wamr-aot"];
/// V8 inside Envoy, which adds its version and platform: `precompiled_wee8_v13.8…_linux_x86_64`.
const PREFIX: &str = "precompiled_";
/// ELF, WAMR's format, and Mach-O in both widths and for several processors.
const MAGIC: [&[u8]; 5] = [
    b"\x7fELF",
    b"\0aot",
    b"\xcf\xfa\xed\xfe",
    b"\xce\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
];
/// How much of a name is told; the ones that are known are shorter.
const NAME_CHARACTERS: usize = 80;

/// The name of `section`, if a runtime may take it for machine code. Letter case is not asked for.
pub(super) fn native_code(section: &CustomSectionReader<'_>) -> Option<String> {
    let name = section.name().to_ascii_lowercase();
    let is_named = SECTIONS.contains(&name.as_str()) || name.starts_with(PREFIX);
    let is_code = MAGIC.iter().any(|magic| section.data().starts_with(magic));
    (is_named || is_code).then(|| section.name().chars().take(NAME_CHARACTERS).collect())
}
