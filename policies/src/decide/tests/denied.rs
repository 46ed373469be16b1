//! What is denied under other names, in other spellings and by way of other code; and that none
//! of it costs more than it is worth.

use super::*;
use crate::facts::Previous;

fn denying(what: &str) -> Policy {
    policy(&format!("allow = [\"*\"]\ndeny = [{what}]"))
}

/// A component that asks for one function of `interface`.
fn asking(interface: &str, function: &str) -> Facts {
    wasm(&format!(
        r#"(component (import "{interface}" (instance (export "{function}" (func)))))"#
    ))
}

/// A core module that imports these fields.
fn module(imports: &[(&str, &str)]) -> Facts {
    let import =
        |(module, field): &(&str, &str)| format!(r#"(import "{module}" "{field}" (func))"#);
    let imports: String = imports.iter().map(import).collect();
    wasm(&format!("(module {imports})"))
}

#[test]
fn brackets_before_a_name_do_not_get_past_what_is_denied() {
    let files = "wasi:filesystem/types@0.2.6";
    let denied = denying(
        "{ import = \"wasi:filesystem/types\", functions = [\"descriptor.unlink-file-at\"] }",
    );
    for (brackets, expected) in [
        ("", Verdict::Deny),
        ("[method]", Verdict::Deny),
        ("[async-lower][method]", Verdict::Deny),
        ("[async][async-lower][method]", Verdict::Deny),
    ] {
        let facts = module(&[(files, &format!("{brackets}descriptor.unlink-file-at"))]);
        assert_eq!(verdict(&denied, &facts), expected, "{brackets}");
    }
    let other = module(&[(files, "[async-lower][method]descriptor.stat")]);
    assert_eq!(verdict(&denied, &other), Verdict::Admit);
}

#[test]
fn letters_of_another_size_do_not_get_past_what_is_denied() {
    let function = "{ import = \"acme:db/query\", functions = [\"drop-table\"] }";
    for name in ["drop-table", "DROP-TABLE"] {
        let facts = asking("acme:db/query@1.0.0", name);
        assert_eq!(verdict(&denying(function), &facts), Verdict::Deny, "{name}");
        // What is allowed is allowed as it is written.
        let allowed = policy(&format!("allow = [{function}]"));
        let expected = if name == "drop-table" {
            Verdict::Admit
        } else {
            Verdict::Deny
        };
        assert_eq!(verdict(&allowed, &facts), expected, "{name}");
    }
    let harmless = asking("acme:db/query@1.0.0", "get");
    assert_eq!(verdict(&denying(function), &harmless), Verdict::Admit);
    for (pattern, import, expected) in [
        ("acme:db/query", "acme:db/QUERY", Verdict::Deny),
        ("acme:*", "ACME:db/query", Verdict::Deny),
        ("acme:db/*@1", "Acme:Db/query@1.2.0", Verdict::Deny),
        ("acme:db/*@1", "acme:db/query@2.0.0", Verdict::Admit),
        ("acme:db/query", "cm32p2|acme:db/query@1.0", Verdict::Deny),
        ("=env", "ENV", Verdict::Deny),
        ("=env", "environment", Verdict::Admit),
    ] {
        let facts = module(&[(import, "f")]);
        let policy = denying(&format!("\"{pattern}\""));
        assert_eq!(verdict(&policy, &facts), expected, "{pattern} {import}");
        let allowing = self::policy(&format!("allow = [\"{pattern}\"]"));
        if expected == Verdict::Deny {
            assert_eq!(verdict(&allowing, &facts), Verdict::Deny, "{import}");
        }
    }
}

#[test]
fn who_denies_a_capability_denies_it_under_names_that_are_not_known() {
    for (denied, import, function) in [
        ("filesystem-write", "wasi_unstable", "path_unlink_file"),
        (
            "filesystem-write",
            "WASI_SNAPSHOT_PREVIEW1",
            "path_unlink_file",
        ),
        ("filesystem-inert", "wasi_unstable", "path_unlink_file"),
        ("sockets", "wasix_32v1", "sock_open"),
        ("dns", "wasix_64v1", "resolve"),
        ("sockets", "cm32p2|wasi:sockets/tcp@0.2", "x"),
        ("sockets", "wasi:sockets/tcp@0.4.0", "x"),
        ("sockets", "wasi:sockets/tcp", "x"),
        ("http-outgoing", "wasi_experimental_http", "req"),
        ("nn", "wasi_ephemeral_nn", "load"),
        ("std", "wasi:cli/exit@0.9.0", "exit"),
    ] {
        let facts = module(&[(import, function)]);
        let decision = on(&denying(&format!("\"{denied}\"")), &facts);
        assert_eq!(decision.verdict, Verdict::Deny, "{denied} {import}");
        assert_eq!(codes(&decision), [Code::ImportDenied], "{denied} {import}");
        // No capability admits what only looks like it.
        let allowed = policy(&format!("allow = [\"{denied}\"]"));
        assert_eq!(codes(&on(&allowed, &facts)), [Code::UnknownImport]);
    }
    let decision = on(
        &denying("\"sockets\""),
        &module(&[("wasix_32v1", "sock_open")]),
    );
    let message = "`wasix_32v1` looks like `sockets`, which rule `r` denies";
    assert_eq!(decision.findings[0].message, message);
    let component = asking("wasi:sockets/tcp@0.2.0-rc-2023-11-10", "start-connect");
    assert_eq!(verdict(&denying("\"sockets\""), &component), Verdict::Deny);
    // Functions that are the same are judged as such, and others' names are their own.
    for (denied, import, function) in [
        ("filesystem-write", "wasi_unstable", "fd_write"),
        ("sockets", "wasi_unstable", "path_open"),
        ("sockets", "acme:sockets/tcp", "x"),
        ("sockets", "env", "sock_open"),
    ] {
        let facts = module(&[(import, function)]);
        let policy = denying(&format!("\"{denied}\""));
        assert_eq!(
            verdict(&policy, &facts),
            Verdict::Admit,
            "{denied} {import}"
        );
    }
    let opened = module(&[
        ("wasi_unstable", "path_open"),
        ("wasi_unstable", "fd_write"),
    ]);
    assert_eq!(
        verdict(&denying("\"filesystem-write\""), &opened),
        Verdict::Deny
    );
}

#[test]
fn what_one_exported_module_opens_another_can_write_to() {
    let facts = wasm(
        r#"(component
            (core module $a (import "wasi_snapshot_preview1" "path_open" (func)))
            (core module $b (import "wasi_snapshot_preview1" "fd_pwrite" (func)))
            (export "a" (core module $a)) (export "b" (core module $b)))"#,
    );
    let policy = denying("\"filesystem-write\"");
    assert_eq!(codes(&on(&policy, &facts)), [Code::ImportDenied]);
    let Content::Wasm { inspection, .. } = &facts.content else {
        panic!("expected Wasm");
    };
    let used = crate::capabilities(inspection);
    assert!(used.iter().any(|it| it.capability == "filesystem-write"));
    let before = Facts {
        previous: Some(Previous {
            tag: None,
            digest: Digest::of(b"before"),
            imports: Vec::new(),
        }),
        ..facts
    };
    let new = self::policy("allow = [\"*\"]\nnew-capabilities = \"deny\"");
    assert!(capabilities(&on(&new, &before)).contains(&"filesystem-write"));
}

#[test]
fn functions_of_what_is_not_known_are_new_one_by_one() {
    let rule = policy("allow = [\"*\"]\nnew-capabilities = \"deny\"");
    let query = |functions: &[&str]| {
        let export = |name: &&str| format!(r#"(export "{name}" (func))"#);
        let functions: String = functions.iter().map(export).collect();
        wasm(&format!(
            r#"(component (import "acme:db/query@1.2.0" (instance {functions})))"#
        ))
    };
    let after = |before: Facts, now: Facts| {
        let Content::Wasm { inspection, .. } = before.content else {
            panic!("expected Wasm");
        };
        Facts {
            previous: Some(Previous {
                tag: None,
                digest: Digest::of(b"before"),
                imports: inspection.imports,
            }),
            ..now
        }
    };
    let grown = after(query(&["get"]), query(&["drop", "get"]));
    let decision = on(&rule, &grown);
    assert_eq!(codes(&decision), [Code::NewCapability]);
    assert_eq!(decision.findings[0].functions, ["drop"]);
    let shrunk = after(query(&["drop", "get"]), query(&["get"]));
    assert_eq!(verdict(&rule, &shrunk), Verdict::Admit);
    let mut opaque = after(query(&["get"]), query(&["get"]));
    assert_eq!(verdict(&rule, &opaque), Verdict::Admit);
    if let Content::Wasm { inspection, .. } = &mut opaque.content {
        inspection.imports[0].opaque = true;
    }
    assert_eq!(verdict(&rule, &opaque), Verdict::Deny);
}

#[test]
fn a_function_that_is_imported_by_itself_is_held_against_its_own_name() {
    let facts = wasm(r#"(component (import "log" (func)))"#);
    let entry = |function: &str| format!("{{ import = \"=log\", functions = [\"{function}\"] }}");
    for (function, is_meant) in [("log", true), ("other", false)] {
        let allowing = policy(&format!("allow = [{}]", entry(function)));
        assert_eq!(verdict(&allowing, &facts) == Verdict::Admit, is_meant);
        let denying = denying(&entry(function));
        assert_eq!(verdict(&denying, &facts) == Verdict::Deny, is_meant);
    }
}

#[test]
fn what_must_be_exported_can_be_called() {
    let rule = policy("allow = [\"*\"]\nrequire-exports = [\"wasi:http/incoming-handler\"]");
    let exporting = |functions: &str| {
        wasm(&format!(
            r#"(component
                (core module $m (func (export "f")))
                (core instance $c (instantiate $m))
                (func $f (canon lift (core func $c "f")))
                (instance $i {functions})
                (export "wasi:http/incoming-handler@0.2.6" (instance $i)))"#
        ))
    };
    for (facts, expected) in [
        (exporting(r#"(export "handle" (func $f))"#), Verdict::Admit),
        (exporting(r#"(export "other" (func $f))"#), Verdict::Deny),
        (exporting(""), Verdict::Deny),
        (
            wasm(r#"(module (memory (export "wasi:http/incoming-handler@0.2.6") 1))"#),
            Verdict::Deny,
        ),
    ] {
        assert_eq!(verdict(&rule, &facts), expected);
    }
}

#[test]
fn a_module_that_is_exported_a_hundred_times_is_judged_once() {
    let export = |number| format!("(export \"m{number}\" (core module $m))");
    let exports: String = (0..100).map(export).collect();
    let facts = wasm(&format!(
        "(component (core module $m (import \"env\" \"f\" (func))) {exports})"
    ));
    let decision = on(&policy("allow = [\"std\"]"), &facts);
    assert_eq!(codes(&decision), [Code::UnknownImport]);
    assert_eq!(decision.more, 0);
}

#[test]
fn long_names_and_many_functions_do_not_make_large_decisions() {
    let fields: Vec<(&str, String)> = (0..3_000).map(|it| ("env", format!("f{it}"))).collect();
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, it)| (*name, it.as_str()))
        .collect();
    let decision = on(&policy("allow = []"), &module(&fields));
    let functions = &decision.findings[0].functions;
    assert_eq!(
        (functions.len(), functions[1000].as_str()),
        (1001, "… 2000 more")
    );
    let names: Vec<String> = (0..200)
        .map(|it| format!("{it}{}", "x".repeat(50_000)))
        .collect();
    let imports: Vec<_> = names.iter().map(|name| (name.as_str(), "f")).collect();
    let decision = on(&policy("allow = []"), &module(&imports));
    assert!(serde_json::to_vec(&decision).unwrap().len() < 5 << 20);
    assert!(decision.findings.len() > 10, "{}", decision.findings.len());
    assert_eq!(decision.findings.len() + decision.more, 200);
}

#[test]
fn findings_share_what_their_rule_allows() {
    let imports: Vec<String> = (0..50)
        .map(|number| format!(r#"(import "acme:p{number}/x" (instance))"#))
        .collect();
    let facts = wasm(&format!("(component {})", imports.join("")));
    let decision = on(&policy("allow = [\"std\", \"random\"]"), &facts);
    let lists = decision.findings.iter().map(|it| it.allowed.as_ptr());
    assert_eq!(lists.collect::<BTreeSet<_>>().len(), 1);
    assert_eq!(*decision.findings[0].allowed, ["std", "random"]);
}
