//! The answer to a push or a pull, with every reason for it.

mod excerpt;
mod github;
mod group;
mod paint;
mod sarif;
mod text;
mod words;

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::finding::{Effect, Finding, is_zero};
pub use excerpt::clean;
pub(crate) use excerpt::excerpt;
pub use github::{annotation, annotation_at};
pub use sarif::{Judged, case_sarif, failed_sarif};

/// How many findings a decision keeps. An artifact may have a hundred thousand imports, and
/// decisions are kept in memory.
const FINDINGS: usize = 1_000;

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

    /// The same decision with as many findings as are kept; the others are counted.
    pub(crate) fn within_limits(mut self) -> Self {
        let more = self.findings.len().saturating_sub(FINDINGS);
        if more > 0 {
            self.findings = weightiest(self.findings);
            self.more += more;
        }
        self
    }
}

/// As many findings as are kept, in their order: those with the worst effect, and of these the
/// first of each code before the others.
fn weightiest(findings: Vec<Finding>) -> Vec<Finding> {
    let mut codes = BTreeSet::new();
    let numbered = findings.into_iter().enumerate();
    let mut ranked: Vec<_> = numbered
        .map(|(number, finding)| {
            let is_another = !codes.insert((finding.effect, finding.code));
            ((Reverse(finding.effect), is_another, number), finding)
        })
        .collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.truncate(FINDINGS);
    ranked.sort_by_key(|((_, _, number), _)| *number);
    ranked.into_iter().map(|(_, finding)| finding).collect()
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
