//! One entry of an `allow` or `deny` list.

use std::collections::BTreeMap;

use crate::catalogue::{CUSTOM, Catalogue};
use crate::finding::Place;
use crate::needs::{Identity, Need};
use crate::policy::error::{Problem, one_of, similar};
use crate::policy::pattern::Pattern;

/// The group of capabilities that Rust's standard library imports, used or not.
pub(crate) const STD: &str = "std";

/// What an entry stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Term {
    /// `*`: every import.
    Everything,
    /// `std`
    Std,
    /// A capability of the catalogue.
    Capability(String),
    /// Imports by their names: one pattern, or those of a capability that the policy
    /// defines.
    Patterns(Vec<Pattern>),
}

/// A capability that a policy defines.
#[derive(Clone, Debug)]
pub(crate) struct Definition {
    pub(crate) place: Place,
    pub(crate) patterns: Vec<Pattern>,
}

/// The capabilities that a policy defines.
pub(crate) type Definitions = BTreeMap<String, Definition>;

impl Term {
    /// Reads an entry.
    pub(crate) fn parse(text: &str, definitions: &Definitions) -> Result<Self, Problem> {
        if text == "*" {
            return Ok(Self::Everything);
        }
        if text == STD {
            return Ok(Self::Std);
        }
        if let Some(definition) = definitions.get(text) {
            return Ok(Self::Patterns(definition.patterns.clone()));
        }
        if Pattern::is_meant(text) {
            return Ok(Self::Patterns(vec![parse_pattern(text)?]));
        }
        match Catalogue::get().capability(text) {
            Some(_) if text != CUSTOM => Ok(Self::Capability(text.to_owned())),
            _ => Err(unknown(text, definitions)),
        }
    }

    /// True when this entry of an `allow` list admits the import for this need.
    pub(crate) fn admits(&self, identity: &Identity, need: &Need) -> bool {
        match self {
            Self::Everything => true,
            Self::Std => is_std(need.capability),
            Self::Capability(name) => name == need.capability || includes(name, need.capability),
            Self::Patterns(patterns) => patterns.iter().any(|pattern| pattern.matches(identity)),
        }
    }

    /// True when this entry of a `deny` list refuses the import for this need. Who is not
    /// to see directories is not to read files in them either.
    pub(crate) fn denies(&self, identity: &Identity, need: &Need) -> bool {
        let is_meant = |name: &str, asked: &str| name == asked || includes(asked, name);
        let mut alike = need.alike.iter();
        match self {
            Self::Everything => true,
            Self::Std => is_std(need.capability) || alike.any(|asked| is_std(asked)),
            Self::Capability(name) => {
                is_meant(name, need.capability) || alike.any(|asked| is_meant(name, asked))
            }
            Self::Patterns(patterns) => patterns.iter().any(|it| it.resembles(identity)),
        }
    }

    /// True when everything that `other` admits this admits too, as far as the names tell.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Everything, _) => true,
            (Self::Std, Self::Capability(name)) => is_std(name),
            (Self::Capability(whole), Self::Capability(part)) => {
                whole == part || includes(whole, part)
            }
            (Self::Patterns(own), Self::Patterns(others)) => {
                let mut others = others.iter();
                others.all(|other| own.iter().any(|own| own.covers(other)))
            }
            _ => self == other,
        }
    }

    /// True when, denied, this leaves nothing of what `other` would admit.
    pub(crate) fn denies_all(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Capability(part), Self::Capability(whole)) => {
                part == whole || includes(whole, part)
            }
            _ => self.covers(other),
        }
    }

    /// True when the entry names imports, whatever they ask for.
    pub(crate) fn is_by_name(&self) -> bool {
        matches!(self, Self::Everything | Self::Patterns(_))
    }
}

pub(crate) fn parse_pattern(text: &str) -> Result<Pattern, Problem> {
    Pattern::parse(text).map_err(|why| Problem::Pattern {
        pattern: text.to_owned(),
        why,
    })
}

/// True for names that a policy cannot define.
pub(crate) fn is_built_in(name: &str) -> bool {
    name == STD || name == "*" || Catalogue::get().capability(name).is_some()
}

/// True for capabilities of the group `std`.
pub(crate) fn is_std(capability: &str) -> bool {
    Catalogue::get()
        .capability(capability)
        .is_some_and(|capability| capability.std)
}

fn includes(whole: &str, part: &str) -> bool {
    Catalogue::get()
        .capability(whole)
        .is_some_and(|whole| whole.includes.iter().any(|included| included == part))
}

fn unknown(name: &str, definitions: &Definitions) -> Problem {
    let catalogue = Catalogue::get().capabilities().iter();
    let known = catalogue
        .map(|capability| capability.name.as_str())
        .filter(|name| *name != CUSTOM);
    let defined = definitions.keys().map(String::as_str);
    let known: Vec<&str> = ["*", STD].into_iter().chain(known).chain(defined).collect();
    Problem::UnknownCapability {
        name: name.to_owned(),
        hint: similar(name, known.iter().copied()),
        known: one_of(known),
    }
}
