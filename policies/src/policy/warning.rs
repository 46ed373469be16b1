//! What makes no sense in a policy, and is no error: what never matches, is never used, or
//! has ended.

mod entries;
mod exceptions;

use std::collections::BTreeSet;
use std::fmt;

use jiff::civil::Date;
use serde::Serialize;

use crate::decision::excerpt;
use crate::finding::Place;
use crate::policy::rule::Signatures;
use crate::policy::{Placed, Policy};

/// How many pairs of entries of two lists are compared at most. Nobody reads what is said twice
/// in lists of thousands, and a program that wrote them can look for it better.
const PAIRS: usize = 1_000_000;

/// Something in a policy that its author would want to know.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PolicyWarning {
    /// Where.
    pub place: Place,
    /// What kind of warning; it stays the same from version to version.
    pub code: Lint,
    /// What, in one sentence.
    pub message: String,
}

/// The kinds of warnings about policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lint {
    /// An entry that names what the catalogue does not know, and so probably nothing.
    UnknownName,
    /// An entry that something else takes the effect from.
    NoEffect,
    /// An entry that says what another says already.
    SaidAlready,
    /// A name that is defined and never used.
    NeverUsed,
    /// An exception or a signer that has ended.
    Ended,
    /// An exception or a signer that will end within a month.
    EndsSoon,
    /// More signatures are asked for than can be made any more.
    NeverSatisfied,
    /// An exception, an entry or a rule that nothing needs of what was looked at.
    NotNeeded,
}

/// How much a warning matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// The policy does something else than it seems to, or soon will.
    Warning,
    /// The policy could say the same in fewer words.
    Note,
}

impl Policy {
    /// What makes no sense in it as of `today`, in the order of its files and lines.
    pub fn warnings(&self, today: Date) -> Vec<PolicyWarning> {
        let mut found = entries::warnings(self);
        found.extend(exceptions::warnings(self));
        self.exceptions_that_end(today, &mut found);
        self.signers_that_end(today, &mut found);
        self.too_few_signers(today, &mut found);
        self.unused(&mut found);
        found.sort();
        found.dedup();
        found
    }

    fn exceptions_that_end(&self, today: Date, found: &mut Vec<PolicyWarning>) {
        for exception in self.exceptions() {
            let last = exception.expires.value;
            let place = || exception.expires.place.clone();
            if !exception.holds(today) {
                let message = format!("this exception ended with {last}, and is none any more");
                found.push(PolicyWarning::new(place(), Lint::Ended, message));
            } else if today >= exception.warns_from() {
                let message = format!("this exception ends with {last}");
                found.push(PolicyWarning::new(place(), Lint::EndsSoon, message));
            }
        }
    }

    fn signers_that_end(&self, today: Date, found: &mut Vec<PolicyWarning>) {
        for signer in self.signers() {
            let (Some(last), name) = (signer.not_after, &signer.name) else {
                continue;
            };
            let place = || signer.place.clone();
            if last < today {
                let message = format!("the signer `{name}` is believed until {last} only");
                found.push(PolicyWarning::new(place(), Lint::Ended, message));
            } else if today >= super::exception::warns_from(last) {
                let message = format!("the signer `{name}` is believed until {last} only");
                found.push(PolicyWarning::new(place(), Lint::EndsSoon, message));
            }
        }
    }

    /// What waits for more signatures than signers are left to make.
    fn too_few_signers(&self, today: Date, found: &mut Vec<PolicyWarning>) {
        for (place, wanted) in self.asked_signers() {
            let signers = wanted.from.iter().filter_map(|name| self.signer(name));
            let left = signers
                .filter(|signer| signer.not_after.is_none_or(|last| today <= last))
                .count();
            if left < wanted.require {
                let message = format!(
                    "{} of {} signers have to sign, and {left} of them can",
                    wanted.require,
                    wanted.from.len()
                );
                found.push(PolicyWarning::new(
                    place.clone(),
                    Lint::NeverSatisfied,
                    message,
                ));
            }
        }
    }

    fn unused(&self, found: &mut Vec<PolicyWarning>) {
        let asked: BTreeSet<&String> = self
            .asked_signers()
            .flat_map(|(_, wanted)| &wanted.from)
            .collect();
        let unused = self.signers().iter();
        for signer in unused.filter(|signer| !asked.contains(&signer.name)) {
            let message = format!("no rule asks for the signer `{}`", signer.name);
            let place = signer.place.clone();
            found.push(PolicyWarning::new(place, Lint::NeverUsed, message));
        }
        let named: BTreeSet<&str> = self.entry_texts().collect();
        for (name, definition) in &self.body.definitions {
            if !named.contains(name.as_str()) {
                let message = format!("nothing names the capability `{name}`");
                let place = definition.place.clone();
                found.push(PolicyWarning::new(place, Lint::NeverUsed, message));
            }
        }
    }

    fn asked_signers(&self) -> impl Iterator<Item = (&Place, &Signatures)> {
        self.rules().iter().flat_map(|rule| {
            let signatures = rule.signatures.iter();
            let signatures = signatures.map(|Placed { place, value }| (place, value));
            let attestations = rule.attestations.iter();
            signatures.chain(attestations.map(|it| (&it.place, &it.value.by)))
        })
    }

    fn entry_texts(&self) -> impl Iterator<Item = &str> {
        let allows = self.rules().iter().map(|rule| &rule.allow);
        let allows = allows.chain(self.exceptions().iter().map(|it| &it.allow));
        let allowed = allows.flat_map(|allow| &allow.entries);
        let denies = self.rules().iter().flat_map(|rule| &rule.deny);
        let denies = denies.chain(&self.always().deny);
        let allowed = allowed.map(|entry| entry.text.as_str());
        allowed.chain(denies.map(|entry| entry.text.as_str()))
    }
}

impl PolicyWarning {
    pub(crate) fn new(place: Place, code: Lint, message: String) -> Self {
        Self {
            place,
            code,
            message,
        }
    }

    /// The warning for a terminal, with the line of `policy` underlined.
    pub fn to_text(&self, policy: &Policy) -> String {
        let source = policy.sources().of(&self.place);
        let excerpt = excerpt(&self.place, source);
        format!("warning[{}]: {}\n{excerpt}", self.code, self.message)
    }
}

impl Lint {
    /// Every kind, in the order of the reference.
    pub const ALL: [Self; 8] = [
        Self::UnknownName,
        Self::NoEffect,
        Self::SaidAlready,
        Self::NeverUsed,
        Self::Ended,
        Self::EndsSoon,
        Self::NeverSatisfied,
        Self::NotNeeded,
    ];

    /// As it is written in JSON, in the terminal and in the reference.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnknownName => "unknown-name",
            Self::NoEffect => "no-effect",
            Self::SaidAlready => "said-already",
            Self::NeverUsed => "never-used",
            Self::Ended => "ended",
            Self::EndsSoon => "ends-soon",
            Self::NeverSatisfied => "never-satisfied",
            Self::NotNeeded => "not-needed",
        }
    }

    pub(crate) fn weight(self) -> Weight {
        match self {
            Self::SaidAlready | Self::NeverUsed | Self::NotNeeded => Weight::Note,
            Self::UnknownName
            | Self::NoEffect
            | Self::Ended
            | Self::EndsSoon
            | Self::NeverSatisfied => Weight::Warning,
        }
    }
}

impl fmt::Display for Lint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;
