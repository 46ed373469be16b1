//! The answer to a push or a pull, with every reason for it.

mod excerpt;
mod gathered;
mod github;
mod group;
mod paint;
mod sarif;
mod text;
mod words;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::finding::{Effect, Finding, is_zero};
pub use excerpt::clean;
pub(crate) use excerpt::excerpt;
pub(crate) use gathered::Gathered;
pub use github::{annotation, annotation_at};
pub use sarif::{Judged, case_sarif, failed_sarif};

/// What shall happen to an artifact, and why.
///
/// Its JSON form is what `--format json` prints and what the registry answers in the
/// `detail` of a 403.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What shall happen.
    pub verdict: Verdict,
    /// The reasons: all, or of more than a thousand those that count most.
    pub findings: Vec<Finding>,
    /// How many findings were left out, where only so much could be sent.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: usize,
}

/// What shall happen to an artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Anyone may have it.
    Admit,
    /// It waits for something that may still arrive, such as a signature.
    Hold,
    /// It is refused.
    Deny,
}

impl Decision {
    /// The decision that follows from these findings: the worst of their effects.
    pub(crate) fn of(findings: Vec<Finding>) -> Self {
        let worst = findings.iter().map(|finding| finding.effect).max();
        let verdict = match worst {
            Some(Effect::Deny) => Verdict::Deny,
            Some(Effect::Hold) => Verdict::Hold,
            Some(Effect::Warn) | None => Verdict::Admit,
        };
        Self {
            verdict,
            findings,
            more: 0,
        }
    }

    /// The stricter of two decisions on the same, with the findings of both, as far as decisions
    /// keep them.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        let (strict, mild) = if other.verdict > self.verdict {
            (other, self)
        } else {
            (self, other)
        };
        let more = strict.more + mild.more;
        let others = mild.findings.into_iter();
        let others: Vec<Finding> = others
            .filter(|finding| !strict.findings.contains(finding))
            .collect();
        let mut gathered = Gathered::default();
        gathered.extend(strict.findings.into_iter().chain(others));
        let joined = gathered.decision();
        Self {
            verdict: strict.verdict,
            more: joined.more + more,
            ..joined
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Admit => "admit",
            Self::Hold => "hold",
            Self::Deny => "deny",
        })
    }
}

#[cfg(test)]
mod tests;
