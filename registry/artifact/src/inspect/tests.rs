use super::*;
use crate::inspection::{ItemKind, Kind, Target};

fn inspect_text(text: &str) -> Inspection {
    inspect(&wat::parse_str(text).unwrap()).unwrap()
}

#[test]
fn a_component_lists_interfaces_with_their_functions_and_resources() {
    let found = inspect_text(
        r#"(component
            (import "wasi:io/streams@0.2.6" (instance
                (export "output-stream" (type (sub resource)))
                (export "drop-all" (func))
                (export "blocking-flush" (func))))
            (import "log" (func)))"#,
    );
    assert_eq!(found.kind, Kind::Component);
    assert_eq!(found.target, Some(Target::Wasip2));
    let streams = &found.imports[0];
    assert_eq!(streams.name, "wasi:io/streams@0.2.6");
    assert_eq!(streams.functions, ["blocking-flush", "drop-all"]);
    assert_eq!(streams.resources, ["output-stream"]);
    assert!(!streams.opaque);
    assert_eq!(
        (found.imports[1].name.as_str(), found.imports[1].kind),
        ("log", ItemKind::Func)
    );
}

#[test]
fn imports_of_components_and_core_modules_are_not_dropped() {
    let found = inspect_text(
        r#"(component
            (import "plugin" (component (import "wasi:sockets/tcp@0.2.6" (instance))))
            (import "engine" (core module (import "env" "f" (func)))))"#,
    );
    let kinds: Vec<_> = found
        .imports
        .iter()
        .map(|import| (import.name.as_str(), import.kind))
        .collect();
    assert_eq!(
        kinds,
        [
            ("plugin", ItemKind::Component),
            ("engine", ItemKind::CoreModule)
        ]
    );
}

#[test]
fn type_indexes_are_counted_past_aliases_imports_and_exports_of_types() {
    let found = inspect_text(
        r#"(component
            (import "wasi:io/error@0.2.6" (instance $error (export "error" (type (sub resource)))))
            (alias export $error "error" (type $aliased))
            (import "world-type" (type $imported (eq $aliased)))
            (export $exported "again" (type $imported))
            (type $shape (instance (export "connect" (func))))
            (import "wasi:sockets/tcp@0.2.6" (instance (type $shape))))"#,
    );
    let tcp = found
        .imports
        .iter()
        .find(|import| import.name == "wasi:sockets/tcp@0.2.6")
        .unwrap();
    assert_eq!(tcp.functions, ["connect"]);
    assert!(!tcp.opaque);
}

#[test]
fn the_interface_behind_a_label_is_known() {
    let bytes = wat::parse_str(
        r#"(component (import "store" (implements "wasi:keyvalue/store@0.2.0") (instance (export "open" (func)))))"#,
    );
    let found = inspect(&bytes.unwrap()).unwrap();
    let import = &found.imports[0];
    assert_eq!(import.name, "store");
    assert_eq!(
        import.interface().unwrap().to_string(),
        "wasi:keyvalue/store@0.2.0"
    );
}

#[test]
fn imports_of_nested_components_are_their_own() {
    let found = inspect_text(
        r#"(component
            (component (import "wasi:sockets/tcp@0.2.6" (instance)))
            (core module (import "env" "f" (func))))"#,
    );
    assert_eq!(found.imports, []);
    assert_eq!(found.core_modules, 1);
}

#[test]
fn a_core_module_lists_functions_by_module() {
    let found = inspect_text(
        r#"(module
            (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
            (import "env" "log" (func))
            (import "wasi_snapshot_preview1" "environ_get" (func (param i32 i32) (result i32)))
            (func (export "_start")))"#,
    );
    assert_eq!(
        (found.kind, found.target),
        (Kind::CoreModule, Some(Target::Wasip1))
    );
    assert_eq!(found.imports[0].name, "env");
    assert_eq!(found.imports[1].functions, ["environ_get", "fd_write"]);
    let exports: Vec<_> = found
        .exports
        .iter()
        .map(|export| (export.name.as_str(), export.kind))
        .collect();
    assert_eq!(exports, [("_start", ItemKind::Core)]);
}

#[test]
fn a_wit_package_is_one_only_without_code() {
    let section = r#"(@custom "wit-component-encoding" "\04\00")"#;
    let package = inspect_text(&format!("(component {section})"));
    assert_eq!(package.kind, Kind::WitPackage);
    let disguised = inspect_text(&format!("(component {section} (core module))"));
    assert_eq!(disguised.kind, Kind::Component);
}

#[test]
fn what_is_not_wasm_is_named() {
    let cases: [(&[u8], NotWasm); 7] = [
        (b"", NotWasm::Empty),
        (b"\x7fELF\x02\x01\x01\xc8", NotWasm::Elf),
        (b"\0aot\x03\0\0\0", NotWasm::Aot),
        (b" (module)", NotWasm::WasmText),
        (b"#!/bin/sh", NotWasm::Text),
        (b"\x1f\x8b\x08\0", NotWasm::Compressed),
        (b"\xff\xfe\xfd", NotWasm::Unknown),
    ];
    for (bytes, expected) in cases {
        assert!(matches!(inspect(bytes), Err(InspectError::NotWasm(found)) if found == expected));
        assert!(matches!(validate(bytes), Err(InspectError::NotWasm(found)) if found == expected));
    }
}

#[test]
fn bytes_that_break_off_are_malformed_wherever_it_happens() {
    let bytes = wat::parse_str(
        r#"(component
            (core module (func (export "f") i32.const 1 drop))
            (import "wasi:io/streams@0.2.6" (instance (export "f" (func)))))"#,
    )
    .unwrap();
    assert!(inspect(&bytes).is_ok());
    for length in 4..bytes.len() {
        let Some(prefix) = bytes.get(..length) else {
            continue;
        };
        // A prefix that ends between two sections is a smaller component.
        if let Ok(found) = inspect(prefix) {
            assert!(
                validate(prefix).is_ok() && found.imports.is_empty(),
                "at {length}"
            );
        }
    }
}

#[test]
fn nesting_has_an_end() {
    let mut bytes = wat::parse_str("(component)").unwrap();
    for _ in 0..=limits::NESTING {
        bytes = wasm_in_component(&bytes);
    }
    assert!(matches!(inspect(&bytes), Err(InspectError::TooDeep)));
}

/// A component with one nested component, written by hand because the text parser
/// recurses.
fn wasm_in_component(inner: &[u8]) -> Vec<u8> {
    let mut bytes = b"\0asm\x0d\0\x01\0\x04".to_vec();
    let [low, high, ..] = inner.len().to_le_bytes();
    // LEB128 of a number below 65,536, padded to four bytes.
    bytes.extend([
        low | 0x80,
        (high << 1) | (low >> 7) | 0x80,
        (high >> 6) | 0x80,
        0,
    ]);
    bytes.extend_from_slice(inner);
    bytes
}

#[test]
fn a_section_that_lies_about_its_length_is_malformed() {
    let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
    bytes.extend_from_slice(&[10, 0xff, 0xff, 0xff, 0xff, 0x0f, 0]);
    assert!(matches!(inspect(&bytes), Err(InspectError::Malformed(_))));
}

#[test]
fn code_is_checked_by_validation_and_not_by_inspection() {
    let bytes = wat::parse_str("(module (func i32.add))").unwrap();
    assert!(inspect(&bytes).is_ok());
    assert!(matches!(validate(&bytes), Err(InspectError::Malformed(_))));
}

#[test]
fn a_type_that_is_imported_many_times_is_counted_each_time() {
    let many =
        |count: usize, item: fn(usize) -> String| (0..count).map(item).collect::<Vec<_>>().concat();
    let functions = many(400, |number| format!("(export \"f{number}\" (func))"));
    let component = |count| {
        let imports = many(count, |number| {
            format!("(import \"i{number}\" (instance (type $t)))")
        });
        wat::parse_str(format!(
            "(component (type $t (instance {functions})) {imports})"
        ))
        .unwrap()
    };
    assert_eq!(inspect(&component(200)).unwrap().imports.len(), 200);
    assert!(matches!(
        inspect(&component(300)),
        Err(InspectError::TooManyItems)
    ));
}
