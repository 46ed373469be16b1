//! One error for every command: what kind, why, and what to do about it.

use std::error::Error as StdError;
use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;

use crate::{exit_code, output};

/// What a command answers with when it could not do what it was asked.
///
/// In a box, since it is large and every function returns one.
#[derive(Debug)]
pub(crate) struct Failure(Box<Report>);

#[derive(Debug)]
struct Report {
    kind: Kind,
    message: String,
    causes: Vec<String>,
    hint: Option<String>,
    detail: Option<Value>,
    found: Option<Value>,
    explanation: String,
    findings: Option<output::Report>,
}

/// The kind of a failure. It gives the exit code, and is `error.kind` in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// A policy does not admit the artifact.
    Denied,
    /// One artifact cannot take the place of another.
    Incompatible,
    /// The artifact does not import what was asked for.
    NotImported,
    /// The signatures that were asked for are not there.
    NotVerified,
    /// A store has defects.
    Defects,
    /// A policy decides otherwise than its tests expect.
    Test,
    /// The project does not compile.
    Compile,
    /// A program that was run ended with a failure.
    Run,
    /// The command was called wrongly.
    Usage,
    /// A file, project, layout or key is not what it should be.
    Input,
    /// There is no such artifact, file or tag.
    NotFound,
    /// The registry wants other credentials.
    Unauthorized,
    /// The registry cannot be reached, or does not answer as a registry does.
    Registry,
    /// A disk that is full, a file that cannot be written.
    Io,
    /// Somebody pressed Ctrl-C.
    Interrupted,
    /// A program is needed that is not there.
    ToolMissing,
}

impl Kind {
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Denied
            | Self::Incompatible
            | Self::NotImported
            | Self::NotVerified
            | Self::Defects
            | Self::Test
            | Self::Compile
            | Self::Run => exit_code::NO,
            Self::Usage | Self::Input => exit_code::USAGE,
            Self::NotFound
            | Self::Unauthorized
            | Self::Registry
            | Self::Io
            | Self::Interrupted
            | Self::ToolMissing => exit_code::UNDECIDED,
        }
    }
}

impl Failure {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self(Box::new(Report {
            kind,
            message: message.into(),
            causes: Vec::new(),
            hint: None,
            detail: None,
            found: None,
            explanation: String::new(),
            findings: None,
        }))
    }

    /// `failed to <what>`, with everything that led to it.
    pub(crate) fn caused(kind: Kind, what: &str, cause: &(dyn StdError + 'static)) -> Self {
        let mut failure = Self::new(kind, what);
        let mut next = Some(cause);
        while let Some(error) = next {
            let text = error.to_string();
            // Some errors print their source themselves; once is enough.
            if !failure
                .0
                .causes
                .iter()
                .any(|known: &String| known.ends_with(&text))
            {
                failure.0.causes.push(text);
            }
            next = error.source();
        }
        failure
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Words that stand before the message, such as the findings of a policy.
    pub(crate) fn explained(mut self, words: String) -> Self {
        self.0.explanation = words;
        self
    }

    pub(crate) fn detail(mut self, detail: Value) -> Self {
        self.0.detail = Some(detail);
        self
    }

    /// What the command found out before it failed; its fields stand beside `error`, as
    /// they do on success.
    pub(crate) fn found(mut self, found: &impl Serialize) -> Self {
        self.0.found = serde_json::to_value(found).ok();
        self
    }

    /// The findings in other forms, for the formats that want them.
    pub(crate) fn reported(mut self, report: Option<output::Report>) -> Self {
        self.0.findings = report;
        self
    }

    pub(crate) fn take_report(&mut self) -> Option<output::Report> {
        self.0.findings.take()
    }

    /// The message and what led to it, on one line.
    pub(crate) fn message(&self) -> String {
        let causes = self.0.causes.iter();
        let parts = std::iter::once(&self.0.message).chain(causes);
        parts.map(String::as_str).collect::<Vec<_>>().join(": ")
    }

    /// What a registry answered, or what else there is in `detail`.
    pub(crate) fn errors(&self) -> Option<&Value> {
        self.0.detail.as_ref()
    }

    /// True when the artifact is the reason, and nothing on the way to it.
    pub(crate) fn is_about_the_artifact(&self) -> bool {
        matches!(self.0.kind, Kind::Denied | Kind::NotFound | Kind::Input)
    }

    pub(crate) fn exit_code(&self) -> u8 {
        self.0.kind.exit_code()
    }

    pub(crate) fn take_found(&mut self) -> Option<Value> {
        self.0.found.take()
    }

    /// The words for a terminal.
    pub(crate) fn to_text(&self) -> String {
        let mut text = self.0.explanation.clone();
        let _infallible = writeln!(text, "error: {}", self.0.message);
        for cause in &self.0.causes {
            let _infallible = writeln!(text, "  caused by: {}", indent(cause));
        }
        if let Some(hint) = &self.0.hint {
            let _infallible = writeln!(text, "  hint: {}", indent(hint));
        }
        output::screened(&text)
    }

    /// The value of `error` in JSON.
    pub(crate) fn to_json(&self) -> Value {
        serde_json::json!({
            "kind": self.0.kind,
            "message": self.0.message,
            "causes": self.0.causes,
            "hint": self.0.hint,
            "detail": self.0.detail,
        })
    }
}

fn indent(text: &str) -> String {
    text.trim_end().replace('\n', "\n    ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_listed_once() {
        let inner = std::io::Error::other("disk on fire");
        let outer = std::io::Error::other(inner);
        let failure = Failure::caused(Kind::Io, "failed to write `x`", &outer).hint("use water");
        assert_eq!(
            failure.to_text(),
            "error: failed to write `x`\n  caused by: disk on fire\n  hint: use water\n"
        );
    }

    #[test]
    fn words_from_outside_do_not_steer_a_terminal() {
        let cause = std::io::Error::other("\u{1b}[2J\n::stop-commands::x");
        let failure = Failure::caused(Kind::Io, "a\n::error::b", &cause).hint("\r\u{202e}");
        assert_eq!(
            failure.to_text(),
            "error: a\n\u{fffd}::error::b\n  caused by: \u{fffd}[2J\n\u{fffd}    \
             ::stop-commands::x\n  hint: \u{fffd}\u{fffd}\n"
        );
    }

    #[test]
    fn every_kind_has_the_documented_exit_code() {
        assert_eq!(Kind::Denied.exit_code(), 1);
        assert_eq!(Kind::Input.exit_code(), 2);
        assert_eq!(Kind::Registry.exit_code(), 3);
    }
}
