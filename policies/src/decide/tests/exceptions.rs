//! What passes for a while, by function only, and what is new.

use jiff::civil::{Date, date};

use super::*;
use crate::facts::Previous;

const EXCEPTION: &str = "[[exception]]\nrepositories = [\"team/*\"]\nallow = [\"sockets\", \"dns\"]\n\
                         reason = \"PAY-1\"\nexpires = 2027-03-01\n";

fn codes_on(policy: &Policy, facts: &Facts, today: Date) -> Vec<Code> {
    codes(&decide(policy, facts, today))
}

#[test]
fn an_exception_lets_pass_until_its_end_and_says_so_before() {
    let rule = policy(&format!(
        "allow = [\"std\", \"filesystem-inert\"]\ndeny = [\"dns\"]\n{EXCEPTION}"
    ));
    let facts = wasm(SOCKETS);
    assert_eq!(codes_on(&rule, &facts, date(2026, 11, 21)), []);
    assert_eq!(codes_on(&rule, &facts, date(2027, 1, 29)), []);
    // One warning for the exception, not for each of its imports.
    assert_eq!(
        codes_on(&rule, &facts, date(2027, 1, 30)),
        [Code::ExceptionExpires]
    );
    assert_eq!(
        codes_on(&rule, &facts, date(2027, 3, 1)),
        [Code::ExceptionExpires]
    );
    let ended = decide(&rule, &facts, date(2027, 3, 2));
    let expected = [
        Code::ImportNotAllowed,
        Code::ImportNotAllowed,
        Code::ImportDenied,
    ];
    assert_eq!(codes(&ended), expected);
    let help = &ended.findings[0].help;
    assert!(
        help.contains("(`PAY-1`) ended with 2027-03-01 (p.toml:11:11)"),
        "{help}"
    );
    assert_eq!(
        rule.next_change(date(2026, 11, 21)),
        Some(date(2027, 1, 30))
    );
    assert_eq!(rule.next_change(date(2027, 1, 30)), Some(date(2027, 3, 2)));
    assert_eq!(rule.next_change(date(2027, 3, 2)), None);
}

#[test]
fn an_exception_is_for_its_repositories_and_digests_only() {
    let other = EXCEPTION.replace("team/*", "other/*");
    let digest = Digest::of(b"manifest");
    let mine = EXCEPTION.replace("allow", &format!("digests = [\"{digest}\"]\nallow"));
    let theirs = mine.replace(&digest.to_string(), &Digest::of(b"x").to_string());
    for (exception, expected) in [
        (EXCEPTION, Verdict::Admit),
        (&other, Verdict::Deny),
        (&mine, Verdict::Admit),
        (&theirs, Verdict::Deny),
    ] {
        let rule = policy(&format!(
            "allow = [\"std\", \"filesystem-inert\"]\n{exception}"
        ));
        assert_eq!(verdict(&rule, &wasm(SOCKETS)), expected, "{exception}");
    }
}

#[test]
fn what_is_denied_everywhere_no_exception_loosens() {
    let text =
        format!("schema = 1\ndefault = \"allow\"\n{EXCEPTION}[always]\ndeny = [\"sockets\"]\n");
    let policy = Policy::parse("p.toml", &text).unwrap();
    assert_eq!(codes(&on(&policy, &wasm(SOCKETS))), [Code::ImportDenied; 2]);
}

#[test]
fn an_entry_with_functions_is_for_these_only() {
    let open = "[\"[method]descriptor.open-at\", \"descriptor.write*\"]";
    let allow = |functions: &str| {
        policy(&format!(
            "allow = [{{ import = \"wasi:filesystem/types@0.2\", functions = {functions} }}]"
        ))
    };
    assert_eq!(verdict(&allow(open), &wasm(FILES)), Verdict::Admit);
    let decision = on(&allow("[\"descriptor.open-at\"]"), &wasm(FILES));
    assert_eq!(capabilities(&decision), ["filesystem-write"]);
    let deny = |functions: &str| {
        policy(&format!(
            "allow = [\"*\"]\ndeny = [{{ import = \"wasi:filesystem/types\", functions = {functions} }}]"
        ))
    };
    let decision = on(&deny("[\"descriptor.open-at\"]"), &wasm(FILES));
    assert_eq!(codes(&decision), [Code::ImportDenied]);
    assert_eq!(
        decision.findings[0].functions,
        ["[method]descriptor.open-at"]
    );
    let message = "`wasi:filesystem/types@0.2.6` has functions of `wasi:filesystem/types`, which \
                   rule `r` denies";
    assert_eq!(decision.findings[0].message, message);
    assert_eq!(
        verdict(&deny("[\"descriptor.unlink-file-at\"]"), &wasm(FILES)),
        Verdict::Admit
    );
}

#[test]
fn functions_that_are_not_known_are_the_ones_that_are_denied() {
    let mut facts = wasm(FILES);
    if let Content::Wasm { inspection, .. } = &mut facts.content {
        inspection.imports[0].opaque = true;
    }
    let entry =
        "{ import = \"wasi:filesystem/types\", functions = [\"descriptor.unlink-file-at\"] }";
    let deny = policy(&format!("allow = [\"*\"]\ndeny = [{entry}]"));
    assert_eq!(codes(&on(&deny, &facts)), [Code::ImportDenied]);
    let allow = policy("allow = [{ import = \"wasi:filesystem/types\", functions = [\"*\"] }]");
    assert_eq!(verdict(&allow, &facts), Verdict::Deny);
}

#[test]
fn what_the_version_before_could_not_is_new() {
    let after = |before: &str| {
        let Content::Wasm { inspection, .. } = wasm(before).content else {
            panic!("expected Wasm");
        };
        Facts {
            previous: Some(Previous {
                tag: Some("v1".parse().unwrap()),
                digest: Digest::of(b"before"),
                imports: inspection.imports,
            }),
            ..wasm(SOCKETS)
        }
    };
    let rule = |novelty: &str, more: &str| {
        policy(&format!(
            "allow = [\"*\"]\nnew-capabilities = \"{novelty}\"\n{more}"
        ))
    };
    for (novelty, expected) in [
        ("allow", Verdict::Admit),
        ("warn", Verdict::Admit),
        ("hold", Verdict::Hold),
        ("deny", Verdict::Deny),
    ] {
        assert_eq!(
            verdict(&rule(novelty, ""), &after(HELLO)),
            expected,
            "{novelty}"
        );
    }
    let decision = on(&rule("hold", ""), &after(HELLO));
    assert_eq!(
        capabilities(&decision),
        ["exit", "sockets", "dns", "filesystem-inert"]
    );
    let message = "`wasi:sockets/tcp@0.2.6` asks for `sockets`, which `v1` did not";
    assert_eq!(decision.findings[1].message, message);
    // Of a first version, and of the same again, nothing is new.
    assert_eq!(codes(&on(&rule("deny", ""), &wasm(SOCKETS))), []);
    assert_eq!(codes(&on(&rule("deny", ""), &after(SOCKETS))), []);
    // Who could read files could see directories.
    let files = FILES.replace("descriptor.write-via-stream", "descriptor.get-type");
    let decision = on(&rule("deny", ""), &after(&files));
    assert_eq!(capabilities(&decision), ["exit", "sockets", "dns"]);
    // An exception for it lets it pass.
    let excepted = EXCEPTION.replace("\"dns\"", "\"dns\", \"std\", \"filesystem-inert\"");
    assert_eq!(codes(&on(&rule("deny", &excepted), &after(HELLO))), []);
    // One for a single import leaves another of the same capability new.
    let single = EXCEPTION.replace("\"sockets\"", "\"wasi:sockets/tcp\"");
    let decision = on(&rule("deny", &single), &after(HELLO));
    assert_eq!(
        decision.findings[1].import.as_deref(),
        Some("wasi:sockets/udp@0.2.6")
    );
    // What is refused for itself is not named again.
    let decision = on(
        &rule("hold", "deny = [\"sockets\", \"dns\"]"),
        &after(HELLO),
    );
    let new = decision
        .findings
        .iter()
        .filter(|it| it.code == Code::NewCapability);
    assert_eq!(new.count(), 2);
}

#[test]
fn an_import_that_nobody_knows_is_new_by_its_name() {
    let before = |version: &str| {
        let wat = format!(r#"(component (import "acme:db/query@{version}" (instance)))"#);
        let Content::Wasm { inspection, .. } = wasm(&wat).content else {
            panic!("expected Wasm");
        };
        let digest = Digest::of(b"before");
        let imports = inspection.imports;
        Some(Previous {
            tag: None,
            digest,
            imports,
        })
    };
    let rule = policy("allow = [\"*\"]\nnew-capabilities = \"deny\"");
    let wat = r#"(component (import "acme:db/query@1.2.0" (instance)))"#;
    let facts = |previous| Facts {
        previous,
        ..wasm(wat)
    };
    assert_eq!(verdict(&rule, &facts(before("1.0.0"))), Verdict::Admit);
    assert_eq!(verdict(&rule, &facts(before("2.0.0"))), Verdict::Deny);
}

#[test]
fn a_function_is_denied_whatever_else_is_imported() {
    let files = |functions: &[&str]| {
        let function = |name: &&str| {
            format!(r#"(export "[method]descriptor.{name}" (func (param "self" (borrow $d))))"#)
        };
        let functions: String = functions.iter().map(function).collect();
        wasm(&format!(
            r#"(component (import "wasi:filesystem/types@0.2.6" (instance
                (export "descriptor" (type $d (sub resource))) {functions})))"#
        ))
    };
    let rule = policy(
        "allow = [\"filesystem-read\"]\n\
         deny = [{ import = \"filesystem-inert\", functions = [\"descriptor.stat\"] }]",
    );
    assert_eq!(verdict(&rule, &files(&["open-at"])), Verdict::Admit);
    assert_eq!(verdict(&rule, &files(&["stat"])), Verdict::Deny);
    let both = on(&rule, &files(&["open-at", "stat"]));
    assert_eq!(both.verdict, Verdict::Deny);
    assert_eq!(both.findings[0].functions, ["[method]descriptor.stat"]);
    // A list of what is allowed is of all functions too.
    let rule =
        policy("allow = [{ import = \"filesystem-read\", functions = [\"descriptor.open-at\"] }]");
    assert_eq!(verdict(&rule, &files(&["open-at"])), Verdict::Admit);
    assert_eq!(verdict(&rule, &files(&["open-at", "stat"])), Verdict::Deny);
}

#[test]
fn brackets_make_another_function_where_there_is_no_interface() {
    let module = |field: &str| wasm(&format!("(module (import \"env\" \"{field}\" (func)))"));
    let allowed = policy("allow = [{ import = \"=env\", functions = [\"log\"] }]");
    assert_eq!(codes(&on(&allowed, &module("log"))), []);
    // A host that knows such names is asked for something else.
    let refused = on(&allowed, &module("[method]log"));
    assert_eq!(codes(&refused), [Code::UnknownImport]);
    let written = policy("allow = [{ import = \"=env\", functions = [\"[method]log\"] }]");
    assert_eq!(codes(&on(&written, &module("[method]log"))), []);
    assert_eq!(codes(&on(&written, &module("log"))), [Code::UnknownImport]);
    let denied = "allow = [\"*\"]\ndeny = [{ import = \"=env\", functions = [\"[method]log\"] }]";
    assert_eq!(
        codes(&on(&policy(denied), &module("[method]log"))),
        [Code::ImportDenied]
    );
}

#[test]
fn brackets_do_not_make_a_function_of_preview1_harmless() {
    let facts = wasm(r#"(module (import "wasi_snapshot_preview1" "[method]random_get" (func)))"#);
    let only_random = policy("allow = [\"random\"]");
    assert!(codes(&on(&only_random, &facts)).contains(&Code::ImportNotAllowed));
}

#[test]
fn of_many_findings_the_worst_are_kept_and_the_others_counted() {
    use std::fmt::Write as _;
    let mut text = String::from("(component");
    for number in 0..3_000 {
        write!(text, "(import \"acme:p{number}/x\" (instance))").unwrap();
    }
    text += "(import \"wasi:sockets/tcp-create-socket@0.2.6\" (instance (export \"create-tcp-socket\" (func)))))";
    let watches = policy("mode = \"audit\"");
    let decision = on(&watches, &wasm(&text));
    assert_eq!((decision.findings.len(), decision.more), (1_000, 2_001));
    let codes: BTreeSet<Code> = codes(&decision).into_iter().collect();
    // One of each kind is there, also of those that come last.
    assert_eq!(
        codes,
        BTreeSet::from([Code::ImportNotAllowed, Code::UnknownImport])
    );
    assert_eq!(decision.verdict, Verdict::Admit);
}
