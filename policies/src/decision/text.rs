//! Decisions for a terminal, in the manner of rustc.

use wasmport_artifact::InterfaceName;

use super::excerpt::{clean, painted};
use super::paint::{Paint, Part};
use super::{Decision, Verdict};
use crate::catalogue::plain;
use crate::finding::{Code, Effect, Finding};
use crate::policy::Policy;

/// How many imports or hints of one finding are shown; the JSON form has all.
const LINES: usize = 20;
/// How many functions of an import are shown.
const FUNCTIONS: usize = 3;
/// Where lines of words are broken, in characters.
const WIDTH: usize = 88;

impl Decision {
    /// The decision for a terminal, without colours. With the policy that it was taken on
    /// the line is shown that is the reason.
    pub fn to_text(&self, policy: Option<&Policy>) -> String {
        self.written(policy, Paint::OFF)
    }

    /// The same with the escapes that colour a terminal.
    pub fn to_coloured_text(&self, policy: Option<&Policy>) -> String {
        self.written(policy, Paint { is_on: true })
    }

    fn written(&self, policy: Option<&Policy>, paint: Paint) -> String {
        let grouped = self.grouped();
        let mut text = String::new();
        for finding in &grouped.findings {
            let mut block = Block {
                text: &mut text,
                policy,
                paint,
            };
            block.write(finding);
            text.push('\n');
        }
        let (part, verdict) = match self.verdict {
            Verdict::Admit => (Part::Good, "admitted"),
            Verdict::Hold => (Part::Level(Effect::Hold), "held until this is mended"),
            Verdict::Deny => (Part::Level(Effect::Deny), "denied"),
        };
        let counts = grouped.findings.iter().map(Finding::count);
        let number = match counts.sum::<usize>() + self.more {
            0 => String::new(),
            1 => ": 1 finding".to_owned(),
            many => format!(": {many} findings"),
        };
        text.extend([&paint.paint(part, verdict), number.as_str(), "\n"]);
        text
    }
}

/// The text of one finding.
struct Block<'a> {
    text: &'a mut String,
    policy: Option<&'a Policy>,
    paint: Paint,
}

impl Block<'_> {
    fn write(&mut self, finding: &Finding) {
        let level = match finding.effect {
            Effect::Deny => "error",
            Effect::Hold => "held",
            Effect::Warn => "warning",
        };
        let level = format!("{level}[{}]", finding.code);
        let level = self.paint.paint(Part::Level(finding.effect), &level);
        let heading = clean(&format!(": {}", finding.message));
        let heading = self.paint.paint(Part::Heading, &heading);
        self.text.extend([level.as_str(), &heading, "\n"]);
        if let Some(place) = &finding.place {
            let source = self.policy.and_then(|policy| policy.sources().of(place));
            let excerpt = painted(place, source, finding.effect, self.paint);
            self.text.push_str(&excerpt);
        }
        self.note("found", found(finding), finding.more);
        self.note("reason", finding.reason.iter().cloned().collect(), 0);
        if !finding.allowed.is_empty() {
            self.note("allowed", wrapped(&finding.allowed.join(", ")), 0);
        }
        let hints = hints(finding);
        self.note(
            "help",
            hints.iter().flat_map(|hint| wrapped(hint)).collect(),
            0,
        );
    }

    /// `= name: ` and lines below each other.
    fn note(&mut self, name: &str, mut lines: Vec<String>, more: usize) {
        let more = more + lines.len().saturating_sub(LINES);
        lines.truncate(LINES);
        if more > 0 {
            lines.push(format!("and {more} more"));
        }
        let sign = self.paint.paint(Part::Frame, "=");
        let mut lead = format!("  {sign} {name}: ");
        for line in lines {
            self.text.extend([lead.as_str(), &clean(&line), "\n"]);
            lead = " ".repeat("  = : ".len() + name.len());
        }
    }
}

/// A line for each thing that the finding is about, where the heading does not say it.
fn found(finding: &Finding) -> Vec<String> {
    let own = finding
        .import
        .as_ref()
        .filter(|_| finding.code != Code::ConfigDisagrees);
    let own = own.map(|import| with_functions(import, &finding.functions));
    let several = finding.found.iter().filter_map(|found| {
        let import = found.import.as_ref();
        let import = import.map(|import| with_functions(import, &found.functions));
        found.message.clone().or(import)
    });
    own.into_iter().chain(several).collect()
}

/// What to do, without saying anything twice.
fn hints(finding: &Finding) -> Vec<&str> {
    let mut hints = vec![finding.help.as_str()];
    for help in finding
        .found
        .iter()
        .filter_map(|found| found.help.as_deref())
    {
        if !hints.contains(&help) && hints.len() < LINES {
            hints.push(help);
        }
    }
    hints
}

fn with_functions(import: &str, functions: &[String]) -> String {
    let is_interface = import.parse::<InterfaceName>().is_ok();
    let mut shown: Vec<&str> = functions
        .iter()
        .take(FUNCTIONS)
        .map(|function| {
            if is_interface {
                plain(function)
            } else {
                function
            }
        })
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

#[cfg(test)]
mod tests;
