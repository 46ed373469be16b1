//! A policy: the file that says what may be stored, and what it means.

mod compile;
mod error;
mod file;
mod pattern;
mod preset;
mod repositories;
mod rule;
mod source;
mod term;

use wasmport_artifact::{Digest, RepositoryName};

use crate::finding::Place;
pub use error::PolicyError;
pub(crate) use error::one_of;
pub(crate) use file::{KindShape, Mode, Otherwise};
pub(crate) use pattern::Pattern;
pub use repositories::RepositoryPattern;
pub(crate) use rule::{Deny, Rule};
pub(crate) use source::Source;
pub(crate) use term::{STD, is_std};

/// A policy file that was read and makes sense.
#[derive(Clone, Debug)]
pub struct Policy {
    source: Source,
    digest: Digest,
    body: Body,
}

/// A signer that rules can ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// Its name in this policy.
    pub name: String,
    /// The path of its public key, relative to the policy file, or the key itself as PEM.
    pub key: String,
}

/// What a policy file says.
#[derive(Clone, Debug)]
struct Body {
    default: Otherwise,
    default_place: Option<Place>,
    always: Vec<Deny>,
    rules: Vec<Rule>,
    signers: Vec<Signer>,
}

impl Policy {
    /// Reads a policy. `file_name` is only for pointing at places in the text.
    pub fn parse(file_name: &str, text: &str) -> Result<Self, PolicyError> {
        let source = Source {
            file: file_name.to_owned(),
            text: text.to_owned(),
        };
        Ok(Self {
            body: compile::compile(&source)?,
            digest: Digest::of(text.as_bytes()),
            source,
        })
    }

    /// The preset of this name. Its file name is `preset:` and the name.
    pub fn preset(name: &str) -> Option<Self> {
        let text = preset::text(name)?;
        // A test reads every preset.
        Self::parse(&format!("{}{name}", preset::PREFIX), text).ok()
    }

    /// The names of the presets.
    pub fn preset_names() -> &'static [&'static str] {
        preset::NAMES
    }

    /// The digest of the text.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The name that the text was read under.
    pub fn source_name(&self) -> &str {
        &self.source.file
    }

    /// The text.
    pub fn source(&self) -> &str {
        &self.source.text
    }

    /// The signers that it knows, in the order of their names.
    pub fn signers(&self) -> &[Signer] {
        &self.body.signers
    }

    pub(crate) fn text(&self) -> &Source {
        &self.source
    }

    pub(crate) fn is_preset(&self) -> bool {
        self.source.file.starts_with(preset::PREFIX)
    }

    /// What is denied everywhere.
    pub(crate) fn always(&self) -> &[Deny] {
        &self.body.always
    }

    /// What is done where no rule is for the repository, and where that is said.
    pub(crate) fn default(&self) -> (Otherwise, Option<&Place>) {
        (self.body.default, self.body.default_place.as_ref())
    }

    /// The rule for this repository: the most specific. There are no ties, since a file
    /// with one is refused.
    pub(crate) fn rule(&self, repository: &RepositoryName) -> Option<&Rule> {
        let fitting = self.body.rules.iter();
        let fitting = fitting.filter_map(|rule| Some((rule.fit(repository)?, rule)));
        fitting.max_by_key(|(fit, _)| *fit).map(|(_, rule)| rule)
    }
}

#[cfg(test)]
mod tests;
