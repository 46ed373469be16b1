//! The smallest policy that admits given artifacts: a beginning for one of one's own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use jiff::civil::Date;
use thiserror::Error;
use wasmport_artifact::{Kind, RepositoryName};

use crate::catalogue::Catalogue;
use crate::decide::decide;
use crate::decision::{Decision, Verdict};
use crate::facts::{Content, Facts};
use crate::finding::Code;
use crate::policy::{Policy, PolicyError, STD};

/// How often entries are looked for. Each round adds all that the one before still lacked.
const ROUNDS: usize = 4;

/// Why there is no policy that admits some artifacts.
#[derive(Debug, Error)]
pub enum SmallestError {
    /// An artifact that no policy admits, and the decision on it.
    #[error("no policy admits what is meant for `{}`", .0.0.repository)]
    Refused(Box<(Facts, Decision)>),
    /// What they import cannot be written in a policy.
    #[error("no policy can name what they import")]
    Unwritable(#[from] PolicyError),
}

/// What a rule for some artifacts has to say.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Needed {
    kinds: BTreeSet<String>,
    entries: BTreeSet<String>,
}

impl Policy {
    /// The text of a policy that admits all of `artifacts`, each in its repository, and of
    /// which no entry can be left out.
    ///
    /// # Errors
    ///
    /// When no policy admits one of them, or none can name what they import.
    pub fn smallest(artifacts: &[Facts], today: Date) -> Result<String, SmallestError> {
        let mut of_repositories: BTreeMap<&RepositoryName, Vec<&Facts>> = BTreeMap::new();
        for facts in artifacts {
            let those = of_repositories.entry(&facts.repository);
            those.or_default().push(facts);
        }
        // Repositories that need the same share a rule.
        let mut rules: BTreeMap<Needed, Vec<&RepositoryName>> = BTreeMap::new();
        for (repository, artifacts) in of_repositories {
            let needed = Needed::by(repository, &artifacts, today)?;
            rules.entry(needed).or_default().push(repository);
        }
        let mut text = HEAD.to_owned();
        for (needed, repositories) in &rules {
            needed.write(&mut text, repositories);
        }
        // Each rule was tried alone: together they may be too long for one file.
        let all: Vec<&Facts> = artifacts.iter().collect();
        match refused(&text, &all, today)?.pop() {
            Some((facts, decision)) => Err(SmallestError::refused(facts, decision)),
            None => Ok(text),
        }
    }
}

const HEAD: &str = "\
# The smallest policy that admits some artifacts, written by `wasmport policy init --from`.
# Read what each entry lets them do before you keep it.

schema = 1

# A repository that no rule is for takes nothing.
default = \"deny\"
";

impl Needed {
    fn by(
        repository: &RepositoryName,
        artifacts: &[&Facts],
        today: Date,
    ) -> Result<Self, SmallestError> {
        let kinds = artifacts.iter().filter_map(|facts| kind(&facts.content));
        let mut needed = Self {
            kinds: kinds.map(str::to_owned).collect(),
            entries: BTreeSet::new(),
        };
        for _ in 0..ROUNDS {
            let refused = needed.refused(repository, artifacts, today)?;
            let wanted = refused.iter().flat_map(|(_, decision)| entries(decision));
            let wanted: Vec<String> = wanted.collect();
            needed.entries.extend(wanted);
        }
        if let Some((facts, decision)) = needed.refused(repository, artifacts, today)?.pop() {
            return Err(SmallestError::refused(facts, decision));
        }
        // One entry may cover what another was added for.
        for entry in needed.entries.clone() {
            let mut fewer = needed.clone();
            fewer.entries.remove(&entry);
            if fewer.refused(repository, artifacts, today)?.is_empty() {
                needed = fewer;
            }
        }
        Ok(needed)
    }

    /// The artifacts that a rule of this would not admit.
    fn refused<'a>(
        &self,
        repository: &RepositoryName,
        artifacts: &[&'a Facts],
        today: Date,
    ) -> Result<Vec<(&'a Facts, Decision)>, PolicyError> {
        let mut text = HEAD.to_owned();
        self.write(&mut text, &[repository]);
        refused(&text, artifacts, today)
    }

    fn write(&self, text: &mut String, repositories: &[&RepositoryName]) {
        let id = repositories.first().map_or("", |name| name.as_str());
        let names = repositories.iter().map(|name| name.as_str());
        let kinds = self.kinds.iter().map(String::as_str);
        let (id, names, kinds) = (quoted(id), list(names), list(kinds));
        let _infallible = write!(
            text,
            "\n[[rule]]\nid = {id}\nrepositories = {names}\nkinds = {kinds}\nallow = ["
        );
        for entry in &self.entries {
            let (why, entry) = (explain(entry), written(entry));
            let _infallible = write!(text, "\n  # {why}\n  {entry},");
        }
        text.push_str(if self.entries.is_empty() {
            "]\n"
        } else {
            "\n]\n"
        });
    }
}

impl SmallestError {
    fn refused(facts: &Facts, decision: Decision) -> Self {
        Self::Refused(Box::new((facts.clone(), decision)))
    }
}

/// The artifacts that a policy of this text does not admit.
fn refused<'a>(
    text: &str,
    artifacts: &[&'a Facts],
    today: Date,
) -> Result<Vec<(&'a Facts, Decision)>, PolicyError> {
    let policy = Policy::parse("smallest.toml", text)?;
    let decided = artifacts
        .iter()
        .map(|facts| (*facts, decide(&policy, facts, today)));
    let is_refused = |(_, decision): &(_, Decision)| decision.verdict != Verdict::Admit;
    Ok(decided.filter(is_refused).collect())
}

/// The entries of `allow` that a decision says are missing.
fn entries(decision: &Decision) -> impl Iterator<Item = String> {
    let findings = decision.findings.iter();
    let of_imports = findings
        .filter(|finding| matches!(finding.code, Code::ImportNotAllowed | Code::UnknownImport));
    of_imports.filter_map(|finding| finding.entry.clone())
}

fn kind(content: &Content) -> Option<&'static str> {
    Some(match content {
        Content::Wasm { inspection, .. } => match inspection.kind {
            Kind::Component => "component",
            Kind::CoreModule => "core-module",
            Kind::WitPackage => "wit-package",
        },
        Content::Image { .. } => "wasm-image",
        Content::Attachment | Content::Other => "other",
        Content::Unreadable { .. } => return None,
    })
}

/// What an entry lets a program do, for the comment above it.
fn explain(entry: &str) -> String {
    if entry == STD {
        return "what Rust's standard library imports whether the program uses it or not"
            .to_owned();
    }
    if is_table(entry) {
        return "functions that are not in the catalogue: what they do only their host knows"
            .to_owned();
    }
    match Catalogue::get().capability(entry) {
        Some(capability) if !capability.concern.is_empty() => {
            format!("{}. {}", capability.summary, capability.concern)
        }
        Some(capability) => capability.summary.clone(),
        None => "not in the catalogue: what it does only its host knows".to_owned(),
    }
}

fn list<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let texts: Vec<String> = texts.map(quoted).collect();
    format!("[{}]", texts.join(", "))
}

/// An entry of a list as TOML: a string, or the table that it is already.
pub(crate) fn written(entry: &str) -> String {
    if is_table(entry) {
        entry.to_owned()
    } else {
        quoted(entry)
    }
}

/// No name begins like a table.
fn is_table(entry: &str) -> bool {
    entry.starts_with('{')
}

/// As a string of TOML on one line: names of imports come from outside.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text)
        .to_string()
        .replace('\u{7f}', "\\u007f")
}

#[cfg(test)]
mod tests;
