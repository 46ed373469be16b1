//! Rules: what is asked of the artifacts in some repositories.

use std::collections::BTreeSet;

use wasmport_artifact::Tag;

use crate::finding::Place;
use crate::policy::entry::{Allow, Deny};
use crate::policy::file::{Inspect, KindShape, Mode, Novelty};
use crate::policy::pattern::Pattern;
use crate::policy::placed::Placed;
use crate::policy::repositories::RepositoryPattern;
use crate::policy::size::Size;
use crate::policy::wildcard::Wildcard;

/// What is asked of the artifacts in some repositories.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) id: String,
    pub(crate) place: Place,
    pub(crate) repositories: Vec<Placed<RepositoryPattern>>,
    pub(crate) mode: Mode,
    /// None for every kind.
    pub(crate) kinds: Option<Placed<Vec<KindShape>>>,
    pub(crate) allow: Allow,
    pub(crate) deny: Vec<Deny>,
    pub(crate) exports: Vec<Placed<Pattern>>,
    pub(crate) annotations: Vec<Placed<Annotation>>,
    pub(crate) signatures: Option<Placed<Signatures>>,
    pub(crate) attestations: Vec<Placed<Attested>>,
    pub(crate) new_capabilities: Option<Placed<Novelty>>,
    pub(crate) limits: Limits,
}

/// What holds for the artifacts of all repositories.
#[derive(Clone, Debug, Default)]
pub(crate) struct Always {
    pub(crate) deny: Vec<Deny>,
    pub(crate) limits: Limits,
}

/// What may be asked by rules and everywhere.
#[derive(Clone, Debug, Default)]
pub(crate) struct Limits {
    pub(crate) max_size: Option<Placed<Size>>,
    pub(crate) immutable_tags: Option<Placed<Vec<Wildcard>>>,
    pub(crate) inspect: Option<Placed<Inspect>>,
}

/// An annotation that must be there.
#[derive(Clone, Debug)]
pub(crate) struct Annotation {
    pub(crate) name: String,
    /// What it must say; none for anything but nothing.
    pub(crate) value: Option<Wildcard>,
}

/// How many of which signers must have signed.
#[derive(Clone, Debug)]
pub(crate) struct Signatures {
    pub(crate) require: usize,
    pub(crate) from: BTreeSet<String>,
}

/// Who must have said what.
#[derive(Clone, Debug)]
pub(crate) struct Attested {
    pub(crate) predicate: String,
    pub(crate) by: Signatures,
}

impl Limits {
    /// Whether this tag stays where it was first put. Tags that clients derive from digests,
    /// where signatures are kept, move all the same.
    pub(crate) fn keep(&self, tag: &Tag) -> Option<&Place> {
        let tags = self.immutable_tags.as_ref()?;
        let is_kept = tags.value.iter().any(|it| it.matches(tag.as_str()));
        (is_kept && !tag.is_derived()).then_some(&tags.place)
    }
}
