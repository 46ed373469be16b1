//! Decisions that were taken before, in bounded memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use wasmport_artifact::{Digest, RepositoryName, Tag};
use wasmport_policies::{Date, Decision};

use crate::storage::Generation;

/// How many decisions are remembered. One takes a kilobyte or so, unless it has many findings.
const REMEMBERED: usize = 10_000;

/// A decision, and what it was taken with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decided {
    pub(crate) decision: Decision,
    /// What it would be, where the policy only watches.
    pub(crate) enforced: Option<Decision>,
    /// Of the policy's text and of the keys of its signers.
    pub(crate) policy: Digest,
    /// Of the facts' JSON.
    pub(crate) facts: Digest,
    pub(crate) day: Date,
}

/// Everything that a decision depends on; the manifest's digest stands for its bytes, which
/// carry something else where they are another kind of manifest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Question {
    pub(super) policy: Digest,
    pub(super) repository: RepositoryName,
    pub(super) tag: Option<Tag>,
    pub(super) digest: Digest,
    pub(super) media_type: String,
    pub(super) evidence: Digest,
    pub(super) today: Date,
}

/// How long an answer is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lasts {
    Always,
    /// As long as the repository is in this generation: something was not there to be read.
    While(Generation),
}

/// Answers to questions. When there are too many, all are forgotten: to ask again is cheap.
#[derive(Debug, Default)]
pub(super) struct Decisions(Mutex<HashMap<Question, (Arc<Decided>, Lasts)>>);

impl Decisions {
    /// The answer, if it is good while the repository is in `generation`.
    pub(super) fn get(
        &self,
        question: &Question,
        generation: Option<Generation>,
    ) -> Option<Arc<Decided>> {
        let answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (decided, lasts) = answers.get(question)?;
        let is_good = match lasts {
            Lasts::Always => true,
            Lasts::While(known) => generation == Some(*known),
        };
        is_good.then(|| Arc::clone(decided))
    }

    pub(super) fn put(&self, question: Question, decided: Arc<Decided>, lasts: Lasts) {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= REMEMBERED {
            answers.clear();
        }
        answers.insert(question, (decided, lasts));
    }
}

/// The day that policies are applied as of. Everywhere the same: in UTC.
pub(crate) fn today() -> Date {
    jiff::tz::TimeZone::UTC
        .to_datetime(jiff::Timestamp::now())
        .date()
}
