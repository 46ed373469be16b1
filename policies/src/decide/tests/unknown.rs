//! Functions that the catalogue does not know, of imports that it does.

use super::*;
use crate::smallest::written;

/// `wasi:io/poll` with a function of its own, as a host may add it or a release of WASI.
const EXEC: &str = r#"(component (import "wasi:io/poll@0.2.13" (instance
    (export "poll" (func))
    (export "exec" (func)))))"#;
const TELEPORT: &str = r#"(component (import "wasi:filesystem/types@0.2.13" (instance
    (export "descriptor" (type $d (sub resource)))
    (export "[method]descriptor.stat" (func (param "self" (borrow $d))))
    (export "[method]descriptor.teleport-at" (func (param "self" (borrow $d)))))))"#;

#[test]
fn a_function_that_the_catalogue_does_not_have_is_refused_like_an_unknown_import() {
    for (wat, allow, function) in [
        (EXEC, "\"std\", \"clocks\"", "exec"),
        (
            TELEPORT,
            "\"std\", \"filesystem-read\", \"filesystem-write\"",
            "[method]descriptor.teleport-at",
        ),
        (
            r#"(module (import "wasi_snapshot_preview1" "fd_write" (func))
                (import "wasi_snapshot_preview1" "sock_open" (func)))"#,
            "\"std\", \"sockets\"",
            "sock_open",
        ),
    ] {
        let kinds = "kinds = [\"component\", \"core-module\"]";
        let decision = on(&policy(&format!("{kinds}\nallow = [{allow}]")), &wasm(wat));
        assert_eq!(codes(&decision), [Code::UnknownImport], "{wat}");
        let finding = &decision.findings[0];
        assert_eq!(finding.functions, [function]);
        assert!(finding.message.contains(&format!("`{function}`")));
        assert!(finding.help.contains("a newer release may have more"));
        // What the finding says to add admits it, and no other function.
        let entry = finding.entry.as_deref().unwrap();
        assert!(finding.help.contains(entry), "{}", finding.help);
        let allow = format!("{kinds}\nallow = [{allow}, {}]", written(entry));
        assert_eq!(verdict(&policy(&allow), &wasm(wat)), Verdict::Admit);
        let other = wat.replace(function, &format!("{function}-too"));
        assert_eq!(verdict(&policy(&allow), &wasm(&other)), Verdict::Deny);
    }
}

#[test]
fn the_finding_says_which_entry_admits_it() {
    let decision = on(&policy("allow = [\"std\"]"), &wasm(EXEC));
    assert_eq!(
        decision.findings[0].message,
        "`wasi:io/poll@0.2.13` has a function `exec`, which is not in the catalogue, and rule `r` \
         does not name it"
    );
    assert_eq!(
        decision.findings[0].entry.as_deref(),
        Some("{ import = \"wasi:io/poll@0.2\", functions = [\"exec\"] }")
    );
}

#[test]
fn a_pattern_for_the_interface_admits_all_of_it() {
    for allow in ["\"wasi:io/poll@0.2\"", "\"std\", \"wasi:io/*\"", "\"*\""] {
        let policy = policy(&format!("allow = [{allow}]"));
        assert_eq!(verdict(&policy, &wasm(EXEC)), Verdict::Admit, "{allow}");
    }
}

#[test]
fn who_denies_the_capability_denies_functions_that_are_not_known_too_and_is_told_once() {
    let denied = "allow = [\"*\"]\ndeny = [\"io-core\"]";
    assert_eq!(
        codes(&on(&policy(denied), &wasm(EXEC))),
        [Code::ImportDenied]
    );
    let alone = EXEC.replace("(export \"poll\" (func))", "");
    assert_eq!(verdict(&policy(denied), &wasm(&alone)), Verdict::Deny);
    let denied = "allow = [\"*\"]\ndeny = [\"filesystem-write\"]";
    assert_eq!(verdict(&policy(denied), &wasm(TELEPORT)), Verdict::Deny);
}

#[test]
fn a_pattern_with_a_star_is_no_entry_for_a_function_of_that_name() {
    let wat = r#"(module (import "wasi:io/poll@0.2.6" "*" (func)))"#;
    let decision = on(
        &policy("kinds = [\"core-module\"]\nallow = [\"std\"]"),
        &wasm(wat),
    );
    assert_eq!(
        decision.findings[0].entry.as_deref(),
        Some("wasi:io/poll@0.2")
    );
}

#[test]
fn what_gives_back_a_handle_is_no_function_of_its_own() {
    let wat = r#"(module
        (import "wasi:io/poll@0.2.6" "[method]pollable.block" (func))
        (import "wasi:io/poll@0.2.6" "[resource-drop]pollable" (func)))"#;
    let policy = policy("kinds = [\"core-module\"]\nallow = [\"std\"]");
    assert_eq!(verdict(&policy, &wasm(wat)), Verdict::Admit);
}

#[test]
fn a_new_version_with_such_a_function_is_new_by_that_function() {
    let rule = policy("allow = [\"*\"]\nnew-capabilities = \"hold\"");
    let before = r#"(component (import "wasi:io/poll@0.2.13" (instance (export "poll" (func)))))"#;
    let mut facts = wasm(EXEC);
    let Content::Wasm { inspection, .. } = wasm(before).content else {
        panic!("expected Wasm");
    };
    facts.previous = Some(crate::facts::Previous {
        tag: None,
        digest: Digest::of(b"before"),
        imports: inspection.imports,
    });
    let decision = on(&rule, &facts);
    assert_eq!(decision.verdict, Verdict::Hold);
    assert_eq!(decision.findings[0].functions, ["exec"]);
    assert!(
        decision.findings[0]
            .message
            .contains("not in the catalogue")
    );
    // The version after it has none that is new, whatever it has of those that are known.
    let Content::Wasm { inspection, .. } = facts.content.clone() else {
        panic!("expected Wasm");
    };
    let mut after = wasm(&EXEC.replace("\"poll\"", "\"poll\" (func)) (export \"ready\""));
    after.previous = Some(crate::facts::Previous {
        tag: None,
        digest: Digest::of(b"before"),
        imports: inspection.imports,
    });
    let decision = on(&rule, &after);
    assert_eq!(decision.findings[0].functions, ["ready"]);
}

#[test]
fn several_are_one_finding_apart_from_imports_that_are_not_known() {
    let wat = r#"(component
        (import "wasi:io/poll@0.2.13" (instance (export "exec" (func))))
        (import "acme:db/query@1.0.0" (instance))
        (import "wasi:cli/exit@0.2.13" (instance (export "leave" (func)))))"#;
    let decision = on(&policy("allow = [\"std\"]"), &wasm(wat)).grouped();
    let messages: Vec<&str> = decision
        .findings
        .iter()
        .map(|it| it.message.as_str())
        .collect();
    assert_eq!(
        messages,
        [
            "2 imports have functions that are not in the catalogue, and rule `r` does not name them",
            "`acme:db/query@1.0.0` is not in the catalogue, and rule `r` does not name it",
        ]
    );
}
