//! Rules: what is asked of the artifacts in some repositories.

use std::collections::BTreeSet;

use wasmport_artifact::RepositoryName;

use crate::finding::Place;
use crate::policy::file::{KindShape, Mode};
use crate::policy::repositories::{RepositoryPattern, Specificity};
use crate::policy::term::Term;

/// What is asked of the artifacts in some repositories.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) id: String,
    pub(crate) place: Place,
    pub(crate) repositories: Vec<RepositoryPattern>,
    pub(crate) mode: Mode,
    /// None for every kind.
    pub(crate) kinds: Option<Kinds>,
    pub(crate) allow: Allow,
    pub(crate) deny: Vec<Deny>,
    pub(crate) signatures: Option<Signatures>,
}

/// The kinds of artifacts that a rule takes.
#[derive(Clone, Debug)]
pub(crate) struct Kinds {
    pub(crate) place: Place,
    pub(crate) kinds: Vec<KindShape>,
}

/// An `allow` list.
#[derive(Clone, Debug)]
pub(crate) struct Allow {
    /// Of the list, or of the rule's id when it has none.
    pub(crate) place: Place,
    pub(crate) terms: Vec<Term>,
    /// The entries as they are written.
    pub(crate) texts: Vec<String>,
}

/// One entry of a `deny` list.
#[derive(Clone, Debug)]
pub(crate) struct Deny {
    pub(crate) place: Place,
    pub(crate) term: Term,
    /// The entry as it is written.
    pub(crate) text: String,
    pub(crate) reason: Option<String>,
    pub(crate) use_instead: Option<String>,
}

/// How many of which signers must have signed.
#[derive(Clone, Debug)]
pub(crate) struct Signatures {
    pub(crate) place: Place,
    pub(crate) require: usize,
    pub(crate) from: BTreeSet<String>,
}

impl Rule {
    /// How well the rule fits the repository; none when it is not for it.
    pub(crate) fn fit(&self, repository: &RepositoryName) -> Option<Specificity> {
        let fitting = self.repositories.iter().filter(|it| it.matches(repository));
        fitting.map(RepositoryPattern::specificity).max()
    }
}
