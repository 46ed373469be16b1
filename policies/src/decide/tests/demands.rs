//! What rules ask for besides imports: sizes, tags, exports, annotations, attestations.

use super::*;
use crate::facts::{Attestation, InnerWasm, Unseen};

fn only(decision: &Decision) -> &Finding {
    assert_eq!(decision.findings.len(), 1, "{:?}", codes(decision));
    &decision.findings[0]
}

fn at(finding: &Finding) -> String {
    finding.place.as_ref().unwrap().to_string()
}

#[test]
fn what_is_too_large_is_refused_by_a_rule_and_everywhere() {
    let sized = |size| Facts {
        size,
        ..facts(Content::Other)
    };
    let rule = policy("max-size = \"1KiB\"");
    assert_eq!(verdict(&rule, &sized(Some(1024))), Verdict::Admit);
    let decision = on(&rule, &sized(Some(1025)));
    let finding = only(&decision);
    assert_eq!(finding.code, Code::TooLarge);
    assert_eq!(
        finding.message,
        "this has 1.1 KiB, and at most 1 KiB is taken"
    );
    assert_eq!(
        (finding.rule.as_deref(), at(finding).as_str()),
        (Some("r"), "p.toml:5:12")
    );
    assert_eq!(only(&on(&rule, &sized(None))).code, Code::CannotEvaluate);
    let everywhere = "schema = 1\ndefault = \"allow\"\n[always]\nmax-size = 7\n";
    let everywhere = Policy::parse("p.toml", everywhere).unwrap();
    assert_eq!(only(&on(&everywhere, &sized(Some(8)))).rule, None);
    // What the bytes have counts, whatever the manifest claims.
    let small = Facts {
        size: Some(0),
        ..wasm(HELLO)
    };
    let decision = on(&policy("max-size = 7\nallow = [\"*\"]"), &small);
    assert_eq!(only(&decision).code, Code::TooLarge);
}

#[test]
fn a_tag_that_stays_is_not_moved() {
    let tagged = |name: &str, points_to: Option<&[u8]>| Facts {
        tags: vec![TagFacts {
            name: name.parse().unwrap(),
            points_to: points_to.map(Digest::of),
        }],
        ..facts(Content::Other)
    };
    let rule = policy("immutable-tags = [\"v*\", \"sha256-*\"]");
    for (facts, is_moved) in [
        (tagged("v1", None), false),
        (tagged("v1", Some(b"manifest")), false),
        (tagged("v1", Some(b"other")), true),
        (tagged("latest", Some(b"other")), false),
        (
            tagged(&format!("sha256-{}.sig", "a".repeat(64)), Some(b"other")),
            false,
        ),
    ] {
        let decision = on(&rule, &facts);
        assert_eq!(
            codes(&decision) == [Code::TagImmutable],
            is_moved,
            "{:?}",
            facts.tags
        );
    }
    let repository = "team/app".parse().unwrap();
    assert!(rule.keeps(&repository, &"v1".parse().unwrap()));
    assert!(!rule.keeps(&repository, &"latest".parse().unwrap()));
    let audit = policy("mode = \"audit\"\nimmutable-tags = [\"v*\"]");
    assert!(!audit.keeps(&repository, &"v1".parse().unwrap()));
}

#[test]
fn exports_that_are_asked_for_must_be_there() {
    let service = r#"(component
        (core module $m (func (export "f")))
        (core instance $c (instantiate $m))
        (func $f (canon lift (core func $c "f")))
        (instance $i (export "handle" (func $f)))
        (export "wasi:http/incoming-handler@0.2.6" (instance $i)))"#;
    let rule = policy("allow = [\"*\"]\nrequire-exports = [\"wasi:http/incoming-handler@0.2\"]");
    assert_eq!(verdict(&rule, &wasm(service)), Verdict::Admit);
    let decision = on(&rule, &wasm(HELLO));
    let finding = only(&decision);
    assert_eq!(
        (finding.code, at(finding).as_str()),
        (Code::ExportMissing, "p.toml:6:20")
    );
    // Neither a WIT package nor an image has programs to ask.
    assert_eq!(verdict(&rule, &facts(Content::Other)), Verdict::Admit);
    let named = policy("allow = [\"*\"]\nrequire-exports = [\"=run\"]");
    let module = r#"(module (func (export "run")))"#;
    assert_eq!(verdict(&named, &wasm(module)), Verdict::Admit);
    assert_eq!(verdict(&named, &wasm("(module)")), Verdict::Deny);
}

#[test]
fn annotations_that_are_asked_for_must_be_there_and_say_it() {
    let rule = policy(
        "require-annotations = [\"source\", { name = \"licence\", value = \"Apache-2.0*\" }]",
    );
    let with = |annotations: &[(&str, &str)]| {
        let annotations = annotations.iter();
        let owned = annotations.map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        Facts {
            annotations: owned.collect(),
            ..facts(Content::Other)
        }
    };
    let good = with(&[
        ("source", "https://x"),
        ("licence", "Apache-2.0 WITH LLVM-exception"),
    ]);
    assert_eq!(verdict(&rule, &good), Verdict::Admit);
    let decision = on(&rule, &with(&[("source", " "), ("licence", "MIT")]));
    assert_eq!(codes(&decision), [Code::AnnotationMissing; 2]);
    let expected = "the annotation `licence` is `MIT`, and rule `r` asks for `Apache-2.0*`";
    assert_eq!(decision.findings[1].message, expected);
    assert_eq!(verdict(&rule, &facts(Content::Attachment)), Verdict::Admit);
}

#[test]
fn attestations_are_held_for_by_kind_and_signer() {
    let predicate = "https://slsa.dev/provenance/v1";
    let rule = policy(&format!(
        "attestations = [{{ predicate = \"{predicate}\", from = [\"ci\"] }}]\n[signer.ci]\nkey = \"k\"\n\
         [signer.dev]\nkey = \"d\""
    ));
    let with = |predicate: &str, signer: &str| Facts {
        attestations: vec![Attestation {
            predicate_type: predicate.to_owned(),
            signed_by: [signer.to_owned()].into(),
        }],
        ..facts(Content::Other)
    };
    assert_eq!(verdict(&rule, &with(predicate, "ci")), Verdict::Admit);
    for facts in [
        with(predicate, "dev"),
        with("https://spdx.dev/Document", "ci"),
        facts(Content::Other),
    ] {
        let decision = on(&rule, &facts);
        assert_eq!(decision.verdict, Verdict::Hold);
        assert_eq!(only(&decision).code, Code::AttestationMissing);
    }
    let message = "rule `r` wants an attestation of `https://slsa.dev/provenance/v1` from `ci`, \
                   and none has made one";
    assert_eq!(only(&on(&rule, &facts(Content::Other))).message, message);
}

#[test]
fn signers_are_believed_between_their_days() {
    let rule = policy(
        "signatures = { require = 1, from = [\"a\"] }\n[signer.a]\nkey = \"a\"\n\
         not-before = 2026-01-01\nnot-after = 2026-06-30",
    );
    let signed = Facts {
        signed_by: ["a".to_owned()].into(),
        ..facts(Content::Other)
    };
    for (month, day, expected) in [
        (1, 1, Verdict::Admit),
        (6, 30, Verdict::Admit),
        (7, 1, Verdict::Hold),
    ] {
        let decision = decide(&rule, &signed, jiff::civil::date(2026, month, day));
        assert_eq!(decision.verdict, expected, "{month}-{day}");
    }
    let decision = decide(&rule, &signed, jiff::civil::date(2025, 12, 31));
    assert_eq!(decision.verdict, Verdict::Hold);
    let message = &only(&decision).message;
    assert!(
        message.ends_with("none has signed; `a` has, and is not believed before 2026-01-01"),
        "{message}"
    );
    let decision = on(&rule, &signed);
    let message = &only(&decision).message;
    assert!(
        message.ends_with("none has signed; `a` has, and is believed until 2026-06-30 only"),
        "{message}"
    );
}

#[test]
fn wasm_inside_an_image_is_judged_like_any_other() {
    let Content::Wasm { inspection, .. } = wasm(SOCKETS).content else {
        panic!("expected Wasm");
    };
    let inner = InnerWasm {
        layer: Digest::of(b"layer"),
        path: "opt/app.wasm".to_owned(),
        inspection: *inspection,
    };
    let image = facts(Content::Image {
        wasm: vec![inner],
        unreadable: Vec::new(),
        unseen: Vec::new(),
    });
    let decision = on(&preset("standard"), &image);
    assert_eq!(capabilities(&decision), ["sockets", "sockets", "dns"]);
    assert!(
        decision
            .findings
            .iter()
            .all(|it| it.path.as_deref() == Some("opt/app.wasm"))
    );
    let decision = on(
        &policy("kinds = [\"component\", \"other\"]\nallow = [\"*\"]"),
        &image,
    );
    assert_eq!(only(&decision).code, Code::KindNotAllowed);
    let admitting = policy("kinds = [\"wasm-image\"]\nallow = [\"*\"]");
    assert_eq!(verdict(&admitting, &image), Verdict::Admit);
}

#[test]
fn wasm_inside_an_image_that_cannot_be_judged_is_refused() {
    let image = facts(Content::Image {
        wasm: Vec::new(),
        unreadable: vec![Unseen {
            layer: Digest::of(b"layer"),
            path: "opt/app.wasm".to_owned(),
            reason: "unexpected end".to_owned(),
        }],
        unseen: Vec::new(),
    });
    for policy in [policy("allow = [\"*\"]"), preset("permissive")] {
        let decision = on(&policy, &image);
        let finding = only(&decision);
        assert_eq!(finding.code, Code::UnreadableWasm);
        assert_eq!(finding.path.as_deref(), Some("opt/app.wasm"));
        assert_eq!(decision.verdict, Verdict::Deny);
    }
}

#[test]
fn what_cannot_be_looked_into_is_refused_where_that_is_asked() {
    let unseen = Unseen {
        layer: Digest::of(b"layer"),
        path: String::new(),
        reason: "it unpacks to more than 1 GiB".to_owned(),
    };
    let half_seen = facts(Content::Image {
        wasm: Vec::new(),
        unreadable: Vec::new(),
        unseen: vec![unseen],
    });
    let not_seen = Facts {
        layers: vec!["application/x-chart".to_owned()],
        ..facts(Content::Other)
    };
    let required = policy("inspect = \"required\"");
    for facts in [&half_seen, &not_seen] {
        assert_eq!(only(&on(&required, facts)).code, Code::NotInspected);
        assert_eq!(verdict(&required, facts), Verdict::Deny);
        assert_eq!(verdict(&policy(""), facts), Verdict::Admit);
    }
    let of = |kind: &str| Facts {
        media_type: Some(kind.to_owned()),
        ..facts(Content::Other)
    };
    // An index has no layers. What nobody knows may name anything.
    assert_eq!(
        verdict(&required, &of(media_type::IMAGE_INDEX)),
        Verdict::Admit
    );
    for facts in [of("application/vnd.acme+json"), facts(Content::Other)] {
        assert_eq!(only(&on(&required, &facts)).code, Code::NotInspected);
    }
}
