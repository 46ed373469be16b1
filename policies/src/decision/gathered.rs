//! Findings while they are found: those that count most are kept, and the others counted, so that
//! what decisions cost does not grow with the number of reasons.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::Decision;
use super::group::cut;
use crate::finding::{Code, Effect, Finding, Place};

/// How many findings a decision keeps. An artifact may have a hundred thousand imports, and
/// decisions are kept in memory.
const FINDINGS: usize = 1_000;

/// How much text they have together, in bytes, but for the first. Names come from outside, and
/// one may have a hundred kilobytes.
const TEXT: usize = 4 << 20;

/// How many functions a finding tells.
const FUNCTIONS: usize = 1_000;

/// What a finding counts: those with the worst effect before others, and of these the first of
/// each code before the second; otherwise in their order.
type Rank = (Reverse<Effect>, bool, usize);

/// Findings, of which so many are kept as a decision may have.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    kept: Vec<(Rank, Finding)>,
    codes: BTreeSet<(Effect, Code)>,
    /// Exceptions of which it was said that they end: that is said once, however many imports
    /// they let pass.
    ends: BTreeSet<Option<Place>>,
    number: usize,
    text: usize,
    more: usize,
}

impl Gathered {
    pub(crate) fn push(&mut self, mut finding: Finding) {
        if finding.code == Code::ExceptionExpires && !self.ends.insert(finding.place.clone()) {
            return;
        }
        let is_another = !self.codes.insert((finding.effect, finding.code));
        let rank = (Reverse(finding.effect), is_another, self.number);
        self.number += 1;
        cut(&mut finding.functions, FUNCTIONS);
        self.text += text(&finding);
        self.kept.push((rank, finding));
        // Seldom enough that sorting costs little.
        if self.kept.len() >= 2 * FINDINGS || self.text >= 2 * TEXT {
            self.prune();
        }
    }

    /// The decision that follows.
    pub(crate) fn decision(mut self) -> Decision {
        self.prune();
        self.kept.sort_by_key(|((_, _, number), _)| *number);
        let findings = self.kept.into_iter().map(|(_, finding)| finding);
        Decision {
            more: self.more,
            ..Decision::of(findings.collect())
        }
    }

    fn prune(&mut self) {
        self.kept.sort_by_key(|(rank, _)| *rank);
        let mut sum = 0;
        let fit = self.kept.iter().take(FINDINGS).take_while(|(_, finding)| {
            let is_first = sum == 0;
            sum += text(finding);
            is_first || sum <= TEXT
        });
        let fit = fit.count();
        self.more += self.kept.len() - fit;
        self.kept.truncate(fit);
        self.text = self.kept.iter().map(|(_, finding)| text(finding)).sum();
    }
}

/// How much text a finding has that is its own, in bytes.
fn text(finding: &Finding) -> usize {
    let functions = finding.functions.iter();
    let optional = finding
        .import
        .iter()
        .chain(&finding.entry)
        .chain(&finding.path);
    let all = functions
        .chain(optional)
        .chain([&finding.message, &finding.help]);
    all.map(String::len).sum()
}

impl Extend<Finding> for Gathered {
    fn extend<T: IntoIterator<Item = Finding>>(&mut self, findings: T) {
        for finding in findings {
            self.push(finding);
        }
    }
}
