//! What a code means, from the reference that people read.

use serde_json::{Value, json};

use crate::finding::Code;
use crate::policy::{Lint, Weight};

/// The page with a section on every code; a test holds that.
const REFERENCE: &str = include_str!("../../../../docs/policy-reference.md");

/// What a finding is of (SARIF 2.1.0, section 3.49).
pub(super) fn of_code(code: Code) -> Value {
    describe(code.as_str(), "error", &["security", "webassembly"])
}

/// What a warning about the policy is of.
pub(super) fn of_lint(lint: Lint) -> Value {
    describe(
        lint.as_str(),
        level(lint),
        &["maintainability", "webassembly"],
    )
}

/// How much a warning about the policy matters.
pub(super) fn level(lint: Lint) -> &'static str {
    match lint.weight() {
        Weight::Warning => "warning",
        Weight::Note => "note",
    }
}

fn describe(id: &str, level: &str, tags: &[&str]) -> Value {
    let section = section(id);
    let what = plain(part(section, "What").unwrap_or(section));
    let short = what.split_inclusive(". ").next().unwrap_or(&what).trim();
    json!({
        "id": id,
        "name": name(id),
        "shortDescription": { "text": short },
        "fullDescription": { "text": what },
        "help": { "text": plain(section), "markdown": section },
        "defaultConfiguration": { "level": level },
        "properties": { "tags": tags, "precision": "very-high" },
    })
}

fn section(id: &str) -> &'static str {
    let heading = format!("\n### `{id}`\n");
    let section = REFERENCE.split_once(&heading).map_or("", |(_, rest)| rest);
    let end = section
        .find("\n### ")
        .into_iter()
        .chain(section.find("\n## "));
    let end = end.min().unwrap_or(section.len());
    section.get(..end).unwrap_or(section).trim()
}

/// The paragraph that begins with `**name.**`.
fn part(section: &'static str, name: &str) -> Option<&'static str> {
    let (_, rest) = section.split_once(&format!("**{name}.**"))?;
    Some(rest.split("\n\n").next().unwrap_or(rest).trim())
}

/// Without Markdown, on one line for each paragraph.
fn plain(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(|paragraph| {
        let words: Vec<&str> = paragraph.split_whitespace().collect();
        words.join(" ").replace("**", "").replace('`', "")
    });
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

/// `import-not-allowed` as `ImportNotAllowed`.
fn name(id: &str) -> String {
    let words = id.split('-').map(|word| {
        let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        format!("{}{rest}", first.to_uppercase())
    });
    words.collect()
}
