//! Which features of WebAssembly the optimizer may find and use in a core module.

use std::collections::BTreeSet;

use wasmparser::{BinaryReader, FromReader as _, Parser, Payload, Validator, WasmFeatures};

/// A feature, by its names with the compiler, with Binaryen and with wasmparser.
///
/// LLVM's other names, `bulk-memory-opt` and `call-indirect-overlong`, are parts of what
/// Binaryen has under one name, and always come with the whole.
#[derive(Clone, Copy, Debug)]
struct Feature {
    llvm: &'static str,
    binaryen: &'static str,
    parser: WasmFeatures,
}

/// Features that Binaryen 116 and the WebAssembly of today understand alike. A module that
/// needs another (garbage collection, exceptions with references) stays as it is.
const KNOWN: [Feature; 12] = [
    feature("atomics", "threads", WasmFeatures::THREADS),
    feature("bulk-memory", "bulk-memory", WasmFeatures::BULK_MEMORY),
    feature(
        "extended-const",
        "extended-const",
        WasmFeatures::EXTENDED_CONST,
    ),
    feature("memory64", "memory64", WasmFeatures::MEMORY64),
    feature("multimemory", "multimemory", WasmFeatures::MULTI_MEMORY),
    feature("multivalue", "multivalue", WasmFeatures::MULTI_VALUE),
    feature(
        "mutable-globals",
        "mutable-globals",
        WasmFeatures::MUTABLE_GLOBAL,
    ),
    feature(
        "nontrapping-fptoint",
        "nontrapping-float-to-int",
        WasmFeatures::SATURATING_FLOAT_TO_INT,
    ),
    feature(
        "reference-types",
        "reference-types",
        WasmFeatures::REFERENCE_TYPES,
    ),
    feature("sign-ext", "sign-ext", WasmFeatures::SIGN_EXTENSION),
    feature("simd128", "simd", WasmFeatures::SIMD),
    feature("tail-call", "tail-call", WasmFeatures::TAIL_CALL),
];

const fn feature(llvm: &'static str, binaryen: &'static str, parser: WasmFeatures) -> Feature {
    Feature {
        llvm,
        binaryen,
        parser,
    }
}

/// Names, as Binaryen has them, of the features of a valid core module: those that its
/// compiler allowed, else those without which it is not valid.
///
/// Binaryen assumes next to nothing when it is not told, and may write code that uses what
/// it is told; so it hears neither of too few nor of more than the compiler did.
pub(crate) fn of(module: &[u8]) -> BTreeSet<&'static str> {
    declared(module).unwrap_or_else(|| needed(module))
}

/// What the section `target_features` says (tool-conventions, `Linking.md`): a count, then
/// for each feature `+` and its name, or `-` and its name.
fn declared(module: &[u8]) -> Option<BTreeSet<&'static str>> {
    let section = Parser::new(0).parse_all(module).find_map(|payload| {
        let Ok(Payload::CustomSection(section)) = payload else {
            return None;
        };
        (section.name() == "target_features").then(|| section.data())
    })?;
    let mut reader = BinaryReader::new(section, 0);
    let mut found = BTreeSet::new();
    for _ in 0..reader.read_var_u32().ok()? {
        let is_used = reader.read_u8().ok()? == b'+';
        let name = <&str>::from_reader(&mut reader).ok()?;
        let known = KNOWN.iter().find(|feature| feature.llvm == name);
        found.extend(known.filter(|_| is_used).map(|feature| feature.binaryen));
    }
    Some(found)
}

/// What the module is not valid without. It takes a validation for each feature, which
/// together cost less than one pass of the optimizer.
fn needed(module: &[u8]) -> BTreeSet<&'static str> {
    let all = WasmFeatures::WASM3 | WasmFeatures::THREADS;
    let is_needed = |feature: &&Feature| {
        let rest = all.difference(feature.parser);
        Validator::new_with_features(rest)
            .validate_all(module)
            .is_err()
    };
    let needed = KNOWN.iter().filter(is_needed);
    needed.map(|feature| feature.binaryen).collect()
}

/// Every name that [`of`] may give.
#[cfg(all(test, feature = "embedded-wasm-opt"))]
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    KNOWN.iter().map(|feature| feature.binaryen)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_text(text: &str) -> Vec<&'static str> {
        of(&wat::parse_str(text).unwrap()).into_iter().collect()
    }

    #[test]
    fn what_the_compiler_says_is_believed_as_far_as_it_is_known() {
        let found = of_text(
            r#"(module (@custom "target_features"
                "\04+\0bbulk-memory+\0fbulk-memory-opt-\07simd128+\08sign-ext"))"#,
        );
        assert_eq!(found, ["bulk-memory", "sign-ext"]);
    }

    #[test]
    fn without_a_word_from_the_compiler_the_code_is_asked() {
        assert_eq!(of_text("(module (func))"), [] as [&str; 0]);
        let found = of_text(
            r"(module (memory 1) (func (param i32 f32)
                (memory.fill (i32.const 0) (i32.const 0) (i32.const 9))
                (drop (i32.extend8_s (local.get 0)))
                (drop (i32.trunc_sat_f32_s (local.get 1)))
                (drop (i32x4.splat (local.get 0)))))",
        );
        assert_eq!(
            found,
            [
                "bulk-memory",
                "nontrapping-float-to-int",
                "sign-ext",
                "simd"
            ]
        );
    }

    #[test]
    fn a_section_that_breaks_off_is_no_word() {
        let found = of_text(
            r#"(module (func (drop (i32.extend8_s (i32.const 1))))
                (@custom "target_features" "\ff+\07simd128"))"#,
        );
        assert_eq!(found, ["sign-ext"]);
    }
}
