mod demands;
mod denied;
mod exceptions;
mod unknown;

use std::collections::{BTreeMap, BTreeSet};

use wasmport_artifact::{Digest, Disagreement, Tag, inspect, media_type};

use super::*;
use crate::decision::{Decision, Verdict};
use crate::facts::{Content, TagFacts};

/// What a program with a `TcpStream` imports, in part.
const SOCKETS: &str = r#"(component
    (import "wasi:cli/exit@0.2.6" (instance (export "exit" (func))))
    (import "wasi:sockets/tcp@0.2.6" (instance
        (export "tcp-socket" (type $s (sub resource)))
        (export "[method]tcp-socket.start-connect" (func (param "self" (borrow $s))))))
    (import "wasi:sockets/udp@0.2.6" (instance))
    (import "wasi:sockets/ip-name-lookup@0.2.6" (instance (export "resolve-addresses" (func))))
    (import "wasi:filesystem/types@0.2.6" (instance (export "filesystem-error-code" (func)))))"#;
const FILES: &str = r#"(component
    (import "wasi:filesystem/types@0.2.6" (instance
        (export "descriptor" (type $d (sub resource)))
        (export "[method]descriptor.open-at" (func (param "self" (borrow $d))))
        (export "[method]descriptor.write-via-stream" (func (param "self" (borrow $d)))))))"#;
const CUSTOM: &str = r#"(component
    (import "acme:db/query@1.2.0" (instance (export "run" (func))))
    (import "log" (func)))"#;
const HELLO: &str =
    r#"(component (import "wasi:cli/stdout@0.2.6" (instance (export "get-stdout" (func)))))"#;

fn wasm(wat: &str) -> Facts {
    let bytes = wat::parse_str(wat).unwrap();
    facts(Content::Wasm {
        inspection: Box::new(inspect(&bytes).unwrap()),
        disagreements: Vec::new(),
    })
}

fn facts(content: Content) -> Facts {
    Facts {
        repository: "team/app".parse().unwrap(),
        tags: Vec::new(),
        digest: Digest::of(b"manifest"),
        media_type: None,
        subject: None,
        artifact_type: None,
        layers: Vec::new(),
        size: Some(0),
        content,
        annotations: BTreeMap::new(),
        signed_by: BTreeSet::new(),
        attestations: Vec::new(),
        unread: 0,
        previous: None,
        pushed_by: None,
    }
}

/// Decides on a day on which nothing of these policies begins or ends.
fn on(policy: &Policy, facts: &Facts) -> Decision {
    decide(policy, facts, jiff::civil::date(2026, 11, 21))
}

fn policy(rule: &str) -> Policy {
    let text = format!("schema = 1\n[[rule]]\nid = \"r\"\nrepositories = [\"**\"]\n{rule}\n");
    Policy::parse("p.toml", &text).unwrap()
}

fn preset(name: &str) -> Policy {
    Policy::preset(name).unwrap()
}

fn codes(decision: &Decision) -> Vec<Code> {
    decision
        .findings
        .iter()
        .map(|finding| finding.code)
        .collect()
}

fn capabilities(decision: &Decision) -> Vec<&str> {
    let findings = decision.findings.iter();
    findings
        .filter_map(|finding| finding.capability.as_deref())
        .collect()
}

fn verdict(policy: &Policy, facts: &Facts) -> Verdict {
    on(policy, facts).verdict
}

#[test]
fn standard_admits_hello_and_refuses_what_reaches_further() {
    assert_eq!(verdict(&preset("standard"), &wasm(HELLO)), Verdict::Admit);
    let decision = on(&preset("standard"), &wasm(SOCKETS));
    assert_eq!(decision.verdict, Verdict::Deny);
    assert_eq!(capabilities(&decision), ["sockets", "sockets", "dns"]);
    let decision = on(&preset("standard"), &wasm(FILES));
    assert_eq!(
        capabilities(&decision),
        ["filesystem-read", "filesystem-write"]
    );
    let functions: Vec<_> = decision
        .findings
        .iter()
        .map(|it| it.functions.clone())
        .collect();
    assert_eq!(functions[0], ["[method]descriptor.open-at"]);
    assert_eq!(functions[1], ["[method]descriptor.write-via-stream"]);
}

#[test]
fn a_finding_says_what_where_and_what_to_do() {
    let decision = on(&policy("allow = [\"std\"]"), &wasm(SOCKETS));
    let finding = &decision.findings[0];
    assert_eq!(finding.code, Code::ImportNotAllowed);
    assert_eq!(finding.rule.as_deref(), Some("r"));
    assert_eq!(finding.place.as_ref().unwrap().to_string(), "p.toml:5:9");
    assert_eq!(finding.import.as_deref(), Some("wasi:sockets/tcp@0.2.6"));
    assert_eq!(finding.functions, ["[method]tcp-socket.start-connect"]);
    assert_eq!(*finding.allowed, ["std"]);
    assert!(finding.help.contains("`std::net`"), "{}", finding.help);
    assert!(
        finding
            .help
            .ends_with("add `\"sockets\"` to `allow` of rule `r`")
    );
}

#[test]
fn following_the_help_admits_the_artifact() {
    for wat in [SOCKETS, FILES, CUSTOM, HELLO] {
        let decision = on(&policy("allow = []"), &wasm(wat));
        assert_eq!(decision.verdict, Verdict::Deny);
        let entries = decision.findings.iter().map(|finding| {
            let entry = finding.help.split("add `").nth(1).unwrap();
            entry.split('`').next().unwrap()
        });
        let allow = entries.collect::<Vec<_>>().join(", ");
        let decision = on(&policy(&format!("allow = [{allow}]")), &wasm(wat));
        assert_eq!(decision.verdict, Verdict::Admit, "{allow}");
    }
}

#[test]
fn what_std_imports_is_named_as_such() {
    let decision = on(&preset("pure"), &wasm(HELLO));
    let help = &decision.findings[0].help;
    assert!(
        help.starts_with("Rust's standard library imports it"),
        "{help}"
    );
    assert!(help.contains("add `\"std\"`"), "{help}");
}

#[test]
fn unknown_imports_are_admitted_by_name_only() {
    let decision = on(&policy("allow = [\"std\", \"sockets\"]"), &wasm(CUSTOM));
    assert_eq!(codes(&decision), [Code::UnknownImport, Code::UnknownImport]);
    let admitting = "allow = [\"acme:db/*\", \"=log\"]";
    assert_eq!(verdict(&policy(admitting), &wasm(CUSTOM)), Verdict::Admit);
    let defined = "allow = [\"db\"]\n[capability.db]\nimports = [\"acme:db/query@1\", \"=log\"]";
    assert_eq!(verdict(&policy(defined), &wasm(CUSTOM)), Verdict::Admit);
}

#[test]
fn an_interface_of_another_track_is_unknown_and_the_known_ones_are_named() {
    let wat = r#"(component (import "wasi:io/poll@0.2.0-rc-2023-11-10" (instance)))"#;
    let decision = on(&preset("standard"), &wasm(wat));
    assert_eq!(codes(&decision), [Code::UnknownImport]);
    assert!(decision.findings[0].help.contains("tracks of 0.2.0 only"));
}

#[test]
fn a_core_modules_imports_are_judged_by_function() {
    let wat = r#"(module
        (import "wasi_snapshot_preview1" "fd_write" (func))
        (import "wasi_snapshot_preview1" "sock_accept" (func))
        (import "env" "sock_accept" (func)))"#;
    let decision = on(&preset("standard"), &wasm(wat));
    assert_eq!(
        codes(&decision),
        [Code::UnknownImport, Code::ImportNotAllowed]
    );
    assert_eq!(decision.findings[1].functions, ["sock_accept"]);
}

#[test]
fn a_label_does_not_hide_what_it_implements() {
    let wat = r#"(component (import "log" (implements "wasi:sockets/tcp@0.2.6") (instance)))"#;
    let decision = on(&policy("allow = [\"=log\"]"), &wasm(wat));
    assert_eq!(capabilities(&decision), ["sockets"]);
}

#[test]
fn an_import_whose_functions_are_not_known_is_all_that_it_might_be() {
    let mut facts = wasm(r#"(component (import "wasi:filesystem/types@0.2.6" (instance)))"#);
    assert_eq!(verdict(&preset("standard"), &facts), Verdict::Admit);
    let Content::Wasm { inspection, .. } = &mut facts.content else {
        panic!("expected Wasm");
    };
    inspection.imports[0].opaque = true;
    let decision = on(&preset("standard"), &facts);
    // And it may have functions that nobody has described.
    assert_eq!(
        capabilities(&decision),
        ["filesystem-read", "filesystem-write", "custom"]
    );
}

#[test]
fn exported_code_of_which_nothing_is_known_is_refused() {
    let policy = policy("allow = [\"a:b/c\"]");
    let given = r#"(import "a:b/c" (instance $i (export "m" (core module))))"#;
    for export in [
        r#"(export "x" (core module $i "m"))"#,
        r#"(export "x" (instance $i))"#,
    ] {
        let decision = on(&policy, &wasm(&format!("(component {given} {export})")));
        assert_eq!(decision.verdict, Verdict::Deny, "{export}");
        let codes: Vec<_> = decision.findings.iter().map(|found| found.code).collect();
        assert_eq!(codes, [Code::UnsupportedImportKind], "{export}");
    }
    let honest = wasm(&format!("(component {given})"));
    assert_eq!(verdict(&policy, &honest), Verdict::Admit);
}

#[test]
fn what_exported_code_would_import_is_judged_like_imports() {
    let facts = wasm(
        r#"(component
            (component $inner
                (import "wasi:filesystem/types@0.2.6" (instance
                    (export "[method]descriptor.open-at" (func)))))
            (instance $tools (export "inner" (component $inner)))
            (export "tools" (instance $tools)))"#,
    );
    let decision = on(&preset("standard"), &facts);
    assert_eq!(decision.verdict, Verdict::Deny);
    assert!(capabilities(&decision).contains(&"filesystem-read"));
}

#[test]
fn imports_of_modules_components_and_values_are_refused_by_every_policy() {
    let wat = r#"(component (import "m" (core module)) (import "c" (component)))"#;
    for name in Policy::preset_names() {
        let decision = on(&preset(name), &wasm(wat));
        assert_eq!(decision.verdict, Verdict::Deny);
        assert_eq!(codes(&decision), [Code::UnsupportedImportKind; 2]);
    }
}

#[test]
fn lies_and_what_cannot_be_read_are_refused_by_every_policy_even_in_audit_mode() {
    let mut lying = wasm(HELLO);
    if let Content::Wasm { disagreements, .. } = &mut lying.content {
        disagreements.push(Disagreement::LayerDigests);
    }
    let reason = "broken".to_owned();
    let unreadable = facts(Content::Unreadable { reason });
    let presets = Policy::preset_names().iter().map(|name| preset(name));
    for policy in presets.chain([policy("mode = \"audit\"\nallow = [\"*\"]")]) {
        let decision = on(&policy, &lying);
        assert_eq!(decision.verdict, Verdict::Deny);
        assert!(codes(&decision).contains(&Code::ConfigDisagrees));
        let decision = on(&policy, &unreadable);
        assert_eq!(decision.verdict, Verdict::Deny);
        assert_eq!(codes(&decision), [Code::UnreadableWasm]);
    }
}

#[test]
fn deny_beats_allow_and_gives_its_reason() {
    let rule = "allow = [\"*\"]\ndeny = [{ import = \"wasi:sockets/*\", reason = \"stateless\", \
                use-instead = \"wasi:http/outgoing-handler\" }]";
    let decision = on(&policy(rule), &wasm(SOCKETS));
    assert_eq!(codes(&decision), [Code::ImportDenied; 3]);
    let finding = &decision.findings[0];
    assert_eq!(finding.place.as_ref().unwrap().to_string(), "p.toml:6:9");
    let expected = "`wasi:sockets/tcp@0.2.6` is `wasi:sockets/*`, which rule `r` denies";
    assert_eq!(finding.message, expected);
    assert_eq!(finding.reason.as_deref(), Some("stateless"));
    assert!(
        finding
            .help
            .ends_with("use `wasi:http/outgoing-handler` instead")
    );
}

#[test]
fn what_is_always_denied_no_rule_loosens() {
    let text = "schema = 1\ndefault = \"allow\"\n[always]\ndeny = [\"sockets\"]\n\
                [[rule]]\nid = \"r\"\nrepositories = [\"team/*\"]\nmode = \"audit\"\nallow = [\"*\"]\n";
    for text in [text.to_owned(), text.replace("team/*", "other/*")] {
        let policy = Policy::parse("p.toml", &text).unwrap();
        let decision = on(&policy, &wasm(SOCKETS));
        assert_eq!(decision.verdict, Verdict::Deny);
        assert_eq!(codes(&decision), [Code::ImportDenied; 2]);
        assert_eq!(decision.findings[0].rule, None);
        assert_eq!(verdict(&policy, &wasm(HELLO)), Verdict::Admit);
    }
}

#[test]
fn who_may_not_see_directories_may_not_read_files_either() {
    let rule = "allow = [\"*\"]\ndeny = [\"filesystem-inert\"]";
    assert_eq!(verdict(&policy(rule), &wasm(FILES)), Verdict::Deny);
}

#[test]
fn without_a_rule_the_default_decides() {
    let text = |default: &str| {
        format!("schema = 1\n{default}\n[[rule]]\nid = \"r\"\nrepositories = [\"x\"]\n")
    };
    let by_default = |default: &str| {
        on(
            &Policy::parse("p.toml", &text(default)).unwrap(),
            &wasm(SOCKETS),
        )
    };
    assert_eq!(by_default("default = \"allow\"").verdict, Verdict::Admit);
    assert_eq!(codes(&by_default("")), [Code::NoRule]);
    let decision = by_default("default = \"deny\"");
    assert_eq!(decision.verdict, Verdict::Deny);
    assert_eq!(
        decision.findings[0].place.as_ref().unwrap().to_string(),
        "p.toml:2:11"
    );
}

#[test]
fn audit_admits_and_warns() {
    let decision = on(&policy("mode = \"audit\"\nkinds = []"), &wasm(SOCKETS));
    assert_eq!(decision.verdict, Verdict::Admit);
    assert!(codes(&decision).contains(&Code::KindNotAllowed));
    assert_eq!(decision.findings.len(), 6);
    assert!(
        decision
            .findings
            .iter()
            .all(|finding| finding.effect == Effect::Warn)
    );
}

#[test]
fn kinds_restrict_what_is_taken_but_never_what_is_attached() {
    let rule = policy("kinds = [\"component\"]\nallow = [\"*\"]");
    assert_eq!(verdict(&rule, &wasm(HELLO)), Verdict::Admit);
    assert_eq!(verdict(&rule, &facts(Content::Attachment)), Verdict::Admit);
    for refused in [wasm("(module)"), facts(Content::Other)] {
        let decision = on(&rule, &refused);
        assert_eq!(codes(&decision), [Code::KindNotAllowed]);
        assert_eq!(*decision.findings[0].allowed, ["component"]);
    }
    assert_eq!(
        verdict(&preset("standard"), &facts(Content::Other)),
        Verdict::Admit
    );
}

#[test]
fn missing_signatures_hold_unless_something_denies() {
    let signed = "signatures = { require = 2, from = [\"a\", \"b\"] }\n\
                  [signer.a]\nkey = \"a\"\n[signer.b]\nkey = \"b\"\n[signer.c]\nkey = \"c\"";
    let rule = policy(&format!("allow = [\"std\"]\n{signed}"));
    let with = |names: &[&str], facts: Facts| Facts {
        signed_by: names.iter().map(ToString::to_string).collect(),
        ..facts
    };
    assert_eq!(
        verdict(&rule, &with(&["a", "b"], wasm(HELLO))),
        Verdict::Admit
    );
    for names in [&[][..], &["a"], &["a", "c"]] {
        let decision = on(&rule, &with(names, wasm(HELLO)));
        assert_eq!(decision.verdict, Verdict::Hold);
        assert_eq!(codes(&decision), [Code::SignatureMissing]);
    }
    let decision = on(&rule, &with(&["a"], wasm(HELLO)));
    let message = "rule `r` wants 2 signatures from `a` or `b`, and only a has signed";
    assert_eq!(decision.findings[0].message, message);
    assert_eq!(verdict(&rule, &wasm(SOCKETS)), Verdict::Deny);
    assert_eq!(verdict(&rule, &facts(Content::Other)), Verdict::Hold);
    // A signature is not asked to be signed.
    assert_eq!(verdict(&rule, &facts(Content::Attachment)), Verdict::Admit);
}

#[test]
fn one_more_deny_never_admits_more() {
    let allows = [
        "",
        "\"*\"",
        "\"std\"",
        "\"std\", \"sockets\"",
        "\"acme:db/*\", \"=log\"",
    ];
    let denies = [
        "sockets",
        "std",
        "filesystem-inert",
        "filesystem-read",
        "=log",
        "acme:*",
        "*",
    ];
    for (allow, wat) in allows
        .iter()
        .flat_map(|it| [SOCKETS, FILES, CUSTOM, HELLO].map(|wat| (it, wat)))
    {
        let facts = wasm(wat);
        let before = on(&policy(&format!("allow = [{allow}]")), &facts);
        for deny in denies {
            let rule = format!("allow = [{allow}]\ndeny = [\"{deny}\"]");
            let after = on(&policy(&rule), &facts);
            assert!(after.verdict >= before.verdict, "{rule}\n{wat}");
        }
    }
}

#[test]
fn one_more_allow_never_admits_less() {
    let entries = [
        "std",
        "sockets",
        "dns",
        "filesystem-inert",
        "filesystem-read",
        "filesystem-write",
        "acme:*",
        "=log",
    ];
    for wat in [SOCKETS, FILES, CUSTOM, HELLO] {
        let facts = wasm(wat);
        let mut before = on(&policy("allow = []"), &facts).findings.len();
        for number in 1..=entries.len() {
            let rule = format!("allow = {:?}", &entries[..number]);
            let after = on(&policy(&rule), &facts).findings.len();
            assert!(after <= before, "{rule}");
            before = after;
        }
        assert_eq!(before, 0, "{wat}");
    }
}

#[test]
fn decisions_survive_json() {
    let decision = on(&preset("standard"), &wasm(SOCKETS));
    let json = serde_json::to_string(&decision).unwrap();
    assert!(json.starts_with(
        r#"{"verdict":"deny","findings":[{"code":"import-not-allowed","effect":"deny","#
    ));
    assert_eq!(serde_json::from_str::<Decision>(&json).unwrap(), decision);
}

#[test]
fn facts_survive_json() {
    let facts = wasm(SOCKETS);
    let json = serde_json::to_value(&facts).unwrap();
    assert_eq!(json["content"]["what"], "wasm");
    assert_eq!(json["signedBy"], serde_json::json!([]));
    let back: Facts = serde_json::from_value(json).unwrap();
    assert_eq!(back.content, facts.content);
}

#[test]
fn an_attachment_under_a_tag_that_is_not_that_of_its_subject_is_an_artifact_like_others() {
    let rule = policy("kinds = [\"component\"]");
    let (subject, other) = (Digest::of(b"subject"), Digest::of(b"other"));
    let about = facts(Content::Attachment);
    let tagged = |tag: &Tag, subject: Option<&Digest>, layer: &str| Facts {
        tags: vec![TagFacts {
            name: tag.clone(),
            points_to: None,
        }],
        subject: subject.cloned(),
        layers: vec![layer.to_owned()],
        ..about.clone()
    };
    let (latest, sig) = ("latest".parse().unwrap(), Tag::cosign_signatures(&other));
    let signing = media_type::SIMPLE_SIGNING;
    for (facts, expected) in [
        (tagged(&latest, Some(&subject), "text/plain"), Verdict::Deny),
        (tagged(&sig, Some(&subject), signing), Verdict::Deny),
        (tagged(&sig, Some(&other), "text/plain"), Verdict::Admit),
        (tagged(&sig, None, signing), Verdict::Admit),
        (tagged(&sig, None, "text/plain"), Verdict::Deny),
        (
            tagged(&Tag::cosign_attestations(&other), None, signing),
            Verdict::Deny,
        ),
        (
            tagged(&Tag::referrers_fallback(&other), None, signing),
            Verdict::Deny,
        ),
    ] {
        assert_eq!(verdict(&rule, &facts), expected, "{facts:?}");
    }
}
