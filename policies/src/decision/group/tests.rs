use super::super::tests::finding;
use super::*;
use crate::decision::Verdict;

fn many(number: usize) -> Decision {
    let findings = (0..number).map(|number| finding(&format!("wasi:sockets/x{number}"), &["f"]));
    Decision::of(findings.collect())
}

#[test]
fn one_import_stays_as_it_is() {
    let decision = many(1);
    assert_eq!(decision.grouped(), decision);
}

#[test]
fn imports_of_one_reason_are_one_finding() {
    let grouped = many(3).grouped();
    let [finding] = grouped.findings.as_slice() else {
        panic!("{grouped:?}");
    };
    assert_eq!(finding.count(), 3);
    assert_eq!(
        finding.message,
        "3 imports ask for `sockets`, which rule `r` does not allow"
    );
    assert_eq!(finding.found[2].import.as_deref(), Some("wasi:sockets/x2"));
    assert_eq!(finding.found[2].help, None);
    assert_eq!(grouped.grouped(), grouped);
}

#[test]
fn what_differs_in_more_than_the_import_stays_apart() {
    let other = Finding {
        rule: Some("other".to_owned()),
        ..finding("x", &[])
    };
    let missing = Finding {
        code: Code::SignatureMissing,
        import: None,
        ..finding("x", &[])
    };
    let findings = vec![finding("x", &[]), other, missing.clone(), missing];
    assert_eq!(Decision::of(findings).grouped().findings.len(), 4);
}

#[test]
fn another_help_is_kept() {
    let other = Finding {
        help: "add it".to_owned(),
        ..finding("y", &[])
    };
    let grouped = Decision::of(vec![finding("x", &[]), other]).grouped();
    let found = &grouped.findings[0].found;
    assert_eq!(
        (&found[0].help, &found[1].help),
        (&None, &Some("add it".to_owned()))
    );
}

#[test]
fn a_decision_fits_into_any_answer_and_counts_what_is_left_out() {
    let mut findings = many(10_000).findings;
    findings.extend((0..300).map(|number| Finding {
        rule: Some(format!("rule {number}")),
        ..finding(&"long".repeat(5_000), &["function"; 900])
    }));
    let whole = Decision::of(findings);
    for bytes in [200_000, 6_000, 1_000, 100] {
        let short = whole.shortened(bytes);
        assert!(
            serde_json::to_vec(&short).unwrap().len() <= bytes,
            "{bytes}"
        );
        let counted: usize = short.findings.iter().map(Finding::count).sum();
        assert_eq!(counted + short.more, 10_300, "{bytes}");
        assert_eq!(short.verdict, Verdict::Deny);
    }
}

#[test]
fn a_small_decision_is_not_cut() {
    assert_eq!(many(5).shortened(100_000), many(5).grouped());
}
