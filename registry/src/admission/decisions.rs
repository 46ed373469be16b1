//! Decisions that were taken before, in bounded memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use wasmport_artifact::{Digest, RepositoryName, Tag};
use wasmport_policies::{Date, Decision};

/// How many decisions are remembered. One takes a kilobyte or so, unless it has many findings.
const REMEMBERED: usize = 10_000;

/// Everything that a decision depends on; the manifest's digest stands for its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Question {
    pub(super) policy: Digest,
    pub(super) repository: RepositoryName,
    pub(super) tag: Option<Tag>,
    pub(super) digest: Digest,
    pub(super) evidence: Digest,
    pub(super) today: Date,
}

/// Answers to questions. When there are too many, all are forgotten: to ask again is cheap.
#[derive(Debug, Default)]
pub(super) struct Decisions(Mutex<HashMap<Question, Arc<Decision>>>);

impl Decisions {
    pub(super) fn get(&self, question: &Question) -> Option<Arc<Decision>> {
        let answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        answers.get(question).cloned()
    }

    pub(super) fn put(&self, question: Question, decision: Arc<Decision>) {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= REMEMBERED {
            answers.clear();
        }
        answers.insert(question, decision);
    }
}
