//! What an inspection says beside imports and exports.

use std::num::NonZeroUsize;

use wasmport_artifact::{
    Feature, InspectError, Inspection, Inspector, Kind, Memory, NotWasm, SectionKind, examine,
    inspect, limits,
};

fn wasm(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

fn found(text: &str) -> Inspection {
    inspect(&wasm(text)).unwrap()
}

fn features_of(inspection: &Inspection) -> Vec<&'static str> {
    let features = inspection.features.iter();
    features.map(|feature| feature.as_str()).collect()
}

/// The proposals that code and sections use together.
fn features(text: &str) -> Vec<&'static str> {
    features_of(&examine(&wasm(text), NonZeroUsize::MIN).unwrap())
}

/// `name` as a section of `data`, behind an empty component.
fn with_section(name: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = wasm("(component)");
    let size = 1 + name.len() + data.len();
    bytes.extend([
        0,
        (size & 0x7f) as u8 | 0x80,
        (size >> 7) as u8,
        name.len() as u8,
    ]);
    bytes.extend(name.as_bytes());
    bytes.extend(data);
    bytes
}

#[test]
fn proposals_show_in_sections_or_in_code() {
    assert_eq!(features("(module (func (export \"f\")))"), [""; 0]);
    for (text, expected) in [
        ("(module (memory 1) (memory 1))", vec!["multi-memory"]),
        ("(module (memory i64 1))", vec!["memory64"]),
        ("(module (memory 1 1 shared))", vec!["threads"]),
        ("(module (tag))", vec!["exception-handling"]),
        (
            "(module (func (result i32 i32) unreachable))",
            vec!["multi-value"],
        ),
        ("(module (type (struct)))", vec!["gc"]),
        ("(module (table 1 externref))", vec!["reference-types"]),
        (
            "(module (global i32 (i32.add (i32.const 1) (i32.const 2))))",
            vec!["extended-const"],
        ),
        (
            "(module (memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 0))))",
            vec!["bulk-memory-operations"],
        ),
        (
            "(module (func (drop (i32.extend8_s (i32.const 0)))))",
            vec!["sign-extension-ops"],
        ),
        (
            "(module (func (drop (i32.trunc_sat_f32_s (f32.const 0)))))",
            vec!["nontrapping-float-to-int-conversions"],
        ),
        ("(module (func $f return_call $f))", vec!["tail-call"]),
        ("(module (func (local v128)))", vec!["simd"]),
        (
            "(module (func (param v128) (drop (i8x16.relaxed_swizzle (local.get 0) (local.get 0)))))",
            vec!["relaxed-simd", "simd"],
        ),
        (
            "(component (core func (canon task.cancel)))",
            vec!["component-model-async"],
        ),
    ] {
        assert_eq!(features(text), expected, "{text}");
    }
}

/// A module of 200 functions with 10 kB of additions each, and one with a tail call.
fn large_module() -> Vec<u8> {
    let mut module = wasm_encoder::Module::new();
    let mut types = wasm_encoder::TypeSection::new();
    types.ty().function([], []);
    let mut functions = wasm_encoder::FunctionSection::new();
    let mut code = wasm_encoder::CodeSection::new();
    for number in 0..200 {
        functions.function(0);
        let mut body = wasm_encoder::Function::new([]);
        let mut operators = body.instructions();
        for _ in 0..1400 {
            operators.i32_const(1).i32_const(2).i32_add().drop();
        }
        if number == 123 {
            operators.return_call(0);
        }
        operators.end();
        code.function(&body);
    }
    module.section(&types).section(&functions).section(&code);
    module.finish()
}

#[test]
fn code_is_looked_at_on_all_threads() {
    let bytes = large_module();
    let threads = NonZeroUsize::new(3).unwrap();
    assert_eq!(
        features_of(&examine(&bytes, threads).unwrap()),
        ["tail-call"]
    );
    // An addition in the middle becomes one of floats; so does a later one.
    let mut wrong = bytes.clone();
    let mut additions = (bytes.len() / 2..).filter(|at| bytes[*at..].starts_with(&[0x6a, 0x1a]));
    let operator = additions.next().unwrap();
    wrong[operator] = 0x92;
    wrong[additions.nth(100_000).unwrap()] = 0x92;
    let errors = [NonZeroUsize::MIN, threads].map(|threads| match examine(&wrong, threads) {
        Err(InspectError::Malformed(error)) => error.offset(),
        other => panic!("expected an error, got {other:?}"),
    });
    assert_eq!(errors, [operator as u64; 2]);
}

#[test]
fn memories_are_told_wherever_they_are() {
    let found = found(
        r#"(component
            (core module (memory 2 16))
            (core module (import "env" "memory" (memory i64 1))))"#,
    );
    let page_size = 65_536;
    let declared = Memory {
        minimum: 2,
        maximum: Some(16),
        page_size,
        shared: false,
        memory64: false,
        imported: false,
    };
    let imported = Memory {
        minimum: 1,
        maximum: None,
        memory64: true,
        imported: true,
        ..declared
    };
    assert_eq!(found.memories, [declared, imported]);
    assert_eq!((found.core_modules, found.components), (2, 1));
}

#[test]
fn sizes_of_sections_add_up_to_the_bytes() {
    let bytes = wasm(
        r#"(component
            (core module (memory 1) (data (i32.const 0) "0123456789") (func (export "f") nop))
            (@custom "note" "abc") (@custom "note" "defg"))"#,
    );
    let sections = inspect(&bytes).unwrap().sections;
    let of = |kind| {
        let mut found = sections.iter().filter(|section| section.kind == kind);
        found
            .next()
            .map(|section| (section.name.as_deref(), section.count, section.size))
    };
    assert_eq!(of(SectionKind::Custom), Some((Some("note"), 2, 17)));
    assert_eq!(of(SectionKind::Data), Some((None, 1, 16)));
    let total: u64 = sections.iter().map(|section| section.size).sum();
    let headers = 2 * sections.iter().map(|section| section.count).sum::<u64>();
    // Two headers of eight bytes, and that of the section that holds the module.
    assert_eq!(total + headers + 16 + 2, bytes.len() as u64);
}

#[test]
fn worlds_take_no_more_than_they_offer() {
    let command = r#"(component
        (import "wasi:cli/stdout@0.2.3" (instance))
        (import "wasi:sockets/tcp@0.2.6" (instance))
        EXTRA
        (instance $run)
        (export "wasi:cli/run@0.2.0" (instance $run)))"#;
    let worlds = |extra: &str| found(&command.replace("EXTRA", extra)).worlds;
    assert_eq!(worlds(""), ["wasi:cli/command@0.2"]);
    for extra in [
        r#"(import "wasi:http/outgoing-handler@0.2.6" (instance))"#,
        r#"(import "wasi:cli/stderr@0.3.0" (instance))"#,
        r#"(import "wasi:cli/stderr@0.2.0-rc.1" (instance))"#,
        r#"(import "acme:db/query" (instance))"#,
        r#"(import "log" (func))"#,
    ] {
        assert_eq!(worlds(extra), [""; 0], "{extra}");
    }
    let service = r#"(component
        (import "wasi:http/client@0.3.0" (instance))
        (instance $handler)
        (export "wasi:http/handler@0.3.0" (instance $handler)))"#;
    let expected = ["wasi:http/service@0.3", "wasi:http/middleware@0.3"];
    assert_eq!(found(service).worlds, expected);
    assert_eq!(found("(component)").worlds, [""; 0]);
}

#[test]
fn a_wit_package_tells_what_it_defines() {
    let found = found(
        r#"(component
            (@custom "wit-component-encoding" "\04\00")
            (type $kv (component
                (type $store (instance
                    (export "bucket" (type (sub resource)))
                    (export "open" (func))))
                (export "acme:kv/store@1.0.0" (instance (type $store)))))
            (export "store" (type $kv))
            (type $world (component
                (type $proxy (component
                    (import "acme:kv/store@1.0.0" (instance))
                    (export "run" (func))))
                (export "acme:kv/proxy@1.0.0" (component (type $proxy)))))
            (export "proxy" (type $world)))"#,
    );
    assert_eq!(found.kind, Kind::WitPackage);
    let package = found.package.unwrap();
    assert_eq!(package.name.as_deref(), Some("acme:kv@1.0.0"));
    let store = &package.interfaces[0];
    assert_eq!(store.name, "acme:kv/store@1.0.0");
    assert_eq!((store.functions.len(), store.resources.len()), (1, 1));
    let proxy = &package.worlds[0];
    assert_eq!(proxy.imports, ["acme:kv/store@1.0.0"]);
    assert_eq!(proxy.exports, ["run"]);
}

#[test]
fn words_of_the_maker_decide_nothing() {
    let plain = found(r#"(component (import "acme:db/query" (instance)))"#);
    let adorned = found(
        r#"(component $nice
            (@producers (language "Rust" "1.95") (processed-by "harmless" "1"))
            (@custom "description" "needs nothing")
            (@custom "licenses" "\ff\fe")
            (@custom "registry-metadata" "{\"authors\":[\"a\",\"b\"],\"license\":\"MIT\"}")
            (import "acme:db/query" (instance)))"#,
    );
    assert_eq!(adorned.imports, plain.imports);
    assert!(adorned.languages.contains("Rust"));
    let metadata: Vec<_> = adorned
        .metadata
        .iter()
        .map(|(key, text)| (key.as_str(), text.as_str()))
        .collect();
    let expected = [
        ("authors", "a, b"),
        ("description", "needs nothing"),
        ("licenses", "MIT"),
        ("name", "nice"),
    ];
    assert_eq!(metadata, expected);
}

#[test]
fn crates_are_read_from_what_cargo_auditable_wrote() {
    let json = br#"{"packages":[
        {"name":"app","version":"0.1.0","source":"local","root":true,"dependencies":[1]},
        {"name":"serde","version":"1.0.0","source":"registry"},
        {"name":"cc","version":"1.2.0","source":"registry","kind":"build"}]}"#;
    let packed = miniz_oxide::deflate::compress_to_vec_zlib(json, 6);
    let found = inspect(&with_section(".dep-v0", &packed))
        .unwrap()
        .dependencies
        .unwrap();
    let names: Vec<_> = found
        .packages
        .iter()
        .map(|found| found.name.as_str())
        .collect();
    assert_eq!(names, ["app", "cc", "serde"]);
    assert!(found.packages[0].root && found.packages[1].build && !found.unreadable);
}

#[test]
fn a_section_of_crates_that_unpacks_without_end_is_not_unpacked() {
    let bomb = vec![b' '; limits::DEPENDENCY_BYTES + 1];
    let packed = miniz_oxide::deflate::compress_to_vec_zlib(&bomb, 9);
    for data in [packed.as_slice(), b"no zlib"] {
        let found = inspect(&with_section(".dep-v0", data))
            .unwrap()
            .dependencies
            .unwrap();
        assert!(found.unreadable && found.packages.is_empty());
    }
    assert_eq!(found("(component)").dependencies, None);
}

#[test]
fn facts_from_before_are_still_read() {
    let old = r#"{"kind":"component","target":null,"imports":[],"exports":[{"name":"run","kind":"func"}],
        "producers":{},"coreModules":1,"size":8}"#;
    let read: Inspection = serde_json::from_str(old).unwrap();
    assert_eq!((read.exports.len(), read.features.len()), (1, 0));
    let now = examine(&wasm("(module (func (local v128)))"), NonZeroUsize::MIN).unwrap();
    assert!(now.features.contains(&Feature::Simd));
    let json = serde_json::to_string(&now).unwrap();
    assert_eq!(serde_json::from_str::<Inspection>(&json).unwrap(), now);
}

#[test]
fn bytes_in_pieces_of_any_size_are_inspected_like_one() {
    let bytes = wasm(
        r#"(component
            (import "wasi:io/poll@0.2.6" (instance (export "poll" (func))))
            (core module (memory 1) (func (export "f") (local v128)) (data (i32.const 0) "abc"))
            (@custom "note" "abc"))"#,
    );
    let whole = examine(&bytes, NonZeroUsize::MIN).unwrap();
    for size in 1..bytes.len() {
        let mut inspector = Inspector::new();
        for piece in bytes.chunks(size) {
            inspector.push(piece).unwrap();
        }
        assert_eq!(inspector.finish().unwrap(), whole, "{size}");
    }
    for length in 0..bytes.len() {
        let mut inspector = Inspector::new();
        let pushed = inspector.push(&bytes[..length]);
        let result = pushed.and_then(|()| inspector.finish());
        assert_eq!(
            result.is_ok(),
            examine(&bytes[..length], NonZeroUsize::MIN).is_ok(),
            "{length}"
        );
    }
}

#[test]
fn what_is_not_wasm_is_known_from_its_first_bytes() {
    let mut inspector = Inspector::new();
    inspector.push(b"\x7fE").unwrap();
    let refused = inspector.push(b"LF\x02\x01");
    assert!(matches!(refused, Err(InspectError::NotWasm(NotWasm::Elf))));
    let empty = Inspector::new().finish();
    assert!(matches!(empty, Err(InspectError::NotWasm(NotWasm::Empty))));
}
