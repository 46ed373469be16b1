//! Warnings on entries of `allow` and `deny` lists.

use super::{Lint, PAIRS, PolicyWarning};
use crate::catalogue::Catalogue;
use crate::policy::entry::{Allow, Allowed, Deny, Functions};
use crate::policy::pattern::Pattern;
use crate::policy::term::Term;
use crate::policy::{Policy, Rule};

/// What is wrong with entries, in any list of `policy`.
pub(super) fn warnings(policy: &Policy) -> Vec<PolicyWarning> {
    let always = &policy.always().deny;
    let mut found = Vec::new();
    for deny in always {
        never(&deny.term, deny.functions.as_ref(), |message| {
            found.push(warning(deny, Lint::UnknownName, message));
        });
    }
    for rule in policy.rules() {
        let denies: Vec<&Deny> = always.iter().chain(&rule.deny).collect();
        allowed(&rule.allow, &denies, &mut found);
        denied(rule, always, &mut found);
    }
    for exception in policy.exceptions() {
        // An exception is one from what the rule denies, and from nothing else.
        let denies: Vec<&Deny> = always.iter().collect();
        allowed(&exception.allow, &denies, &mut found);
    }
    found
}

fn allowed(allow: &Allow, denies: &[&Deny], found: &mut Vec<PolicyWarning>) {
    let entries = &allow.entries;
    let is_compared = entries
        .len()
        .saturating_mul(entries.len().max(denies.len()))
        <= PAIRS;
    for (number, entry) in entries.iter().enumerate() {
        let mut warn = |code, message| {
            let place = entry.place.clone();
            found.push(PolicyWarning::new(place, code, message));
        };
        never(&entry.term, entry.functions.as_ref(), |message| {
            warn(Lint::UnknownName, message);
        });
        if !is_compared {
            continue;
        }
        if let Some(deny) = denies.iter().find(|deny| takes(deny, &entry.term)) {
            let message = format!(
                "`{}` is denied all the same, at {}:{}",
                entry.text, deny.place.file, deny.place.line
            );
            warn(Lint::NoEffect, message);
        } else if let Some(other) = allowed_already(entries, number, entry) {
            let message = format!("`{}` is in `{}` already", entry.text, other.text);
            warn(Lint::SaidAlready, message);
        }
    }
}

/// Another entry of the list that admits all that this one does.
fn allowed_already<'a>(
    entries: &'a [Allowed],
    number: usize,
    entry: &Allowed,
) -> Option<&'a Allowed> {
    let mut others = entries.iter().enumerate();
    let found = others.find(|(other, it)| {
        // Of two that say the same the first is the one to keep.
        let is_first = *other < number || !entry.term.covers(&it.term);
        *other != number && it.functions.is_none() && is_first && it.term.covers(&entry.term)
    });
    found.map(|(_, entry)| entry)
}

fn denied(rule: &Rule, always: &[Deny], found: &mut Vec<PolicyWarning>) {
    let is_compared = rule.deny.len().saturating_mul(always.len()) <= PAIRS;
    for deny in &rule.deny {
        never(&deny.term, deny.functions.as_ref(), |message| {
            found.push(warning(deny, Lint::UnknownName, message));
        });
        if !is_compared {
            continue;
        }
        if let Some(other) = always.iter().find(|other| takes(other, &deny.term)) {
            let message = format!(
                "`{}` is denied everywhere already, at {}:{}",
                deny.text, other.place.file, other.place.line
            );
            found.push(warning(deny, Lint::SaidAlready, message));
        }
    }
}

/// Whether `deny` leaves nothing of what `term` names.
fn takes(deny: &Deny, term: &Term) -> bool {
    deny.functions.is_none() && deny.term.denies_all(term)
}

/// Calls `warn` when an entry names what is not known.
fn never(term: &Term, functions: Option<&Functions>, mut warn: impl FnMut(String)) {
    let Term::Patterns(patterns) = term else {
        return;
    };
    for pattern in patterns {
        if is_unknown_wasi(pattern) {
            warn(format!("no interface of WASI is known as `{pattern}`"));
        }
    }
    let ([Pattern::Package { name, all: false }], Some(functions)) =
        (patterns.as_slice(), functions)
    else {
        return;
    };
    for function in functions.names().filter(|name| !name.contains('*')) {
        if Catalogue::get().has_function(name, function) == Some(false) {
            warn(format!(
                "`{name}` is not known to have a function `{function}`"
            ));
        }
    }
}

fn is_unknown_wasi(pattern: &Pattern) -> bool {
    let Pattern::Package { name, all } = pattern else {
        return false;
    };
    name.namespace == "wasi" && !Catalogue::get().knows(name, *all)
}

fn warning(deny: &Deny, code: Lint, message: String) -> PolicyWarning {
    PolicyWarning::new(deny.place.clone(), code, message)
}
