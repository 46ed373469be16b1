//! A policy: the file that says what may be stored, and what it means.

mod compile;
mod entry;
mod error;
mod exception;
mod file;
mod index;
mod pattern;
mod placed;
mod preset;
mod repositories;
mod rule;
mod signer;
mod size;
mod source;
mod term;
mod warning;
mod wildcard;

use std::collections::BTreeSet;

use jiff::civil::Date;
use wasmport_artifact::{Digest, RepositoryName, Tag};

pub use compile::FILE_BYTES;

use crate::finding::Place;
pub(crate) use entry::{Allow, Allowed, Deny, Functions};
pub use error::PolicyError;
pub(crate) use error::one_of;
pub(crate) use exception::Exception;
pub(crate) use file::{Inspect, KindShape, Mode, Novelty, Otherwise};
use index::Index;
pub(crate) use pattern::Pattern;
pub(crate) use placed::Placed;
pub use repositories::RepositoryPattern;
pub(crate) use rule::{Always, Annotation, Attested, Limits, Rule, Signatures};
pub use signer::{Signer, Trust};
pub(crate) use size::Size;
pub(crate) use source::{Source, Sources};
use term::Definitions;
pub(crate) use term::{STD, is_std};
pub(crate) use warning::Weight;
pub use warning::{Lint, PolicyWarning};

/// A policy that was read and makes sense: one file, or all of a directory.
#[derive(Clone, Debug)]
pub struct Policy {
    name: String,
    sources: Sources,
    digest: Digest,
    body: Body,
}

/// What a policy says.
#[derive(Clone, Debug, Default)]
struct Body {
    default: Otherwise,
    default_place: Option<Place>,
    always: Always,
    rules: Vec<Rule>,
    index: Index,
    exceptions: Vec<Exception>,
    signers: Vec<Signer>,
    definitions: Definitions,
}

/// Something that decisions depend on besides the artifact itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Surrounding {
    /// Who has signed it.
    Signatures,
    /// Who has said what about it.
    Attestations,
    /// What its tag is on so far.
    Tag,
    /// The version before it.
    Previous,
}

impl Policy {
    /// Reads a policy. `file_name` is only for pointing at places in the text.
    pub fn parse(file_name: &str, text: &str) -> Result<Self, PolicyError> {
        let files = vec![(file_name.to_owned(), text.to_owned())];
        Self::parse_all(file_name, files)
    }

    /// Reads several files, names and texts, as one policy. Their order means nothing: lists
    /// are put together, and what can be said only once is said in one of them. `name` is
    /// what the policy is called as a whole.
    pub fn parse_all(name: &str, files: Vec<(String, String)>) -> Result<Self, PolicyError> {
        let files = files.into_iter();
        let sources = files.map(|(file, text)| Source::new(file, text)).collect();
        let sources = Sources::new(sources);
        Ok(Self {
            name: name.to_owned(),
            body: compile::compile(&sources)?,
            digest: sources.digest(),
            sources,
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

    /// The text to begin a policy of one's own with: a preset's, every line explained, or that
    /// of [`preset_template`](Self::preset_template).
    pub fn preset_text(name: &str) -> Option<&'static str> {
        preset::start(name)
    }

    /// The name of what is like a preset, and no policy before one's own keys are in it.
    pub fn preset_template() -> &'static str {
        preset::TEMPLATE
    }

    /// The digest of the text, or of all names and texts.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// What it is called: the path of the file or directory, or the preset.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its files, names and texts, in the order of their names.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        let sources = self.sources.iter();
        sources.map(|source| (source.file.as_str(), source.text.as_str()))
    }

    /// The signers that it knows, in the order of their names.
    pub fn signers(&self) -> &[Signer] {
        &self.body.signers
    }

    /// The signers of each rule that wants more than one of them to have signed, and where.
    pub fn quorums(&self) -> impl Iterator<Item = (&Place, &BTreeSet<String>)> {
        self.body.rules.iter().flat_map(|rule| {
            let signatures = rule.signatures.iter().map(|it| (&it.place, &it.value));
            let attested = rule.attestations.iter();
            signatures
                .chain(attested.map(|it| (&it.place, &it.value.by)))
                .filter(|(_, signatures)| signatures.require > 1)
                .map(|(place, signatures)| (place, &signatures.from))
        })
    }

    /// Whether this tag stays where it was first put, which `decide` sees when it is told
    /// what the tag points to, and only the store can hold against two pushes at once.
    pub fn keeps(&self, repository: &RepositoryName, tag: &Tag) -> bool {
        let own = self.rule(repository);
        let own = own.filter(|rule| rule.mode == Mode::Enforce);
        let limits = own.map(|rule| &rule.limits);
        let mut all = limits.into_iter().chain([&self.body.always.limits]);
        all.any(|limits| limits.keep(tag).is_some())
    }

    /// Whether a decision on this repository depends on the version before. Where it does not,
    /// nobody need look for one.
    pub fn compares_versions(&self, repository: &RepositoryName) -> bool {
        let rule = self.rule(repository);
        let novelty = rule.and_then(|rule| rule.new_capabilities.as_ref());
        novelty.is_some_and(|novelty| novelty.value != Novelty::Allow)
    }

    /// What a decision on this repository depends on besides the artifact itself.
    pub fn surroundings(&self, repository: &RepositoryName) -> BTreeSet<Surrounding> {
        let rule = self.rule(repository);
        let limits = rule.map(|rule| &rule.limits);
        let mut limits = limits.into_iter().chain([&self.body.always.limits]);
        let all = [
            (
                rule.is_some_and(|rule| rule.signatures.is_some()),
                Surrounding::Signatures,
            ),
            (
                rule.is_some_and(|rule| !rule.attestations.is_empty()),
                Surrounding::Attestations,
            ),
            (
                limits.any(|limits| limits.immutable_tags.is_some()),
                Surrounding::Tag,
            ),
            (self.compares_versions(repository), Surrounding::Previous),
        ];
        let wanted = all.into_iter().filter(|(is_wanted, _)| *is_wanted);
        wanted.map(|(_, surrounding)| surrounding).collect()
    }

    /// The predicate types of what must be signed for this repository, with that of a plain
    /// signature where one is asked for.
    pub fn predicates(&self, repository: &RepositoryName) -> Vec<&str> {
        let rule = self.rule(repository);
        let attested = rule.iter().flat_map(|rule| &rule.attestations);
        let attested = attested.map(|attested| attested.value.predicate.as_str());
        let signed = rule.iter().filter(|rule| rule.signatures.is_some());
        attested.chain(signed.map(|_| SIGNATURE)).collect()
    }

    /// The first day after `today` on which a decision may be another although neither the
    /// policy nor the facts are: something begins or ends on it, or is about to.
    pub fn next_change(&self, today: Date) -> Option<Date> {
        let signers = self.body.signers.iter();
        let signers = signers.flat_map(|signer| [signer.not_before, after(signer.not_after)]);
        let exceptions = self.body.exceptions.iter();
        let exceptions = exceptions.flat_map(|exception| {
            let expires = exception.expires.value;
            [Some(exception.warns_from()), after(Some(expires))]
        });
        let days = signers.chain(exceptions).flatten();
        days.filter(|day| *day > today).min()
    }

    pub(crate) fn sources(&self) -> &Sources {
        &self.sources
    }

    pub(crate) fn is_preset(&self) -> bool {
        self.name.starts_with(preset::PREFIX)
    }

    /// What holds everywhere.
    pub(crate) fn always(&self) -> &Always {
        &self.body.always
    }

    pub(crate) fn rules(&self) -> &[Rule] {
        &self.body.rules
    }

    pub(crate) fn exceptions(&self) -> &[Exception] {
        &self.body.exceptions
    }

    pub(crate) fn signer(&self, name: &str) -> Option<&Signer> {
        self.body.signers.iter().find(|signer| signer.name == name)
    }

    /// What is done where no rule is for the repository, and where that is said.
    pub(crate) fn default(&self) -> (Otherwise, Option<&Place>) {
        (self.body.default, self.body.default_place.as_ref())
    }

    /// The rule for this repository: the most specific.
    pub(crate) fn rule(&self, repository: &RepositoryName) -> Option<&Rule> {
        self.body.index.find(&self.body.rules, repository)
    }
}

/// The predicate type of a signature that is a Sigstore bundle, as cosign 3 makes them.
const SIGNATURE: &str = "https://sigstore.dev/cosign/sign/v1";

fn after(last: Option<Date>) -> Option<Date> {
    last?.tomorrow().ok()
}

#[cfg(test)]
mod tests;
