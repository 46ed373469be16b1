//! What holds for every policy and all facts.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and so may what it calls"
)]

#[path = "properties/disguises.rs"]
mod disguises;
#[path = "properties/made.rs"]
mod made;

use std::collections::BTreeSet;

use made::{Made, TODAY, facts, policy};
use proptest::prelude::*;
use wasmport_policies::{Code, Content, Effect, Facts, Outcome, Policy, Verdict, decide, explain};

fn verdict(policy: &Made, facts: &Facts) -> Verdict {
    decide(&policy.parse(), facts, TODAY).verdict
}

/// `facts` without one import of what it carries.
fn without_import(facts: &Facts, number: usize) -> Facts {
    let mut facts = facts.clone();
    let imports = match &mut facts.content {
        Content::Wasm { inspection, .. } => Some(&mut inspection.imports),
        Content::Image { wasm, .. } => wasm
            .iter_mut()
            .map(|inner| &mut inner.inspection.imports)
            .find(|imports| !imports.is_empty()),
        _ => None,
    };
    if let Some(imports) = imports.filter(|imports| !imports.is_empty()) {
        imports.remove(number % imports.len());
    }
    facts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    /// An entry more in a `deny` list, of a rule or of all, lets nothing more pass.
    #[test]
    fn adding_a_deny_never_admits_more(
        policy in policy(),
        facts in facts(),
        entry in made::deny_entry(),
        which in any::<prop::sample::Index>(),
    ) {
        let before = verdict(&policy, &facts);
        let mut stricter = policy.clone();
        let rule = which.index(stricter.rules.len() + 1);
        match stricter.rules.get_mut(rule) {
            Some(rule) => rule.deny.push(entry),
            None => stricter.always.push(entry),
        }
        prop_assert!(verdict(&stricter, &facts) >= before);
    }

    /// What imports less is not judged worse.
    #[test]
    fn removing_an_import_never_denies_more(
        policy in policy(),
        facts in facts(),
        number in 0_usize..8,
    ) {
        let less = without_import(&facts, number);
        prop_assert!(verdict(&policy, &less) <= verdict(&policy, &facts));
    }

    /// Rules, exceptions and signers may stand in any order, and in any files.
    #[test]
    fn the_order_of_rules_means_nothing(
        (policy, shuffled) in policy().prop_flat_map(|policy| {
            let rules = Just(policy.rules.clone()).prop_shuffle();
            let exceptions = Just(policy.exceptions.clone()).prop_shuffle();
            (Just(policy), rules, exceptions).prop_map(|(policy, rules, exceptions)| {
                let shuffled = Made { rules, exceptions, ..policy.clone() };
                (policy, shuffled)
            })
        }),
        facts in facts(),
    ) {
        // Places differ, of course, and so does help that names them.
        let decision = |policy: &Policy| {
            let findings = decide(policy, &facts, TODAY).findings.into_iter();
            let told = findings.map(|it| (it.code, it.effect, it.rule, it.message, it.functions));
            told.collect::<Vec<_>>()
        };
        let expected = decision(&policy.parse());
        prop_assert_eq!(&decision(&shuffled.parse()), &expected);
        prop_assert_eq!(&decision(&policy.parse_in_files()), &expected);
    }

    /// A rule that only watches refuses nothing; what is refused then, every policy refuses
    /// or the policy refuses everywhere.
    #[test]
    fn audit_never_denies(policy in policy(), facts in facts()) {
        let mut watching = policy.clone();
        for rule in &mut watching.rules {
            rule.is_audit = true;
        }
        let decision = decide(&watching.parse(), &facts, TODAY);
        for finding in decision.findings.iter().filter(|it| it.effect != Effect::Warn) {
            prop_assert_eq!(&finding.rule, &None);
        }
        prop_assert!(decision.verdict <= verdict(&policy, &facts));
    }

    /// An entry more in an `allow` list refuses nothing more.
    #[test]
    fn adding_an_allow_never_denies_more(
        policy in policy(),
        facts in facts(),
        entry in made::allow_entry(),
        which in any::<prop::sample::Index>(),
    ) {
        let mut policy = policy;
        // What is allowed may be new, and was refused before for another reason.
        for rule in &mut policy.rules {
            rule.novelty = None;
        }
        let mut looser = policy.clone();
        let rule = which.index(policy.rules.len().max(1));
        if let Some(rule) = looser.rules.get_mut(rule) {
            rule.allow.push(entry);
        }
        prop_assert!(verdict(&looser, &facts) <= verdict(&policy, &facts));
    }

    /// Signatures and attestations more make no verdict worse.
    #[test]
    fn a_signature_more_never_denies_more(
        policy in policy(),
        facts in facts(),
        signer in made::signer_name(),
    ) {
        let before = verdict(&policy, &facts);
        let mut more = facts;
        more.signed_by.insert(signer.clone());
        for attestation in &mut more.attestations {
            attestation.signed_by.insert(signer.clone());
        }
        prop_assert!(verdict(&policy, &more) <= before);
    }

    /// There is a decision on whatever there may be, twice the same, and its verdict is the
    /// worst of its findings.
    #[test]
    fn decisions_are_total_and_deterministic(
        policy in policy(),
        facts in facts(),
        day in 1_i32..800_000,
    ) {
        let start = jiff::civil::date(1, 1, 1);
        let today = start.checked_add(jiff::Span::new().days(day)).unwrap();
        let policy = policy.parse();
        let decision = decide(&policy, &facts, today);
        prop_assert_eq!(&decision, &decide(&policy, &facts, today));
        let worst = decision.findings.iter().map(|finding| finding.effect).max();
        let expected = match worst {
            Some(Effect::Deny) => Verdict::Deny,
            Some(Effect::Hold) => Verdict::Hold,
            _ => Verdict::Admit,
        };
        prop_assert_eq!(decision.verdict, expected);
        // Whoever reads a finding can act on it.
        prop_assert!(decision.findings.iter().all(|it| !it.help.is_empty() && !it.message.is_empty()));
        let facts_again: Facts = serde_json::from_str(&serde_json::to_string(&facts).unwrap()).unwrap();
        prop_assert_eq!(&facts_again, &facts);
    }

    /// What is explained as refused is found, and nothing else is.
    #[test]
    fn what_is_explained_is_what_is_decided(policy in policy(), facts in facts()) {
        let policy = policy.parse();
        let explained = explain(&policy, &facts, TODAY);
        let decision = decide(&policy, &facts, TODAY);
        let refused: BTreeSet<_> = explained.imports.iter()
            .filter(|it| matches!(it.outcome, Outcome::Denied | Outcome::NotAllowed | Outcome::Unsupported))
            .map(|it| it.import.clone())
            .collect();
        let is_about_imports = |code| matches!(
            code,
            Code::ImportDenied | Code::ImportNotAllowed | Code::UnknownImport | Code::UnsupportedImportKind
        );
        let found: BTreeSet<_> = decision.findings.iter()
            .filter(|it| is_about_imports(it.code))
            .filter_map(|it| it.import.clone())
            .collect();
        // Where no rule is and the default refuses, one finding stands for all imports.
        if decision.findings.iter().all(|it| it.code != Code::NoRule) {
            prop_assert_eq!(refused, found);
        }
    }

    /// Until the day that it names, and with the same facts, a policy decides the same.
    #[test]
    fn nothing_changes_before_the_next_change(
        policy in policy(),
        facts in facts(),
        ahead in 0_i32..500,
    ) {
        let policy = policy.parse();
        let then = TODAY.checked_add(jiff::Span::new().days(ahead)).unwrap();
        if policy.next_change(TODAY).is_none_or(|change| then < change) {
            prop_assert_eq!(decide(&policy, &facts, TODAY), decide(&policy, &facts, then));
        }
    }

    /// A text is a policy or an error with a place in it.
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        if let Err(error) = Policy::parse("p.toml", &text) {
            prop_assert!(error.place().line >= 1);
            prop_assert!(error.to_text().contains("p.toml"));
        }
    }
}
