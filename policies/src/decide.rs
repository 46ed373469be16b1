//! A policy and facts in, a decision with its reasons out.

mod artifact;
mod attestations;
mod exports;
mod imports;
mod limits;
mod novelty;
mod requirements;
mod ruling;
mod unknown;

use jiff::civil::Date;

use crate::decision::{Decision, Gathered};
use crate::facts::Facts;
use crate::finding::{Code, Effect, Finding, Texts};
use crate::policy::{Mode, Policy, Rule};
pub(crate) use exports::unknown_code;
pub(crate) use ruling::{Judge, Ruling};

/// Applies `policy` to `facts` as of `today`, in UTC. Total and deterministic; what cannot be
/// judged is denied.
pub fn decide(policy: &Policy, facts: &Facts, today: Date) -> Decision {
    let rule = policy.rule(&facts.repository);
    let judge = Judge::new(policy, rule, facts, today);
    let mut found = Gathered::default();
    artifact::content(facts, &mut found);
    found.extend(limits::everywhere(policy, facts));
    match rule {
        Some(rule) => {
            found.extend(artifact::kind(rule, facts));
            found.extend(limits::of_rule(rule, facts));
            found.extend(requirements::findings(rule, facts));
        }
        None => found.extend(artifact::no_rule(policy, facts)),
    }
    imports::findings(&judge, &mut found);
    found.extend(exports::findings(&judge));
    if let Some(rule) = rule {
        novelty::findings(rule, &judge, &mut found);
        found.extend(attestations::findings(policy, rule, facts, today));
    }
    found.decision()
}

/// A finding with its three necessary parts.
fn finding(code: Code, effect: Effect, message: String, help: String) -> Finding {
    Finding {
        code,
        effect,
        rule: None,
        place: None,
        message,
        reason: None,
        path: None,
        import: None,
        functions: Vec::new(),
        capability: None,
        allowed: Texts::default(),
        entry: None,
        help,
        found: Vec::new(),
        more: 0,
    }
}

/// What a finding of `rule` does: one that only watches warns.
fn effect(rule: &Rule, enforced: Effect) -> Effect {
    match rule.mode {
        Mode::Enforce => enforced,
        Mode::Audit => Effect::Warn,
    }
}

#[cfg(test)]
mod tests;
