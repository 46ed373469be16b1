//! Decisions as SARIF 2.1.0, as GitHub's code scanning takes it.

mod rule;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Value, json};
use wasmport_artifact::Digest;

use super::excerpt::clean;
use super::{Decision, words};
use crate::finding::{Code, Effect, Finding, Place};
use crate::policy::{Lint, Policy, PolicyWarning};

/// Where the schema of the format is.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// How many imports of a finding are logical locations of it.
const NAMES: usize = 100;

/// A decision, and on what it was taken.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// The decision.
    pub decision: &'a Decision,
    /// The policy that it was taken on.
    pub policy: &'a Policy,
    /// The path of the artifact, or the reference to it.
    pub artifact: &'a str,
    /// The repository that it is meant for.
    pub repository: &'a str,
}

impl Judged<'_> {
    /// A log with the findings of all, and with what makes no sense in their policy, made by
    /// `version` of this program.
    pub fn to_sarif(all: &[Self], warnings: &[PolicyWarning], version: &str) -> Value {
        let grouped: Vec<_> = all
            .iter()
            .map(|judged| (judged, judged.decision.grouped()))
            .collect();
        let findings = grouped.iter().flat_map(|(_, decision)| &decision.findings);
        let codes: BTreeSet<Code> = findings.map(|finding| finding.code).collect();
        let lints: BTreeSet<Lint> = warnings.iter().map(|warning| warning.code).collect();
        let index = |id: &str| {
            let ids = codes.iter().map(|code| code.as_str());
            let mut ids = ids.chain(lints.iter().map(|lint| lint.as_str()));
            ids.position(|known| known == id).unwrap_or_default()
        };
        let results = grouped.iter().flat_map(|(judged, decision)| {
            let findings = decision.findings.iter();
            findings.map(|finding| judged.result(finding, index(finding.code.as_str())))
        });
        let warnings = warnings.iter();
        let warnings = warnings.map(|it| about_policy(it, index(it.code.as_str())));
        let results: Vec<Value> = results.chain(warnings).collect();
        let rules = codes.iter().map(|code| rule::of_code(*code));
        let rules: Vec<Value> = rules
            .chain(lints.iter().map(|lint| rule::of_lint(*lint)))
            .collect();
        log(
            version,
            &rules,
            &results,
            &json!({ "executionSuccessful": true }),
        )
    }

    fn result(&self, finding: &Finding, index: usize) -> Value {
        let in_policy = finding.place.as_ref().filter(|_| !self.policy.is_preset());
        let artifact = json!({ "artifactLocation": { "uri": uri(self.artifact) } });
        let mut first = in_policy.map_or_else(
            || json!({ "physicalLocation": artifact }),
            |place| json!({ "physicalLocation": physical(place) }),
        );
        let names = logical(finding);
        if !names.is_empty() {
            insert(&mut first, "logicalLocations", Value::Array(names));
        }
        let mut result = json!({
            "ruleId": finding.code.as_str(),
            "ruleIndex": index,
            "level": level(finding.effect),
            "message": { "text": escaped(&words::lines(finding)) },
            "locations": [first],
            "partialFingerprints": { "primaryLocationLineHash": self.fingerprint(finding) },
        });
        if in_policy.is_some() {
            let message = json!({ "text": "the artifact" });
            let related = json!([{ "id": 1, "physicalLocation": artifact, "message": message }]);
            insert(&mut result, "relatedLocations", related);
        }
        if let Ok(details) = serde_json::to_value(finding) {
            insert(&mut result, "properties", json!({ "finding": details }));
        }
        result
    }

    /// Stays the same when the policy's lines move; GitHub knows by it what it has shown.
    fn fingerprint(&self, finding: &Finding) -> String {
        let mut parts = vec![self.repository, finding.code.as_str()];
        parts.extend(finding.rule.as_deref());
        parts.extend(finding.capability.as_deref());
        parts.extend(imports(finding));
        let text = parts.join("\n");
        let digest = Digest::of(text.as_bytes()).to_string();
        format!("{}:1", short(&digest))
    }
}

/// A warning about a policy, at its place there.
fn about_policy(warning: &PolicyWarning, index: usize) -> Value {
    let PolicyWarning {
        place,
        code,
        message,
    } = warning;
    let text = format!("{code}\n{}\n{message}", place.file);
    let digest = Digest::of(text.as_bytes()).to_string();
    json!({
        "ruleId": code.as_str(),
        "ruleIndex": index,
        "level": rule::level(*code),
        "message": { "text": escaped(message) },
        "locations": [{ "physicalLocation": physical(place) }],
        "partialFingerprints": { "primaryLocationLineHash": format!("{}:1", short(&digest)) },
    })
}

/// A log that says only that no decision could be taken, and why.
pub fn failed_sarif(message: &str, version: &str) -> Value {
    let notification = json!({ "level": "error", "message": { "text": escaped(message) } });
    let invocation = json!({
        "executionSuccessful": false,
        "toolExecutionNotifications": [notification],
    });
    log(version, &[], &[], &invocation)
}

/// A log of tests of a policy that failed: file, line and what is different.
pub fn case_sarif<'a>(
    failures: impl Iterator<Item = (&'a str, usize, String)>,
    version: &str,
) -> Value {
    let results = failures.map(|(file, line, message)| {
        let digest = Digest::of(format!("{file}\n{message}").as_bytes()).to_string();
        let region = json!({ "startLine": line });
        let artifact = json!({ "uri": uri(file) });
        let place = json!({ "artifactLocation": artifact, "region": region });
        json!({
            "ruleId": "policy-test",
            "level": "error",
            "message": { "text": escaped(&message) },
            "locations": [{ "physicalLocation": place }],
            "partialFingerprints": { "primaryLocationLineHash": format!("{}:1", short(&digest)) },
        })
    });
    let rule = json!({
        "id": "policy-test",
        "shortDescription": { "text": "A policy decides otherwise than its test expects" },
        "help": { "text": "Change the policy, or what the test expects." },
    });
    let results: Vec<Value> = results.collect();
    let invocation = json!({ "executionSuccessful": true });
    log(version, &[rule], &results, &invocation)
}

/// A message without links (section 3.11.6 of SARIF) and without marks that turn text: in names
/// from outside these are none.
fn escaped(message: &str) -> String {
    let mut escaped = String::with_capacity(message.len());
    let lines: Vec<String> = message.split('\n').map(clean).collect();
    for character in lines.join("\n").chars() {
        if matches!(character, '[' | ']' | '\\') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// As many digits of a digest as tell findings apart.
fn short(digest: &str) -> &str {
    let hex = digest.split(':').next_back().unwrap_or_default();
    hex.get(..16).unwrap_or(hex)
}

fn log(version: &str, rules: &[Value], results: &[Value], invocation: &Value) -> Value {
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "wasmport",
                "semanticVersion": version,
                "rules": rules,
            } },
            "invocations": [invocation],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn level(effect: Effect) -> &'static str {
    match effect {
        Effect::Deny | Effect::Hold => "error",
        Effect::Warn => "warning",
    }
}

fn physical(place: &Place) -> Value {
    json!({
        "artifactLocation": { "uri": uri(&place.file) },
        "region": {
            "startLine": place.line,
            "startColumn": place.column,
            "endLine": place.line,
            "endColumn": place.column + place.length,
        },
    })
}

/// The imports that the finding is about.
fn logical(finding: &Finding) -> Vec<Value> {
    let names = imports(finding).take(NAMES);
    let location = |name: &str| json!({ "fullyQualifiedName": name, "kind": "module" });
    names.map(location).collect()
}

fn imports(finding: &Finding) -> impl Iterator<Item = &str> {
    let several = finding
        .found
        .iter()
        .filter_map(|found| found.import.as_deref());
    finding.import.as_deref().into_iter().chain(several)
}

/// A path as GitHub reads it: relative to the repository's root, or a `file` URI. What a
/// reference has in front of a colon must not look like a scheme.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    if path.starts_with('/') {
        uri.push_str("file://");
    }
    for byte in path.trim_start_matches("./").bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => {
                uri.push(char::from(byte));
            }
            b'\\' => uri.push('/'),
            other => {
                let _infallible = write!(uri, "%{other:02X}");
            }
        }
    }
    uri
}

fn insert(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(fields) = object {
        fields.insert(name.to_owned(), value);
    }
}

#[cfg(test)]
mod tests;
