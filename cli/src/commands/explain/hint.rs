//! What to type to see where a refused import comes from.

use wasmport_policies::{Code, Decision, Effect, Finding};

/// The command that explains the first import for which `artifact` is refused; none for a
/// name that a shell would not take as it is.
pub(crate) fn hint(decision: &Decision, artifact: &str) -> Option<String> {
    let import = decision.findings.iter().find_map(refused_import)?;
    let import = import.split_once('@').map_or(import, |(name, _)| name);
    let is_plain =
        |character: char| character.is_ascii_alphanumeric() || ":/@.-_".contains(character);
    if import.is_empty() || import.starts_with('-') || !import.chars().all(is_plain) {
        return None;
    }
    Some(format!(
        "`wasmport explain {artifact} {import}` says which functions lead to it"
    ))
}

fn refused_import(finding: &Finding) -> Option<&str> {
    let is_import = matches!(
        finding.code,
        Code::ImportDenied | Code::ImportNotAllowed | Code::UnknownImport | Code::NewCapability
    );
    if !is_import || finding.effect == Effect::Warn {
        return None;
    }
    let first = finding
        .found
        .first()
        .and_then(|found| found.import.as_deref());
    finding.import.as_deref().or(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(effect: &str, finding: &str) -> Decision {
        serde_json::from_str(&format!(
            r#"{{"verdict": "deny", "findings": [{{"code": "import-not-allowed",
                "effect": "{effect}", "message": "no", "help": "", {finding}}}]}}"#
        ))
        .unwrap()
    }

    #[test]
    fn the_first_refused_import_is_named_without_its_version() {
        let alone = decision("deny", r#""import": "wasi:sockets/tcp@0.2.6""#);
        let grouped = decision("deny", r#""found": [{"import": "wasi:sockets/tcp@0.2.6"}]"#);
        for decision in [alone, grouped] {
            assert_eq!(
                hint(&decision, "app.wasm").unwrap(),
                "`wasmport explain app.wasm wasi:sockets/tcp` says which functions lead to it"
            );
        }
    }

    #[test]
    fn a_name_that_is_not_plain_is_not_to_be_typed() {
        for name in [
            "a;rm b",
            "$(x)",
            "a`b",
            "a\\n::stop-commands::x",
            "\\u001b[2J",
            "--help",
            "",
        ] {
            let decision = decision("deny", &format!(r#""import": "{name}""#));
            assert_eq!(hint(&decision, "app.wasm"), None, "{name}");
        }
    }
}
