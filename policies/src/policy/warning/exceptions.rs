//! Warnings on exceptions from what no rule refuses.

use super::{Lint, PAIRS, PolicyWarning};
use crate::policy::entry::Allowed;
use crate::policy::term::Term;
use crate::policy::{Exception, Novelty, Policy, Rule};

/// Exceptions that let nothing pass, whatever there is in the repositories that they are for.
pub(super) fn warnings(policy: &Policy) -> Vec<PolicyWarning> {
    let exceptions = policy.exceptions();
    let patterns = exceptions.iter().map(|it| it.repositories.len());
    let pairs = patterns.sum::<usize>() * policy.rules().len();
    if pairs > PAIRS {
        return Vec::new();
    }
    let mut found = Vec::new();
    for exception in exceptions {
        let rules = rules_of(policy, exception);
        if rules.is_empty() {
            let message = "no rule is for these repositories, so there is nothing to except from";
            let place = exception.allow.place.clone();
            let message = message.to_owned();
            found.push(PolicyWarning::new(place, Lint::NoEffect, message));
            continue;
        }
        for entry in &exception.allow.entries {
            if rules.iter().all(|rule| admits_already(rule, entry)) {
                let ids: Vec<String> = rules.iter().map(|rule| format!("`{}`", rule.id)).collect();
                let message = format!(
                    "`{}` is allowed without this exception, by rule {}",
                    entry.text,
                    ids.join(" and ")
                );
                let place = entry.place.clone();
                found.push(PolicyWarning::new(place, Lint::SaidAlready, message));
            }
        }
    }
    found
}

/// The rules that may decide on what an exception is for.
fn rules_of<'a>(policy: &'a Policy, exception: &Exception) -> Vec<&'a Rule> {
    let may_be = |rule: &&Rule| {
        let mut own = rule.repositories.iter();
        own.any(|own| {
            let mut excepted = exception.repositories.iter();
            excepted.any(|pattern| pattern.value.overlaps(&own.value))
        })
    };
    // One whole name has one rule.
    let names = exception.repositories.iter().map(|it| it.value.as_name());
    match names.collect::<Option<Vec<_>>>() {
        Some(names) => {
            let rules = policy.rules().iter();
            let own = |rule: &&Rule| {
                let mut names = names.iter();
                names.any(|name| {
                    policy
                        .rule(name)
                        .is_some_and(|found| std::ptr::eq(found, *rule))
                })
            };
            rules.filter(own).collect()
        }
        None => policy.rules().iter().filter(may_be).collect(),
    }
}

/// Whether a rule refuses nothing that an entry of an exception admits.
fn admits_already(rule: &Rule, entry: &Allowed) -> bool {
    let watches = rule.new_capabilities.as_ref();
    // What is new passes by an exception although it is allowed.
    let is_plain = watches.is_none_or(|novelty| novelty.value == Novelty::Allow);
    let mut allowed = rule.allow.entries.iter();
    let is_allowed =
        allowed.any(|allowed| allowed.functions.is_none() && allowed.term.covers(&entry.term));
    let mut denied = rule.deny.iter();
    is_plain && is_allowed && !denied.any(|deny| may_meet(&deny.term, &entry.term))
}

/// False only where two entries are surely about different imports.
fn may_meet(one: &Term, other: &Term) -> bool {
    match (one, other) {
        (Term::Capability(_), Term::Capability(_)) => {
            one.denies_all(other) || other.denies_all(one)
        }
        _ => true,
    }
}
