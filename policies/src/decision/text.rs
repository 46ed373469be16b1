//! Decisions for a terminal, in the manner of rustc.

use super::{Decision, Verdict};
use crate::catalogue::plain;
use crate::finding::{Code, Effect, Finding, Place};
use crate::policy::{Policy, Source};

/// How many imports or hints of one block are shown; the JSON form has all.
const LINES: usize = 20;
/// How many functions of an import are shown.
const FUNCTIONS: usize = 3;
/// Where lines of words are broken, in characters.
const WIDTH: usize = 88;

impl Decision {
    /// The decision for a terminal, without colours. With the policy that it was taken on
    /// the line is shown that is the reason.
    pub fn to_text(&self, policy: Option<&Policy>) -> String {
        let mut text = String::new();
        for block in blocks(&self.findings) {
            block.write(&mut text, policy.map(Policy::text));
            text.push('\n');
        }
        let verdict = match self.verdict {
            Verdict::Admit => "admitted",
            Verdict::Hold => "held until this is mended",
            Verdict::Deny => "denied",
        };
        let number = match self.findings.len() {
            0 => String::new(),
            1 => ": 1 finding".to_owned(),
            many => format!(": {many} findings"),
        };
        text.push_str(verdict);
        text.push_str(&number);
        text.push('\n');
        text
    }
}

/// The place in a policy, with its line underlined when the text is at hand.
pub(crate) fn excerpt(place: &Place, source: Option<&Source>) -> String {
    let source = source.filter(|source| source.file == place.file);
    let line = source.and_then(|source| source.line(place.line));
    let number = place.line.to_string();
    let margin = " ".repeat(number.len());
    let mut text = format!("{margin}--> {}\n", clean(&place.to_string()));
    if let Some(line) = line {
        let line = clean(line.trim_end());
        let indent = " ".repeat(place.column.saturating_sub(1));
        let underline = "^".repeat(place.length);
        text.extend([
            format!("{margin} |\n"),
            format!("{number} | {line}\n"),
            format!("{margin} | {indent}{underline}\n"),
        ]);
    }
    text
}

/// Findings that differ only in their imports.
struct Block<'a> {
    findings: Vec<&'a Finding>,
    first: &'a Finding,
}

fn blocks(findings: &[Finding]) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    for finding in findings {
        match blocks.iter_mut().find(|block| block.takes(finding)) {
            Some(block) => block.findings.push(finding),
            None => blocks.push(Block {
                findings: vec![finding],
                first: finding,
            }),
        }
    }
    blocks
}

impl Block<'_> {
    fn takes(&self, finding: &Finding) -> bool {
        let key = |finding: &Finding| {
            (
                finding.code,
                finding.effect,
                finding.rule.clone(),
                finding.place.clone(),
                finding.capability.clone(),
            )
        };
        key(self.first) == key(finding)
    }

    fn write(&self, text: &mut String, source: Option<&Source>) {
        let level = match self.first.effect {
            Effect::Deny => "error",
            Effect::Hold => "held",
            Effect::Warn => "warning",
        };
        let heading = clean(&self.heading());
        text.extend([format!("{level}[{}]: {heading}\n", self.first.code)]);
        if let Some(place) = &self.first.place {
            text.push_str(&excerpt(place, source));
        }
        let found = self
            .findings
            .iter()
            .filter_map(|finding| self.found(finding));
        note(text, "found", found.collect());
        note(text, "reason", self.first.reason.iter().cloned().collect());
        if !self.first.allowed.is_empty() {
            note(text, "allowed", vec![self.first.allowed.join(", ")]);
        }
        let mut hints: Vec<String> = Vec::new();
        for finding in &self.findings {
            if !hints.contains(&finding.help) && hints.len() <= LINES {
                hints.push(finding.help.clone());
            }
        }
        note(
            text,
            "help",
            hints.iter().flat_map(|hint| wrapped(hint)).collect(),
        );
    }

    /// One sentence for all findings of the block.
    fn heading(&self) -> String {
        let number = self.findings.len();
        if number == 1 {
            return self.first.message.clone();
        }
        let capability = self.first.capability.as_deref().unwrap_or_default();
        let rule = match &self.first.rule {
            Some(rule) => format!("rule `{rule}`"),
            None => "this policy".to_owned(),
        };
        match self.first.code {
            Code::ImportNotAllowed => {
                format!("{number} imports ask for `{capability}`, which {rule} does not allow")
            }
            Code::ImportDenied => {
                format!("{number} imports ask for `{capability}`, which {rule} denies")
            }
            Code::UnknownImport => {
                format!("{number} imports are not in the catalogue, and {rule} does not name them")
            }
            Code::UnsupportedImportKind => {
                format!("{number} imports are of components, core modules or values")
            }
            Code::ConfigDisagrees => {
                format!("the config does not say what the bytes are, in {number} points")
            }
            _ => self.first.message.clone(),
        }
    }

    /// The line that one finding adds to the block, where the heading does not say it.
    fn found(&self, finding: &Finding) -> Option<String> {
        match (&finding.import, finding.code) {
            (_, Code::ConfigDisagrees) => {
                (self.findings.len() > 1).then(|| finding.message.clone())
            }
            (Some(import), _) => Some(with_functions(import, &finding.functions)),
            (None, _) => None,
        }
    }
}

fn with_functions(import: &str, functions: &[String]) -> String {
    let mut shown: Vec<&str> = functions
        .iter()
        .take(FUNCTIONS)
        .map(|function| plain(function))
        .collect();
    let more = format!("{} more", functions.len().saturating_sub(FUNCTIONS));
    if functions.len() > FUNCTIONS {
        shown.push(&more);
    }
    if shown.is_empty() {
        return import.to_owned();
    }
    format!("{import} ({})", shown.join(", "))
}

/// `= name: ` and lines below each other.
fn note(text: &mut String, name: &str, mut lines: Vec<String>) {
    if lines.len() > LINES {
        let more = lines.len() - LINES;
        lines.truncate(LINES);
        lines.push(format!("and {more} more"));
    }
    let mut lead = format!("  = {name}: ");
    for line in lines {
        text.extend([lead.as_str(), &clean(&line), "\n"]);
        lead = " ".repeat(lead.len());
    }
}

/// The text in lines of at most `WIDTH` characters, where its words allow it.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

/// The text without characters that would make a terminal do something: names of imports
/// come from outside.
fn clean(text: &str) -> String {
    let harmless = |character: char| {
        // Marks that turn the direction of text let a name look like another.
        let turns = matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if character == '\t' {
            ' '
        } else if character.is_control() || turns {
            char::REPLACEMENT_CHARACTER
        } else {
            character
        }
    };
    text.chars().map(harmless).collect()
}

#[cfg(test)]
mod tests;
