//! Ways to bring an import past a careless reader. `docs/evasions.md` has a row for each test here.

use std::num::NonZeroUsize;

use super::judge::{Verdict, judge};
use wasmport_artifact::{
    Digest, Disagreement, Export, Import, InspectError, Inspection, ItemKind, Kind, Target,
    WasmConfig, examine, inspect, limits, validate,
};

fn wasm(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

/// What is found in a component that is valid, by inspection alone and with validation.
fn found(text: &str) -> Inspection {
    let bytes = wasm(text);
    assert_eq!(judge(&bytes), Ok(Verdict::Valid));
    let found = inspect(&bytes).unwrap();
    let examined = examine(&bytes, NonZeroUsize::MIN).unwrap();
    assert_eq!(
        (&found.imports, &found.exports),
        (&examined.imports, &examined.exports)
    );
    found
}

fn names(inspection: &Inspection) -> Vec<&str> {
    let imports = inspection.imports.iter();
    imports.map(|import| import.name.as_str()).collect()
}

fn import<'a>(inspection: &'a Inspection, name: &str) -> &'a Import {
    let mut imports = inspection.imports.iter();
    imports.find(|import| import.name == name).unwrap()
}

fn export<'a>(inspection: &'a Inspection, name: &str) -> &'a Export {
    let mut exports = inspection.exports.iter();
    exports.find(|export| export.name == name).unwrap()
}

/// A component that asks for TCP, to be nested in others.
const SOCKETS: &str = r#"(import "wasi:sockets/tcp@0.2.6" (instance (export "connect" (func))))"#;

#[test]
fn components_and_core_modules_are_imports_like_others() {
    let found = found(&format!(
        r#"(component
            (import "plugin" (component {SOCKETS}))
            (import "engine" (core module (import "env" "f" (func)))))"#
    ));
    let plugin = import(&found, "plugin");
    assert_eq!((plugin.kind, plugin.opaque), (ItemKind::Component, true));
    let engine = import(&found, "engine");
    assert_eq!((engine.kind, engine.opaque), (ItemKind::CoreModule, true));
}

#[test]
fn a_value_is_an_import_and_not_accepted() {
    let bytes = wasm(r#"(component (import "secret" (value string)))"#);
    assert_eq!(inspect(&bytes).unwrap().imports[0].kind, ItemKind::Value);
    assert!(matches!(validate(&bytes), Err(InspectError::Malformed(_))));
}

#[test]
fn a_label_does_not_hide_the_interface_behind_it() {
    let bytes = wasm(
        r#"(component (import "harmless" (implements "wasi:sockets/tcp@0.2.6")
            (instance (export "connect" (func)))))"#,
    );
    let found = inspect(&bytes).unwrap();
    let harmless = import(&found, "harmless");
    assert_eq!(
        harmless.implements.as_deref(),
        Some("wasi:sockets/tcp@0.2.6")
    );
    assert_eq!(harmless.interface().unwrap().package, "sockets");
    assert_eq!(found.target, Some(Target::Wasip2));
    assert!(matches!(validate(&bytes), Err(InspectError::Malformed(_))));
}

#[test]
fn a_version_in_two_pieces_is_put_together() {
    let bytes = wasm(
        r#"(component (import "wasi:sockets/tcp@0.2" (version-suffix ".6")
            (instance (export "connect" (func)))))"#,
    );
    let found = inspect(&bytes).unwrap();
    assert_eq!(names(&found), ["wasi:sockets/tcp@0.2.6"]);
    assert_eq!(found.target, Some(Target::Wasip2));
    assert!(matches!(validate(&bytes), Err(InspectError::Malformed(_))));
}

#[test]
fn all_tracks_and_versions_of_an_interface_are_listed() {
    let versions = [
        "0.2.0",
        "0.2.6",
        "0.3.0",
        "0.3.0-rc-2025-09-16",
        "0.2.6+build",
    ];
    let imports = versions.map(|version| {
        format!(r#"(import "wasi:http/types@{version}" (instance (export "f" (func))))"#)
    });
    // Names that differ in nothing but build metadata are told apart too.
    let found = found(&format!("(component {})", imports.concat()));
    let expected = versions.map(|version| format!("wasi:http/types@{version}"));
    assert_eq!(names(&found), expected);
    assert_eq!(found.target, Some(Target::Wasip3));
    let interface = |at: usize| found.imports[at].interface().unwrap();
    assert!(interface(0).same_track(&interface(1)) && interface(1).same_track(&interface(4)));
    assert!(!interface(1).same_track(&interface(2)) && !interface(2).same_track(&interface(3)));
}

#[test]
fn an_exported_component_shows_what_it_would_import() {
    let found = found(&format!(
        r#"(component (component $inner {SOCKETS}) (export "plugin" (component $inner)))"#
    ));
    assert_eq!(names(&found), [""; 0]);
    let plugin = export(&found, "plugin");
    assert_eq!(plugin.kind, ItemKind::Component);
    assert_eq!(plugin.imports[0].name, "wasi:sockets/tcp@0.2.6");
    assert_eq!(plugin.imports[0].functions, ["connect"]);
}

#[test]
fn an_exported_core_module_shows_what_it_would_import() {
    let found = found(
        r#"(component
            (core module $inner (import "wasi_snapshot_preview1" "sock_send" (func)))
            (export "engine" (core module $inner)))"#,
    );
    let engine = export(&found, "engine");
    assert_eq!(engine.kind, ItemKind::CoreModule);
    assert_eq!(engine.imports[0].name, "wasi_snapshot_preview1");
    assert_eq!(engine.imports[0].functions, ["sock_send"]);
}

#[test]
fn a_component_in_an_exported_instance_shows_what_it_would_import() {
    let found = found(&format!(
        r#"(component
            (component $inner {SOCKETS})
            (instance $inside (export "plugin" (component $inner)))
            (instance $outside (export "inside" (instance $inside)))
            (export "tools" (instance $outside)))"#
    ));
    let tools = export(&found, "tools");
    assert_eq!(tools.imports[0].name, "wasi:sockets/tcp@0.2.6");
    assert!(tools.opaque);
}

/// A core module that opens files, to be hidden in what is exported.
const OPENS: &str = r#"(core module $opens (import "wasi_snapshot_preview1" "path_open" (func)))"#;
/// The type of that module, for who takes it as an argument.
const OPENING: &str = r#"(core type $opening (module
    (import "wasi_snapshot_preview1" "path_open" (func))))"#;

/// What the code in the export `x` would import: names, and whether it is known what they stand for.
fn asked_by_x(text: &str) -> Vec<(String, ItemKind)> {
    let found = found(text);
    let imports = export(&found, "x").imports.iter();
    imports
        .map(|import| (import.name.clone(), import.kind))
        .collect()
}

fn preview1() -> Vec<(String, ItemKind)> {
    vec![("wasi_snapshot_preview1".to_owned(), ItemKind::Core)]
}

#[test]
fn a_type_that_shows_less_does_not_hide_code() {
    for made in [
        "(instance $i (export \"m\" (core module $opens)))",
        "(component $c (alias outer 1 $opens (core module $n)) (export \"m\" (core module $n)))
         (instance $i (instantiate $c))",
    ] {
        let shown = format!(r#"(component {OPENS} {made} (export "x" (instance $i) (instance)))"#);
        assert_eq!(asked_by_x(&shown), preview1(), "{made}");
        let nested = format!(
            r#"(component {OPENS} {made}
                (export $e "y" (instance $i) (instance))
                (instance $o (export "f" (instance $e)))
                (alias export $o "f" (instance $again))
                (export "x" (instance $again)))"#
        );
        assert_eq!(asked_by_x(&nested), preview1(), "{made}");
    }
    // The functions are those of the type.
    let found = found(&format!(
        r#"(component {OPENS}
            (import "f" (func $f))
            (instance $i (export "m" (core module $opens)) (export "f" (func $f)) (export "g" (func $f)))
            (export "x" (instance $i) (instance (export "f" (func)))))"#
    ));
    assert_eq!(export(&found, "x").functions, ["f"]);
    assert_eq!(export(&found, "x").imports.len(), 1);
}

#[test]
fn code_that_a_component_was_given_is_behind_what_it_exports() {
    let gives = format!(
        r#"{OPENS}
        (component $c {OPENING}
            (import "m" (core module $m (type $opening)))
            (export "o" (core module $m)))
        (instance $i (instantiate $c (with "m" (core module $opens))))"#
    );
    let x = |export: &str| asked_by_x(&format!("(component {gives} {export})"));
    assert_eq!(x(r#"(export "x" (core module $i "o"))"#), preview1());
    assert_eq!(x(r#"(export "x" (instance $i))"#), preview1());
    assert_eq!(x(r#"(export "x" (instance $i) (instance))"#), preview1());
    // In an instance that has a type without it, and through two components.
    let again = format!(
        r#"(component
            {OPENS}
            (instance $given (export "m" (core module $opens)))
            (component $c (import "i" (instance $i)) (export "o" (instance $i)))
            (component $d
                (import "i" (instance $i))
                (import "c" (component $c (import "i" (instance)) (export "o" (instance))))
                (instance $made (instantiate $c (with "i" (instance $i))))
                (export "made" (instance $made)))
            (instance $x (instantiate $d (with "i" (instance $given)) (with "c" (component $c))))
            (export "x" (instance $x)))"#
    );
    assert!(asked_by_x(&again).contains(&preview1()[0]));
}

#[test]
fn code_of_which_nothing_is_known_is_an_import_of_code() {
    let found = found(
        r#"(component
            (import "a:b/c" (instance $i (export "m" (core module))))
            (export "x" (instance $i))
            (export "y" (core module $i "m")))"#,
    );
    let unknown = &export(&found, "x").imports[0];
    assert_eq!((unknown.kind, unknown.opaque), (ItemKind::CoreModule, true));
    assert_eq!(unknown.name, "m");
    assert!(export(&found, "y").opaque);
}

#[test]
fn a_component_that_an_exported_component_exports_shows_what_it_would_import() {
    let x = asked_by_x(&format!(
        r#"(component
            (component $outer
                (component $inner {SOCKETS})
                (instance $i (export "inner" (component $inner)))
                (export "i" (instance $i)))
            (export "x" (component $outer)))"#
    ));
    let expected = ("wasi:sockets/tcp@0.2.6".to_owned(), ItemKind::Instance);
    assert_eq!(x, [expected]);
}

#[test]
fn a_nested_component_that_gets_nothing_from_outside_does_not_run() {
    let asks = format!("(component (component $inner {SOCKETS}) (instance (instantiate $inner)))");
    let bytes = wasm(&asks);
    assert_eq!(inspect(&bytes).unwrap().imports, []);
    assert!(matches!(validate(&bytes), Err(InspectError::Malformed(_))));
}

#[test]
fn what_a_nested_component_is_given_from_outside_is_an_import() {
    let found = found(&format!(
        r#"(component
            (import "alias" (instance $given (export "connect" (func))))
            (component $inner {SOCKETS})
            (instance (instantiate $inner (with "wasi:sockets/tcp@0.2.6" (instance $given)))))"#
    ));
    assert_eq!(names(&found), ["alias"]);
    assert_eq!(import(&found, "alias").functions, ["connect"]);
}

#[test]
fn functions_behind_an_aliased_type_are_known() {
    let found = found(
        r#"(component
            (import "types" (instance $types
                (type $shape (instance (export "connect" (func))))
                (export "shape" (type (eq $shape)))))
            (alias export $types "shape" (type $shape))
            (import "again" (type $again (eq $shape)))
            (import "wasi:sockets/tcp@0.2.6" (instance (type $shape)))
            (import "wasi:sockets/udp@0.2.6" (instance (type $again))))"#,
    );
    for name in ["wasi:sockets/tcp@0.2.6", "wasi:sockets/udp@0.2.6"] {
        assert_eq!(import(&found, name).functions, ["connect"]);
        assert!(!import(&found, name).opaque);
    }
}

#[test]
fn functions_behind_types_of_outer_scopes_are_known() {
    let found = found(
        r#"(component $outer
            (type $shape (instance (export "connect" (func)) (export "socket" (type (sub resource)))))
            (component $inner
                (alias outer $outer $shape (type $mine))
                (type $wrapped (component
                    (alias outer $inner $mine (type $theirs))
                    (export "tcp" (instance (type $theirs)))))
                (import "maker" (component $maker (type $wrapped)))
                (instance $made (instantiate $maker))
                (alias export $made "tcp" (instance $tcp))
                (export "tcp" (instance $tcp)))
            (export "inner" (component $inner))
            (import "wasi:sockets/tcp@0.2.6" (instance (type $shape))))"#,
    );
    let tcp = import(&found, "wasi:sockets/tcp@0.2.6");
    assert_eq!(
        (tcp.functions.as_slice(), tcp.resources.as_slice()),
        (
            ["connect".to_owned()].as_slice(),
            ["socket".to_owned()].as_slice()
        )
    );
    assert_eq!(export(&found, "inner").imports[0].name, "maker");
}

#[test]
fn exported_instances_have_functions_however_they_were_made() {
    let found = found(
        r#"(component
            (import "given" (instance $given
                (export "f" (func))
                (export "nested" (instance (export "g" (func))))))
            (alias export $given "nested" (instance $nested))
            (alias export $given "f" (func $f))
            (instance $inline (export "h" (func $f)))
            (component $maker (import "i" (func $i)) (export "j" (func $i)))
            (instance $made (instantiate $maker (with "i" (func $f))))
            (export "from-import" (instance $given))
            (export $renamed "from-alias" (instance $nested))
            (export "from-export" (instance $renamed))
            (export "from-inline" (instance $inline))
            (export "from-component" (instance $made)))"#,
    );
    let functions = |name| export(&found, name).functions.clone();
    assert_eq!(functions("from-alias"), ["g"]);
    assert_eq!(functions("from-export"), ["g"]);
    assert_eq!(functions("from-inline"), ["h"]);
    assert_eq!(functions("from-component"), ["j"]);
    assert_eq!(functions("from-import"), ["f"]);
    assert!(export(&found, "from-import").opaque);
}

#[test]
fn an_instance_in_an_instance_is_not_taken_for_complete() {
    let found = found(
        r#"(component (import "wasi:io/poll@0.2.6" (instance
            (export "sockets" (instance (export "connect" (func)))))))"#,
    );
    let poll = import(&found, "wasi:io/poll@0.2.6");
    assert_eq!((poll.functions.len(), poll.opaque), (0, true));
}

#[test]
fn functions_and_resources_beside_interfaces_are_imports() {
    let found = found(
        r#"(component
            (import "socket" (type $socket (sub resource)))
            (import "[method]socket.connect" (func (param "self" (borrow $socket)))))"#,
    );
    assert_eq!(import(&found, "socket").resources, ["socket"]);
    assert_eq!(
        import(&found, "[method]socket.connect").kind,
        ItemKind::Func
    );
}

#[test]
fn the_same_interface_under_two_names_is_listed_twice() {
    let found = found(
        r#"(component
            (type $shape (instance (export "connect" (func))))
            (import "wasi:sockets/tcp@0.2.6" (instance (type $shape)))
            (import "logger" (instance (type $shape))))"#,
    );
    assert_eq!(names(&found), ["wasi:sockets/tcp@0.2.6", "logger"]);
    assert_eq!(import(&found, "logger").functions, ["connect"]);
}

#[test]
fn names_that_look_like_others_are_themselves() {
    let digest = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    let named = [
        "unlocked-dep=<wasi:sockets/tcp@{>=0.2.0}>".to_owned(),
        "locked-dep=<wasi:sockets/tcp@0.2.6>".to_owned(),
        "url=<https://example.com/tcp.wasm>".to_owned(),
        format!("integrity=<{digest}>"),
        "wasi:SOCKETS/tcp@0.2.6".to_owned(),
    ];
    for name in named {
        let bytes = wasm(&format!(
            r#"(component (import "{name}" (instance (export "f" (func)))))"#
        ));
        let found = inspect(&bytes).unwrap();
        assert_eq!(names(&found), [name.as_str()]);
        let is_wasi = found.imports[0].interface().is_some_and(|interface| {
            interface.namespace == "wasi" && interface.package == "sockets"
        });
        assert!(!is_wasi, "{name}");
    }
    let homoglyph = wasm(r#"(component (import "wаsi:io/poll@0.2.6" (instance)))"#);
    assert!(matches!(
        validate(&homoglyph),
        Err(InspectError::Malformed(_))
    ));
}

#[test]
fn names_in_the_old_spelling_are_read() {
    let new = wasm(r#"(component (import "wasi:sockets/tcp@0.2.6" (func)))"#);
    let at = new.windows(4).position(|bytes| bytes == b"wasi").unwrap() - 2;
    assert_eq!(new[at], 0);
    let mut old = new.clone();
    old[at] = 1;
    assert_eq!(
        inspect(&old).unwrap().imports,
        inspect(&new).unwrap().imports
    );
}

#[test]
fn imports_at_the_end_and_between_code_are_found() {
    let found = found(
        r#"(component
            (core module (func))
            (import "wasi:io/poll@0.2.6" (instance (export "poll" (func))))
            (component (core module (func)))
            (type $t u32) (export "first" (type $t))
            (import "wasi:sockets/tcp@0.2.6" (instance (export "connect" (func)))))"#,
    );
    assert_eq!(
        names(&found),
        ["wasi:io/poll@0.2.6", "wasi:sockets/tcp@0.2.6"]
    );
}

#[test]
fn core_modules_ask_under_any_module_name() {
    for module in [
        "wasi_snapshot_preview1",
        "wasi_unstable",
        "wasix_32v1",
        "env",
        "",
    ] {
        let found = found(&format!(
            r#"(module
                (import "{module}" "sock_send" (func))
                (import "{module}" "sock_send" (func (param i32)))
                (import "{module}" "memory" (memory 1)))"#
        ));
        assert_eq!(found.kind, Kind::CoreModule);
        assert_eq!(names(&found), [module]);
        assert_eq!(found.imports[0].functions, ["memory", "sock_send"]);
        let target = (module == "wasi_snapshot_preview1").then_some(Target::Wasip1);
        assert_eq!(found.target, target);
    }
}

#[test]
fn imports_in_the_compact_encoding_are_imports() {
    let bytes = wasm(
        r#"(module (import "env"
            (item "connect" (func)) (item "listen" (func))))"#,
    );
    let found = inspect(&bytes).unwrap();
    assert_eq!(names(&found), ["env"]);
    assert_eq!(found.imports[0].functions, ["connect", "listen"]);
    assert!(matches!(validate(&bytes), Err(InspectError::Malformed(_))));
}

#[test]
fn only_functions_that_are_there_are_listed() {
    let found = found(
        r#"(component (import "wasi:filesystem/types@0.2.6" (instance
            (export "descriptor" (type $d (sub resource)))
            (export "[method]descriptor.get-flags" (func (param "self" (borrow $d)))))))"#,
    );
    assert_eq!(found.imports[0].functions, ["[method]descriptor.get-flags"]);
}

#[test]
fn a_wit_package_with_code_is_no_wit_package() {
    let section = r#"(@custom "wit-component-encoding" "\04\00")"#;
    assert_eq!(
        found(&format!("(component {section})")).kind,
        Kind::WitPackage
    );
    for code in [
        "(core module)",
        "(component)",
        "(instance)",
        "(core instance)",
        "(type $r (resource (rep i32))) (core func (canon resource.drop $r))",
    ] {
        let disguised = found(&format!("(component {section} {code})"));
        assert_eq!(disguised.kind, Kind::Component, "{code}");
    }
}

#[test]
fn a_section_of_an_unknown_kind_is_refused() {
    for header in [b"\0asm\x0d\0\x01\0", b"\0asm\x01\0\0\0"] {
        let bytes = [header.as_slice(), &[99, 1, 0]].concat();
        assert!(matches!(
            inspect(&bytes),
            Err(InspectError::UnknownSection(99))
        ));
        assert!(matches!(validate(&bytes), Err(InspectError::Malformed(_))));
    }
}

#[test]
fn machine_code_beside_the_code_is_refused() {
    let elf = r"\7fELF\02\01";
    for (name, data) in [
        ("wasmedge", r"\05\00\00\00"),
        ("WasmEdge", ""),
        ("precompiled_wee8_v13.8.258.26_linux_x86_64", "native"),
        ("precompiled_v8_v9.4.146.19_linux_x86_64", "native"),
        ("wavm.precompiled_object", elf),
        ("wamr-aot", r"\00aot"),
        ("note", elf),
        ("note", r"\00aot\03"),
    ] {
        let section = format!(r#"(@custom "{name}" "{data}")"#);
        for text in [
            format!("(module {section})"),
            format!("(component {section})"),
            format!("(component (component (core module {section})))"),
        ] {
            let bytes = wasm(&text);
            let refused = [inspect(&bytes), examine(&bytes, NonZeroUsize::MIN)];
            for refused in refused {
                assert!(
                    matches!(&refused, Err(InspectError::NativeCode(found)) if found == name),
                    "{text}: {refused:?}"
                );
            }
        }
    }
    found(r#"(module (@custom "notes" "\7fEL") (@custom "wasmedge-notes" "none"))"#);
}

#[test]
fn an_unknown_version_of_the_format_is_refused() {
    for header in [
        b"\0asm\x0e\0\x01\0",
        b"\0asm\x02\0\0\0",
        b"\0asm\x01\0\x02\0",
    ] {
        assert!(matches!(inspect(header), Err(InspectError::Malformed(_))));
    }
}

#[test]
fn what_is_appended_is_read_or_refused() {
    let first = wasm("(module)");
    for second in [
        wasm("(module)"),
        wasm(&format!("(component {SOCKETS})")),
        vec![0],
    ] {
        let bytes = [first.clone(), second].concat();
        assert!(matches!(inspect(&bytes), Err(InspectError::Malformed(_))));
    }
}

#[test]
fn padded_numbers_are_read_like_short_ones() {
    // A section of ten bytes with one import, its length written in one byte and in five.
    let import = b"\x01\0\x03abc\x01\x00".as_slice();
    let types = b"\x07\x05\x01\x40\0\x01\0".as_slice();
    let header = b"\0asm\x0d\0\x01\0".as_slice();
    let short = [header, types, &[10, 8], import].concat();
    let padded = [header, types, &[10, 0x88, 0x80, 0x80, 0x80, 0], import].concat();
    assert_eq!(inspect(&short).unwrap().imports[0].name, "abc");
    assert_eq!(
        inspect(&padded).unwrap().imports,
        inspect(&short).unwrap().imports
    );
}

#[test]
fn a_section_that_lies_about_its_length_is_refused() {
    let header = b"\0asm\x0d\0\x01\0".as_slice();
    for length in [&[0xff, 0xff, 0xff, 0xff, 0x0f][..], &[9], &[7], &[0]] {
        let section = b"\x01\0\x03abc\x03\x01".as_slice();
        let bytes = [header, &[10], length, section].concat();
        assert!(inspect(&bytes).is_err(), "{length:?}");
    }
}

#[test]
fn code_that_lies_about_its_length_is_refused() {
    let bytes = wasm("(module (func) (func))");
    let at = bytes.windows(2).position(|pair| pair == [10, 7]).unwrap() + 1;
    for length in [6, 8, 100] {
        let mut lying = bytes.clone();
        lying[at] = length;
        assert!(inspect(&lying).is_err(), "{length}");
    }
}

#[test]
fn ten_thousand_imports_are_ten_thousand() {
    // `wasmparser` instantiates no more than 4,096, and the text parser takes minutes.
    let component = |count: usize| {
        let mut section = Vec::new();
        leb128(count, &mut section);
        for number in 0..count {
            let name = format!("acme:n{number}/i");
            section.extend([0, name.len() as u8]);
            section.extend(name.as_bytes());
            section.extend([5, 0]);
        }
        let mut bytes = b"\0asm\x0d\0\x01\0\x07\x03\x01\x42\0\x0a".to_vec();
        leb128(section.len(), &mut bytes);
        bytes.append(&mut section);
        bytes
    };
    assert_eq!(inspect(&component(10_000)).unwrap().imports.len(), 10_000);
    assert!(matches!(
        inspect(&component(limits::ITEMS + 1)),
        Err(InspectError::TooManyItems)
    ));
}

#[test]
fn nesting_a_thousand_deep_is_refused() {
    let mut bytes = wasm("(component)");
    for _ in 0..1000 {
        let mut outer = b"\0asm\x0d\0\x01\0\x04".to_vec();
        leb128(bytes.len(), &mut outer);
        outer.append(&mut bytes);
        bytes = outer;
    }
    assert!(matches!(inspect(&bytes), Err(InspectError::TooDeep)));
    assert!(examine(&bytes, NonZeroUsize::MIN).is_err());
}

#[test]
fn types_nested_a_thousand_deep_are_refused() {
    let mut bytes = b"\0asm\x0d\0\x01\0\x07".to_vec();
    let types = [b"\x42\x01\x01".repeat(1000), b"\x42\0".to_vec()].concat();
    leb128(types.len() + 1, &mut bytes);
    bytes.push(1);
    bytes.extend(types);
    assert!(matches!(inspect(&bytes), Err(InspectError::Malformed(_))));
}

fn leb128(mut number: usize, into: &mut Vec<u8>) {
    while number >= 0x80 {
        into.push((number % 0x80) as u8 | 0x80);
        number /= 0x80;
    }
    into.push(number as u8);
}

#[test]
fn types_that_unfold_without_end_are_counted() {
    // Ten instances, each of which holds the one before it two hundred times.
    let wide = |before: usize| -> String {
        let export = |number| format!(r#"(export "e{number}" (instance $i{before}))"#);
        (0..200).map(export).collect()
    };
    let mut text = format!(
        r#"(component (component $c {SOCKETS}) (instance $i0 (export "c" (component $c)))"#
    );
    for number in 1..10 {
        text += &format!("(instance $i{number} {})", wide(number - 1));
    }
    text += r#"(export "all" (instance $i9)))"#;
    let found = inspect(&wasm(&text)).unwrap();
    let asked = &export(&found, "all").imports;
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].name, "wasi:sockets/tcp@0.2.6");
    // A type of a thousand functions that is imported a thousand times.
    let functions: String = (0..1000)
        .map(|number| format!(r#"(export "f{number}" (func))"#))
        .collect();
    let imports: String = (0..1000)
        .map(|number| format!(r#"(import "i{number}" (instance (type $t)))"#))
        .collect();
    let many = wasm(&format!(
        "(component (type $t (instance {functions})) {imports})"
    ));
    assert!(matches!(inspect(&many), Err(InspectError::TooManyItems)));
}

#[test]
fn references_to_what_is_not_there_are_not_taken_for_complete() {
    let header = b"\0asm\x0d\0\x01\0".as_slice();
    // (import "abc" (instance (type 4294967295)))
    let import = [
        &[10, 12, 1, 0, 3][..],
        b"abc",
        &[5, 0xff, 0xff, 0xff, 0xff, 0x0f],
    ]
    .concat();
    // (alias outer 4294967295 4294967295 (type))
    let alias = [
        &[6, 13, 1, 3, 2][..],
        &[0xff, 0xff, 0xff, 0xff, 0x0f].repeat(2),
    ]
    .concat();
    let bytes = [header, &alias, &import].concat();
    let found = inspect(&bytes).unwrap();
    assert!(found.imports[0].opaque);
    assert!(validate(&bytes).is_err());
}

#[test]
fn start_functions_are_told() {
    let found = found("(module (func $main) (start $main))");
    assert_eq!(found.starts.len(), 1);
    let bytes = wasm(r#"(component (import "main" (func $main)) (start $main))"#);
    assert_eq!(inspect(&bytes).unwrap().starts.len(), 1);
    assert!(matches!(validate(&bytes), Err(InspectError::Malformed(_))));
}

#[test]
fn a_config_that_says_less_more_or_else_disagrees() {
    let bytes = wasm(&format!("(component {SOCKETS})"));
    let found = inspect(&bytes).unwrap();
    let digest = Digest::of(&bytes);
    let mut config = WasmConfig::describe(&found, digest.clone(), None, None);
    assert_eq!(config.disagreements(&found, &digest), []);
    let undeclared = Disagreement::Undeclared {
        import: "wasi:sockets/tcp@0.2.6".to_owned(),
    };
    let not_there = Disagreement::NotThere {
        import: "wasi:io/poll@0.2.6".to_owned(),
    };
    for (claims, expected) in [
        (vec![], vec![undeclared.clone()]),
        (
            vec!["wasi:io/poll@0.2.6", "wasi:sockets/tcp@0.2.6"],
            vec![not_there.clone()],
        ),
        (vec!["wasi:io/poll@0.2.6"], vec![undeclared, not_there]),
    ] {
        let claim = config.component.as_mut().unwrap();
        claim.imports = claims.into_iter().map(str::to_owned).collect();
        assert_eq!(config.disagreements(&found, &digest), expected);
    }
}

#[test]
fn each_row_of_the_table_names_a_test() {
    let table = include_str!("../../../../docs/evasions.md");
    let own = include_str!("evasions.rs");
    for test in own
        .lines()
        .filter_map(|line| line.strip_prefix("fn ")?.strip_suffix("() {"))
    {
        let is_told = table.contains(&format!("`{test}`"));
        assert!(is_told || test.starts_with("each_row"), "{test}");
    }
}
