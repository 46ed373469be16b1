//! A policy and facts in, a decision with its reasons out.

use crate::decision::Decision;
use crate::facts::Facts;
use crate::finding::{Code, Effect, Finding};
use crate::policy::Policy;

/// Applies `policy` to `facts`. Total and deterministic; what cannot be judged is denied.
pub fn decide(_policy: &Policy, facts: &Facts) -> Decision {
    Decision::of(vec![Finding {
        code: Code::NoRule,
        effect: Effect::Deny,
        rule: None,
        place: None,
        message: format!("no rule is for `{}`", facts.repository),
        import: None,
        functions: Vec::new(),
        capability: None,
        allowed: Vec::new(),
        help: "add a rule".to_owned(),
    }])
}
