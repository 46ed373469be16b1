//! A policy and facts in, a decision with its reasons out.

mod artifact;
mod imports;

use jiff::civil::Date;

use crate::decision::Decision;
use crate::facts::Facts;
use crate::finding::{Code, Effect, Finding};
use crate::policy::Policy;

/// Applies `policy` to `facts` as of `today`, in UTC. Total and deterministic; what cannot be
/// judged is denied.
pub fn decide(policy: &Policy, facts: &Facts, _today: Date) -> Decision {
    let rule = policy.rule(&facts.repository);
    let mut findings = artifact::content(facts);
    match rule {
        Some(rule) => findings.extend(artifact::kind(rule, facts)),
        None => findings.extend(artifact::no_rule(policy, facts)),
    }
    findings.extend(imports::findings(policy, rule, facts));
    findings.extend(rule.and_then(|rule| artifact::signatures(rule, facts)));
    Decision::of(findings)
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
        import: None,
        functions: Vec::new(),
        capability: None,
        allowed: Vec::new(),
        help,
        found: Vec::new(),
        more: 0,
    }
}

#[cfg(test)]
mod tests;
