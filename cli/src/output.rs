//! Data on stdout, words and progress on stderr; as text or as JSON.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use clap::ValueEnum;
use serde::Serialize;
use serde_json::{Value, json};
use wasmport_policies::{annotation, clean, failed_sarif};

use crate::error::Failure;

/// How a command answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object on one line, on success and on failure.
    Json,
    /// SARIF 2.1.0 for code scanning (`check` and `policy test`).
    Sarif,
    /// Annotations of GitHub's workflows (`check` and `policy test`).
    Github,
}

/// Findings in the forms that only commands with findings have.
#[derive(Debug)]
pub(crate) struct Report {
    /// A SARIF log.
    pub(crate) sarif: Value,
    /// Workflow commands, each a line.
    pub(crate) github: String,
}

/// The answer of a command in both forms.
pub(crate) trait Answer: Serialize {
    /// The text form, without a line break at the end.
    fn to_text(&self) -> String;

    /// The findings, when the command has some.
    fn report(&self) -> Option<Report> {
        None
    }
}

/// Where a command's words and data go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    command: &'static str,
    format: Format,
}

/// The version of the JSON form. Fields may be added under the same version.
const SCHEMA_VERSION: u32 = 1;

impl Output {
    pub(crate) fn new(command: &'static str, format: Format) -> Self {
        Self { command, format }
    }

    /// Prints the answer of a command that did what it was asked.
    pub(crate) fn success(&self, answer: &impl Answer) -> io::Result<()> {
        match self.format {
            Format::Text => print(&screened(&answer.to_text())),
            Format::Json => print(&harmless(
                &self.envelope(serde_json::to_value(answer)?, None),
            )),
            Format::Sarif | Format::Github => {
                note(&screened(&answer.to_text()));
                self.print_report(answer.report())
            }
        }
    }

    /// Prints why a command did not do what it was asked, with what it found out before.
    pub(crate) fn failure(&self, mut failure: Failure) -> io::Result<()> {
        match self.format {
            Format::Text => {
                note(failure.to_text().trim_end());
                Ok(())
            }
            Format::Sarif | Format::Github => {
                note(failure.to_text().trim_end());
                let message = failure.message();
                let report = failure.take_report();
                self.print_report(report.or_else(|| Some(Report::failed(&message))))
            }
            Format::Json => {
                let found = failure.take_found().unwrap_or_else(|| json!({}));
                print(&harmless(&self.envelope(found, Some(&failure))))
            }
        }
    }

    fn print_report(&self, report: Option<Report>) -> io::Result<()> {
        match (self.format, report) {
            (Format::Sarif, Some(report)) => print(&harmless(&report.sarif)),
            (Format::Github, Some(report)) if !report.github.is_empty() => print(&report.github),
            _ => Ok(()),
        }
    }

    /// `{"schemaVersion", "command", "ok", "error", …the fields of the answer}`.
    fn envelope(&self, answer: Value, failure: Option<&Failure>) -> Value {
        let mut object = json!({
            "schemaVersion": SCHEMA_VERSION,
            "command": self.command,
            "ok": failure.is_none(),
            "error": failure.map(Failure::to_json),
        });
        if let (Some(object), Value::Object(answer)) = (object.as_object_mut(), answer) {
            object.extend(answer);
        }
        object
    }
}

impl Report {
    /// No decision could be taken.
    fn failed(message: &str) -> Self {
        Self {
            sarif: failed_sarif(message, env!("CARGO_PKG_VERSION")),
            github: annotation(message),
        }
    }
}

/// What GitHub's runner takes for the beginning of a command, anywhere in a line
/// (`ActionCommand.TryParse` in actions/runner).
const OLD_COMMAND: &str = "##[";

/// The colours that decisions have on a terminal.
const COLOURS: [&str; 7] = [
    "[0m", "[1m", "[1;31m", "[1;32m", "[1;33m", "[1;34m", "[1;35m",
];

/// The text without what would steer a terminal, or GitHub's runner, that takes lines which
/// begin with `::` for commands: names come from outside. Only our own colours pass.
pub(crate) fn screened(text: &str) -> String {
    let lines = text.split('\n').map(|line| {
        let mut parts = line.split('\u{1b}');
        let mut screened = clean(parts.next().unwrap_or_default());
        for part in parts {
            let is_colour = COLOURS.iter().any(|colour| part.starts_with(colour));
            screened.push(if is_colour {
                '\u{1b}'
            } else {
                char::REPLACEMENT_CHARACTER
            });
            screened.push_str(&clean(part));
        }
        // The runner's older commands are commands wherever they stand in a line.
        let mut screened = screened.replace(OLD_COMMAND, "##\u{fffd}[");
        // rustc has lines with `:::`, which are no commands.
        let words = screened.trim_start();
        if words.starts_with("::") && !words.starts_with(":::") {
            screened.insert(0, char::REPLACEMENT_CHARACTER);
        }
        screened
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// JSON on one line that says the same, and in which neither a terminal nor GitHub's runner finds
/// a command: what would be one stands in strings, where it can be written otherwise.
fn harmless(json: &Value) -> String {
    let text = json.to_string();
    let mut harmless = String::with_capacity(text.len());
    for character in text.chars() {
        let cleaned = clean(character.encode_utf8(&mut [0; 4]));
        if cleaned.chars().eq([char::REPLACEMENT_CHARACTER]) {
            // One character may be two code units.
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _infallible = write!(harmless, "\\u{unit:04x}");
            }
        } else {
            harmless.push(character);
        }
    }
    harmless.replace(OLD_COMMAND, "##\\u005b")
}

/// Says what is going on, on stderr.
pub(crate) fn note(words: &str) {
    // Nobody is there to be told that stderr is closed.
    let _closed = writeln!(io::stderr().lock(), "{words}");
}

fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        stdout.write_all(b"\n")?;
    }
    stdout.flush()
}

/// `52.0 kB`: sizes for people, in powers of ten as registries count them.
pub(crate) fn human_size(bytes: u64) -> String {
    let tenths = |unit: u64| format!("{}.{}", bytes / unit, (bytes % unit) * 10 / unit);
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} kB", tenths(1_000)),
        1_000_000..1_000_000_000 => format!("{} MB", tenths(1_000_000)),
        _ => format!("{} GB", tenths(1_000_000_000)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    #[test]
    fn success_and_failure_have_the_same_outline() {
        let output = Output::new("push", Format::Json);
        let success = output.envelope(json!({"digest": "sha256:1"}), None);
        assert_eq!(
            (&success["ok"], &success["digest"]),
            (&json!(true), &json!("sha256:1"))
        );
        let failure = output.envelope(json!({}), Some(&Failure::new(Kind::Denied, "no")));
        assert_eq!(
            (&failure["ok"], &failure["error"]["kind"]),
            (&json!(false), &json!("denied"))
        );
        assert_eq!(success["command"], failure["command"]);
    }

    #[test]
    fn only_our_own_colours_reach_a_terminal() {
        let ours = "\u{1b}[1;31merror\u{1b}[0m: no\n  caused by: 港";
        assert_eq!(screened(ours), ours);
        let theirs = "a\u{1b}[2Jb\u{1b}]0;c\u{7}\rd\u{202e}e\n  ::stop-commands::x";
        assert_eq!(
            screened(theirs),
            "a\u{fffd}[2Jb\u{fffd}]0;c\u{fffd}\u{fffd}d\u{fffd}e\n\u{fffd}  ::stop-commands::x"
        );
    }

    #[test]
    fn json_holds_no_command_and_says_the_same() {
        let name = "a##[add-mask]b\u{202e}\u{1b}[2J\u{7f}\u{85}\u{feff}\u{e0041}\u{fffd}港";
        let value = json!({ "name": name, name: 1 });
        let text = harmless(&value);
        assert!(!text.contains("##["), "{text}");
        assert_eq!(clean(&text), text);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }

    #[test]
    fn an_old_command_of_the_runner_is_none_anywhere_in_a_line() {
        assert_eq!(
            screened("a ##[error]b ###[x"),
            "a ##\u{fffd}[error]b ###\u{fffd}[x"
        );
    }

    #[test]
    fn sizes_have_one_decimal() {
        let sizes = [999, 1_000, 81_981, 15_800_000, 2_000_000_000].map(human_size);
        assert_eq!(sizes, ["999 B", "1.0 kB", "81.9 kB", "15.8 MB", "2.0 GB"]);
    }
}
