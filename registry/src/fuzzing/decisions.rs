//! Policies, facts, and what follows from both.

use std::str;

use wasmport_artifact::Digest;
use wasmport_policies::{Date, Decision, Facts, Policy, Verdict, decide, explain};

const TODAY: Date = Date::constant(2026, 11, 21);
/// What the policy and the facts of an input stand between.
const BETWEEN: &str = "\n---\n";
/// What a refusal may have so that clients read it whole.
const ANSWER_BYTES: usize = 8 << 10;

/// A policy file: it is read, or the error shows where it is wrong; what is read can be asked
/// for its warnings, for the day on which it changes, and for a decision.
pub fn policy(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let policy = match Policy::parse("p.toml", text) {
        Ok(policy) => policy,
        Err(error) => {
            assert!(error.place().line >= 1 && error.place().column >= 1);
            assert!(error.to_text().starts_with("error: "));
            return;
        }
    };
    for warning in policy.warnings(TODAY) {
        assert!(warning.to_text(&policy).starts_with("warning["));
    }
    assert!(policy.next_change(TODAY).is_none_or(|day| day > TODAY));
    let digest = Digest::of(b"");
    let facts = serde_json::json!({
        "repository": "team/app",
        "digest": digest,
        "content": { "what": "other" },
    });
    if let Ok(facts) = serde_json::from_value(facts) {
        let decision = decide(&policy, &facts, TODAY);
        assert_eq!(decision, decide(&policy, &facts, TODAY));
    }
}

/// A policy, or nothing for the one that a server has by itself, `---` on a line, and facts as
/// JSON. There is a decision, the same each time, and it can be explained and written in all
/// forms. The facts are what they were when they were stored. What has no such line is a decision
/// that some registry answered.
pub fn decision(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let Some((policy, facts)) = text.split_once(BETWEEN) else {
        if let (Ok(answer), Some(policy)) = (serde_json::from_str(text), Policy::preset("standard"))
        {
            check_forms(&answer, &policy);
        }
        return;
    };
    let policy = match policy {
        "" => Policy::preset("standard"),
        text => Policy::parse("p.toml", text).ok(),
    };
    let (Some(policy), Ok(facts)) = (policy, serde_json::from_str::<Facts>(facts)) else {
        return;
    };
    let stored = serde_json::to_vec(&facts).unwrap_or_default();
    assert_eq!(
        serde_json::from_slice::<Facts>(&stored).ok().as_ref(),
        Some(&facts)
    );
    let decision = decide(&policy, &facts, TODAY);
    assert_eq!(decision, decide(&policy, &facts, TODAY));
    check_forms(&decision, &policy);
    let _ = explain(&policy, &facts, TODAY);
    if let Ok(text) = Policy::smallest(std::slice::from_ref(&facts), TODAY) {
        let smallest = Policy::parse("smallest.toml", &text);
        let verdict = smallest.map(|policy| decide(&policy, &facts, TODAY).verdict);
        assert_eq!(verdict.ok(), Some(Verdict::Admit), "{text}");
    }
}

fn check_forms(decision: &Decision, policy: &Policy) {
    let stored = serde_json::to_vec(decision).unwrap_or_default();
    assert_eq!(
        serde_json::from_slice::<Decision>(&stored).ok().as_ref(),
        Some(decision)
    );
    let short = decision.shortened(ANSWER_BYTES);
    assert_eq!(short.verdict, decision.verdict);
    let bytes = serde_json::to_vec(&short).unwrap_or_default();
    assert!(bytes.len() <= ANSWER_BYTES, "{} bytes", bytes.len());
    let text = decision.grouped().to_text(Some(policy));
    let annotations = decision.to_github(policy, Some("app.wasm"));
    for written in [&text, &annotations] {
        let is_control = |letter: char| letter.is_control() && letter != '\n';
        assert!(!written.chars().any(is_control), "{written:?}");
    }
}
