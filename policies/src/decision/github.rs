//! Decisions as annotations of GitHub's workflows.

use super::excerpt::clean;
use super::{Decision, words};
use crate::finding::{Effect, Place};
use crate::policy::{Policy, PolicyWarning, Weight};

impl Decision {
    /// A workflow command for each finding (GitHub, "Workflow commands"), each a line. They
    /// point into `policy` where that is a file, else at `artifact`.
    pub fn to_github(&self, policy: &Policy, artifact: Option<&str>) -> String {
        let mut text = String::new();
        for finding in &self.grouped().findings {
            let level = match finding.effect {
                Effect::Deny | Effect::Hold => "error",
                Effect::Warn => "warning",
            };
            let place = finding.place.as_ref().filter(|_| !policy.is_preset());
            let code = finding.code.as_str();
            let message = words::lines(finding);
            text.push_str(&command(level, location(place, artifact), code, &message));
        }
        text
    }
}

impl PolicyWarning {
    /// A workflow command that says so at the place in the policy, a line.
    pub fn to_github(&self) -> String {
        let level = match self.code.weight() {
            Weight::Warning => "warning",
            Weight::Note => "notice",
        };
        let place = location(Some(&self.place), None);
        command(level, place, self.code.as_str(), &self.message)
    }
}

fn command(
    level: &str,
    mut properties: Vec<(&'static str, String)>,
    title: &str,
    message: &str,
) -> String {
    properties.push(("title", title.to_owned()));
    let properties = properties.iter();
    let properties = properties.map(|(name, value)| format!("{name}={}", property(value)));
    let properties: Vec<String> = properties.collect();
    format!("::{level} {}::{}\n", properties.join(","), data(message))
}

/// An error without a place, such as that no decision could be taken.
pub fn annotation(message: &str) -> String {
    format!("::error title=wasmport::{}\n", data(message))
}

/// An error at a line of a file.
pub fn annotation_at(file: &str, line: usize, title: &str, message: &str) -> String {
    let (file, title) = (property(file), property(title));
    format!(
        "::error file={file},line={line},title={title}::{}\n",
        data(message)
    )
}

fn location(place: Option<&Place>, artifact: Option<&str>) -> Vec<(&'static str, String)> {
    let Some(place) = place else {
        let file = artifact.map(|artifact| ("file", artifact.to_owned()));
        return file.into_iter().collect();
    };
    vec![
        ("file", place.file.clone()),
        ("line", place.line.to_string()),
        ("endLine", place.line.to_string()),
        ("col", place.column.to_string()),
        ("endColumn", (place.column + place.length).to_string()),
    ]
}

/// What follows `::` ends with the line (`@actions/core`, `escapeData`), and is shown by a
/// terminal of a kind.
fn data(text: &str) -> String {
    let lines = text
        .split('\n')
        .map(|line| clean(line.trim_end_matches('\r')));
    let lines: Vec<String> = lines.collect();
    lines.join("\n").replace('%', "%25").replace('\n', "%0A")
}

/// Properties end with a comma or a colon too (`@actions/core`, `escapeProperty`).
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{finding, policy};
    use super::*;

    #[test]
    fn a_finding_points_at_the_line_of_the_policy() {
        let decision = Decision::of(vec![finding("wasi:sockets/tcp@0.2.6", &["a"])]);
        assert_eq!(
            decision.to_github(&policy("p.toml"), Some("app.wasm")),
            "::error file=p.toml,line=5,endLine=5,col=9,endColumn=16,title=import-not-allowed::\
             `wasi:sockets/tcp@0.2.6` asks for `sockets`, which rule `r` does not allow%0A\
             Help: leave it\n"
        );
    }

    #[test]
    fn without_a_file_it_points_at_the_artifact() {
        let decision = Decision::of(vec![finding("x", &[])]);
        let text = decision.to_github(&policy("preset:mine"), Some("a,b:c%.wasm"));
        assert!(
            text.starts_with("::error file=a%2Cb%3Ac%25.wasm,title=import-not-allowed::"),
            "{text}"
        );
        let text = decision.to_github(&policy("preset:mine"), None);
        assert!(text.starts_with("::error title=import"), "{text}");
    }

    #[test]
    fn names_cannot_begin_a_command_of_their_own() {
        let evil = "x\n::set-env name=PATH::/evil\r\n::error::%0A\u{1b}[2J\u{202e}";
        let decision = Decision::of(vec![finding(evil, &[]), finding(evil, &[])]);
        let text = decision.to_github(&policy("p.toml"), None);
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(
            text.contains("%0A::set-env") && text.contains("%250A"),
            "{text}"
        );
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
    }

    #[test]
    fn many_imports_are_one_annotation() {
        let findings = (0..50).map(|number| finding(&format!("a:b/c{number}"), &[]));
        let text = Decision::of(findings.collect()).to_github(&policy("p.toml"), None);
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains("%0A- a:b/c9%0A- and 40 more%0A"), "{text}");
    }

    #[test]
    fn warnings_about_the_policy_point_at_their_lines() {
        let text = "schema = 1\n[signer.a]\nkey = \"a\"\nnot-after = 2026-11-20\n";
        let policy = Policy::parse("p,1.toml", text).unwrap();
        let warnings = policy.warnings(jiff::civil::date(2026, 11, 21));
        let lines: String = warnings.iter().map(PolicyWarning::to_github).collect();
        assert_eq!(
            lines,
            "::notice file=p%2C1.toml,line=2,endLine=2,col=9,endColumn=10,title=never-used::\
             no rule asks for the signer `a`\n\
             ::warning file=p%2C1.toml,line=2,endLine=2,col=9,endColumn=10,title=ended::\
             the signer `a` is believed until 2026-11-20 only\n"
        );
    }
}
