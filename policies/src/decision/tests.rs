//! What the tests of the writers have in common.

use crate::finding::{Code, Effect, Finding, Place};
use crate::policy::Policy;

pub(super) fn finding(import: &str, functions: &[&str]) -> Finding {
    Finding {
        code: Code::ImportNotAllowed,
        effect: Effect::Deny,
        rule: Some("r".to_owned()),
        place: Some(Place {
            file: "p.toml".to_owned(),
            line: 5,
            column: 9,
            length: 7,
        }),
        message: format!("`{import}` asks for `sockets`, which rule `r` does not allow"),
        reason: None,
        path: None,
        import: Some(import.to_owned()),
        functions: functions.iter().map(ToString::to_string).collect(),
        capability: Some("sockets".to_owned()),
        allowed: ["std"].into_iter().collect(),
        entry: None,
        help: "leave it".to_owned(),
        found: Vec::new(),
        more: 0,
    }
}

pub(super) fn policy(name: &str) -> Policy {
    let text = "schema = 1\n[[rule]]\nid = \"r\"\nrepositories = [\"**\"]\nallow = [\"std\"]\n";
    Policy::parse(name, text).unwrap()
}
