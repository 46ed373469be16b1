//! Cases of `wasmport policy test`: an artifact, and what the policy shall say of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;
use wasmport_artifact::{RepositoryName, Tag};
use wasmport_policies::{Code, Date, Decision, Effect, Facts, Finding, TagFacts, Verdict, clean};

use crate::artifact::Artifact;
use crate::error::{Failure, Kind};
use crate::files;

/// A file of cases.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CaseFile {
    /// The policy, relative to this file, or `preset:NAME`.
    pub(crate) policy: String,
    /// The day as of which the policy is applied; today, when it is left out.
    #[serde(default, deserialize_with = "day")]
    pub(crate) today: Option<Date>,
    #[serde(default)]
    pub(crate) case: Vec<Spanned<Case>>,
}

/// One case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Case {
    /// What it shows.
    pub(crate) name: String,
    /// The repository; of `facts`, where those have one.
    repository: Option<RepositoryName>,
    /// The artifact, as text.
    wat: Option<String>,
    /// The artifact, as a `.wasm` file or OCI layout relative to this file.
    wasm: Option<PathBuf>,
    /// The facts themselves, as JSON in a file relative to this one.
    facts: Option<PathBuf>,
    #[serde(default)]
    tags: Vec<Tag>,
    annotations: Option<BTreeMap<String, String>>,
    signed_by: Option<BTreeSet<String>>,
    /// The verdict.
    expect: Verdict,
    /// All findings; they are not looked at when this is left out.
    findings: Option<Vec<Expected>>,
}

/// A finding that shall be there. What is left out may be anything.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expected {
    code: Code,
    effect: Option<Effect>,
    rule: Option<String>,
    import: Option<String>,
    capability: Option<String>,
}

/// Where a decision is not what a case expects: `-` before what was expected, `+` before
/// what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference(pub(crate) Vec<String>);

impl CaseFile {
    /// Reads a file. What is wrong is said with its line.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let text = files::read_text(path)?;
        toml::from_str(&text).map_err(|error| {
            let what = format!("failed to read the cases in `{}`", path.display());
            Failure::caused(Kind::Input, &what, &error)
        })
    }

    /// The policy's name as it is loaded from here.
    pub(crate) fn policy(&self, directory: &Path) -> String {
        if self.policy.starts_with("preset:") {
            return self.policy.clone();
        }
        directory.join(&self.policy).display().to_string()
    }
}

impl Case {
    /// What the case says of the artifact. Paths are relative to `directory`.
    pub(crate) fn facts(&self, directory: &Path) -> Result<Facts, Failure> {
        let mut facts = match (&self.wat, &self.wasm, &self.facts) {
            (Some(text), None, None) => self.of_text(text)?,
            (None, Some(path), None) => self.of_file(&directory.join(path))?,
            (None, None, Some(path)) => read_facts(&directory.join(path))?,
            _ => {
                let message = format!("the case `{}` has not one artifact", self.name);
                let hint = "give it `wat`, `wasm` or `facts`, and only one of them";
                return Err(Failure::new(Kind::Input, message).hint(hint));
            }
        };
        if let Some(repository) = &self.repository {
            facts.repository = repository.clone();
        }
        facts
            .annotations
            .extend(self.annotations.clone().unwrap_or_default());
        facts
            .signed_by
            .extend(self.signed_by.clone().unwrap_or_default());
        facts
            .tags
            .extend(self.tags.iter().cloned().map(|name| TagFacts {
                name,
                points_to: None,
            }));
        Ok(facts)
    }

    fn of_text(&self, text: &str) -> Result<Facts, Failure> {
        let bytes = wat::parse_str(text).map_err(|error| {
            let what = format!("failed to read the `wat` of the case `{}`", self.name);
            Failure::caused(Kind::Input, &what, &error)
        })?;
        self.of_artifact(&Artifact::pack(self.name.clone(), "case", &bytes)?)
    }

    fn of_file(&self, path: &Path) -> Result<Facts, Failure> {
        let source = path.display().to_string().parse();
        let source = source.map_err(|never: std::convert::Infallible| match never {});
        self.of_artifact(&Artifact::read_local(&source?)?)
    }

    fn of_artifact(&self, artifact: &Artifact) -> Result<Facts, Failure> {
        let Some(repository) = self.repository.clone() else {
            let message = format!("the case `{}` says no `repository`", self.name);
            return Err(Failure::new(Kind::Input, message));
        };
        Ok(Facts::of(
            repository,
            artifact.manifest(),
            artifact.content(),
        ))
    }

    /// Where the decision is another than is expected; none where it is not.
    pub(crate) fn difference(&self, decision: &Decision) -> Option<Difference> {
        let mut lines = Vec::new();
        if decision.verdict != self.expect {
            lines.push(format!("- {}", self.expect));
            lines.push(format!("+ {}", decision.verdict));
        }
        if let Some(expected) = &self.findings {
            let mut found: Vec<&Finding> = decision.findings.iter().collect();
            // What says more has the first choice.
            let mut expected: Vec<&Expected> = expected.iter().collect();
            expected.sort_by_key(|expected| std::cmp::Reverse(expected.said()));
            for expected in expected {
                match found.iter().position(|finding| expected.fits(finding)) {
                    Some(index) => {
                        found.remove(index);
                    }
                    None => lines.push(format!("- {}", expected.to_text())),
                }
            }
            lines.extend(
                found
                    .iter()
                    .map(|finding| format!("+ {}", in_a_line(finding))),
            );
        }
        (!lines.is_empty()).then_some(Difference(lines))
    }
}

impl Expected {
    fn fits(&self, finding: &Finding) -> bool {
        let fits = |expected: &Option<String>, found: &Option<String>| {
            expected.is_none() || expected == found
        };
        self.code == finding.code
            && self.effect.is_none_or(|effect| effect == finding.effect)
            && fits(&self.rule, &finding.rule)
            && fits(&self.import, &finding.import)
            && fits(&self.capability, &finding.capability)
    }

    /// How much it says.
    fn said(&self) -> usize {
        let texts = [&self.rule, &self.import, &self.capability];
        texts.into_iter().flatten().count() + usize::from(self.effect.is_some())
    }

    fn to_text(&self) -> String {
        let effect = self
            .effect
            .map(|effect| format!(" ({effect:?})").to_lowercase());
        let parts = [&self.import, &self.capability, &self.rule];
        let parts = parts.into_iter().flatten().map(|part| format!(" {part}"));
        format!(
            "{}{}{}",
            self.code,
            parts.collect::<String>(),
            effect.unwrap_or_default()
        )
    }
}

fn in_a_line(finding: &Finding) -> String {
    format!("{}: {}", finding.code, clean(&finding.message))
}

/// Facts as `docs/facts.md` describes them.
pub(crate) fn read_facts(path: &Path) -> Result<Facts, Failure> {
    let text = files::read_text(path)?;
    serde_json::from_str(&text).map_err(|error| {
        let what = format!("failed to read the facts in `{}`", path.display());
        Failure::caused(Kind::Input, &what, &error)
    })
}

/// A date of TOML.
fn day<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
    let day = toml::value::Datetime::deserialize(deserializer)?;
    let text = day.to_string();
    let date = text.parse().map_err(|_| {
        serde::de::Error::custom(format!("expected a date such as 2026-11-21, got `{text}`"))
    });
    date.map(Some)
}
