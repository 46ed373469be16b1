//! Findings on who has signed, and what was attested.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::{effect, finding};
use crate::facts::Facts;
use crate::finding::{Code, Effect, Finding};
use crate::policy::{Attested, Placed, Policy, Rule, Signatures, Signer, one_of};

/// Too few signatures or attestations. They may still arrive, so the artifact waits for them.
pub(super) fn findings(policy: &Policy, rule: &Rule, facts: &Facts, today: Date) -> Vec<Finding> {
    if facts.is_attached() {
        return Vec::new();
    }
    let believed = |names: &BTreeSet<String>| Believed::of(policy, names, today);
    let signatures = rule.signatures.as_ref().and_then(|wanted| {
        let who = believed(&facts.signed_by);
        signatures(rule, wanted, &who, facts.unread)
    });
    let attestations = rule.attestations.iter().filter_map(|wanted| {
        let fitting = facts.attestations.iter();
        let fitting = fitting.filter(|it| it.predicate_type == wanted.value.predicate);
        let names = fitting.flat_map(|it| &it.signed_by).cloned().collect();
        attested(rule, wanted, &believed(&names), facts.unread)
    });
    signatures.into_iter().chain(attestations).collect()
}

/// Signers, and what keeps some of them from being believed today.
struct Believed<'a> {
    names: BTreeSet<&'a str>,
    not: Vec<&'a Signer>,
    today: Date,
}

impl<'a> Believed<'a> {
    fn of(policy: &'a Policy, names: &BTreeSet<String>, today: Date) -> Self {
        // Whom the policy does not know it has not asked.
        let signers = names.iter().filter_map(|name| policy.signer(name));
        let (believed, not): (Vec<_>, Vec<_>) =
            signers.partition(|signer| signer.is_believed(today));
        let names = believed.iter().map(|signer| signer.name.as_str());
        Self {
            names: names.collect(),
            not,
            today,
        }
    }

    /// Which of these are there; none when they are enough.
    fn lacking(&self, wanted: &'a Signatures) -> Option<Lack<'a>> {
        let from = wanted.from.iter().map(String::as_str);
        let (have, missing): (Vec<&str>, Vec<&str>) =
            from.partition(|name| self.names.contains(name));
        if have.len() >= wanted.require {
            return None;
        }
        let asked = |signer: &&&Signer| wanted.from.contains(&signer.name);
        let not = self
            .not
            .iter()
            .filter(asked)
            .map(|signer| not_believed(signer, self.today));
        Some(Lack {
            have,
            missing,
            not: not.collect(),
        })
    }
}

/// What is there of what is wanted, and what is not.
struct Lack<'a> {
    have: Vec<&'a str>,
    missing: Vec<&'a str>,
    /// Why some that are there do not count.
    not: Vec<String>,
}

impl Lack<'_> {
    /// `none has signed`, `only a has signed`, who is not believed, and what was not looked at.
    fn words(&self, verb: &str, unread: usize) -> String {
        let have = match self.have.as_slice() {
            [] => format!("none has {verb}"),
            some => format!("only {} has {verb}", some.join(", ")),
        };
        let unread = (unread > 0).then(|| {
            format!("{unread} more were not looked at, since there are too many, and not believed")
        });
        let all = [have].into_iter().chain(self.not.iter().cloned());
        let all = all.chain(unread);
        all.collect::<Vec<_>>().join("; ")
    }
}

fn not_believed(signer: &Signer, today: Date) -> String {
    let name = &signer.name;
    match (signer.not_before, signer.not_after) {
        (Some(first), _) if today < first => {
            format!("`{name}` has, and is not believed before {first}")
        }
        (_, Some(last)) => format!("`{name}` has, and is believed until {last} only"),
        (_, None) => format!("`{name}` has, and is not believed"),
    }
}

fn signatures(
    rule: &Rule,
    wanted: &Placed<Signatures>,
    believed: &Believed<'_>,
    unread: usize,
) -> Option<Finding> {
    let Signatures { require, from } = &wanted.value;
    let lack = believed.lacking(&wanted.value)?;
    let message = format!(
        "rule `{}` wants {} from {}, and {}",
        rule.id,
        plural(*require, "a signature", "signatures"),
        one_of(from.iter().map(String::as_str)),
        lack.words("signed", unread)
    );
    let help = format!(
        "sign it as {}: `wasmport sign REF --key KEY`",
        one_of(lack.missing.iter().copied())
    );
    Some(Finding {
        rule: Some(rule.id.clone()),
        place: Some(wanted.place.clone()),
        allowed: from.iter().map(String::as_str).collect(),
        ..finding(
            Code::SignatureMissing,
            effect(rule, Effect::Hold),
            message,
            help,
        )
    })
}

fn attested(
    rule: &Rule,
    wanted: &Placed<Attested>,
    believed: &Believed<'_>,
    unread: usize,
) -> Option<Finding> {
    let Attested { predicate, by } = &wanted.value;
    let lack = believed.lacking(by)?;
    let message = format!(
        "rule `{}` wants {} of `{predicate}` from {}, and {}",
        rule.id,
        plural(by.require, "an attestation", "attestations"),
        one_of(by.from.iter().map(String::as_str)),
        lack.words("made one", unread)
    );
    let help = format!(
        "have {} attest it: `cosign attest --type {predicate} --predicate FILE --key KEY REF`",
        one_of(lack.missing.iter().copied())
    );
    Some(Finding {
        rule: Some(rule.id.clone()),
        place: Some(wanted.place.clone()),
        allowed: by.from.iter().map(String::as_str).collect(),
        ..finding(
            Code::AttestationMissing,
            effect(rule, Effect::Hold),
            message,
            help,
        )
    })
}

fn plural(number: usize, one: &str, many: &str) -> String {
    if number == 1 {
        one.to_owned()
    } else {
        format!("{number} {many}")
    }
}
