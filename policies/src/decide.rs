//! A policy and facts in, a decision with its reasons out.

mod artifact;
mod attestations;
mod exports;
mod imports;
mod limits;
mod novelty;
mod requirements;
mod ruling;

use jiff::civil::Date;

use crate::decision::Decision;
use crate::facts::Facts;
use crate::finding::{Code, Effect, Finding};
use crate::policy::{Mode, Policy, Rule};
pub(crate) use ruling::{Judge, Ruling};

/// Applies `policy` to `facts` as of `today`, in UTC. Total and deterministic; what cannot be
/// judged is denied.
pub fn decide(policy: &Policy, facts: &Facts, today: Date) -> Decision {
    let rule = policy.rule(&facts.repository);
    let judge = Judge::new(policy, rule, facts, today);
    let mut findings = artifact::content(facts);
    findings.extend(limits::everywhere(policy, facts));
    match rule {
        Some(rule) => {
            findings.extend(artifact::kind(rule, facts));
            findings.extend(limits::of_rule(rule, facts));
            findings.extend(requirements::findings(rule, facts));
        }
        None => findings.extend(artifact::no_rule(policy, facts)),
    }
    findings.extend(imports::findings(&judge));
    findings.extend(exports::findings(&judge));
    if let Some(rule) = rule {
        findings.extend(novelty::findings(rule, &judge));
        findings.extend(attestations::findings(policy, rule, facts, today));
    }
    // Of an exception that will end it is said once, however many imports it lets pass.
    let mut ends = Vec::new();
    findings.retain(|finding| {
        let place = &finding.place;
        let is_new = finding.code != Code::ExceptionExpires || !ends.contains(place);
        if is_new && finding.code == Code::ExceptionExpires {
            ends.push(place.clone());
        }
        is_new
    });
    Decision::of(findings).within_limits()
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
        allowed: Vec::new(),
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
