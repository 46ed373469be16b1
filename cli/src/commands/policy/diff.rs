//! `wasmport policy diff`: what a change of the policy would do to what is there.

use clap::Args;
use serde::Serialize;
use wasmport_artifact::{Digest, RepositoryName};
use wasmport_policies::{Decision, Finding, PolicyWarning, Usage, Verdict, clean};

use crate::clock;
use crate::error::{Failure, Kind};
use crate::facts::Unknown;
use crate::output::Answer;
use crate::policy;
use crate::remote::Connection;
use crate::survey::{Place, Policies, Skipped, Survey};

/// Say which artifacts another policy would decide on otherwise
///
/// Over a registry, all tags are pulled that this login may see. A registry gives out nothing
/// that its own policy refuses today; what it refuses is listed as skipped. Over the store of a
/// registry that is not running everything is looked at, also what has no tag. Signatures,
/// attestations and the versions before are looked at in both. Ends with what makes no sense in
/// the new policy, and with exceptions, entries and rules that none of the artifacts needs.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  wasmport policy diff old.toml new.toml --over localhost:5000
  wasmport policy diff preset:standard new.toml --over localhost:5000/team/app facts/

Exit status: 0 all that is admitted would stay admitted; 1 not; 2 usage or policy; 3 the
artifacts could not be had.")]
pub(crate) struct DiffArgs {
    /// The policy that holds: file, directory of policy files, or `preset:NAME`
    #[arg(value_name = "OLD")]
    old: String,

    /// The policy that would take its place
    #[arg(value_name = "NEW")]
    new: String,

    /// Artifacts: a registry, a repository on one, a reference, the store of a registry that is
    /// not running, or facts as JSON (files or directories of them)
    #[arg(long, value_name = "WHERE", num_args = 1.., required = true)]
    over: Vec<Place>,

    #[command(flatten)]
    connection: Connection,
}

/// What would change.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Compared {
    /// How many artifacts were looked at.
    artifacts: usize,
    changes: Vec<Change>,
    skipped: Vec<Skipped>,
    /// What decisions depend on, and could not be looked at.
    not_looked_at: Vec<Unknown>,
    /// What makes no sense in the new policy, and what none of these artifacts needs of it.
    warnings: Vec<PolicyWarning>,
}

/// An artifact that would be decided on otherwise.
#[derive(Debug, Serialize)]
struct Change {
    name: String,
    repository: RepositoryName,
    digest: Digest,
    old: Verdict,
    new: Verdict,
    /// The reasons of the stricter of the two.
    findings: Vec<Finding>,
}

pub(super) async fn run(args: &DiffArgs) -> Result<Compared, Failure> {
    let policies = Policies {
        old: policy::load(&args.old)?,
        new: policy::load(&args.new)?,
    };
    let today = clock::today();
    let mut compared = Compared {
        artifacts: 0,
        changes: Vec::new(),
        skipped: Vec::new(),
        not_looked_at: Vec::new(),
        warnings: Vec::new(),
    };
    let mut usage = Usage::of(&policies.new.policy, today);
    for place in &args.over {
        let survey = Survey::of(place, &policies, &args.connection).await?;
        compared.artifacts += survey.artifacts.len();
        compared.skipped.extend(survey.skipped);
        compared.not_looked_at.extend(survey.unknown);
        for artifact in survey.artifacts {
            usage.add(artifact.facts());
            let (before, after) = artifact.decide(&policies, today);
            if before.verdict != after.verdict {
                compared.changes.push(Change {
                    repository: artifact.repository().clone(),
                    digest: artifact.digest().clone(),
                    old: before.verdict,
                    new: after.verdict,
                    findings: reasons(&before, &after),
                    name: artifact.name,
                });
            }
        }
    }
    compared.warnings = usage.warnings_of_all();
    compared.judge()
}

/// The findings of the stricter decision that count.
fn reasons(before: &Decision, after: &Decision) -> Vec<Finding> {
    let stricter = if after.verdict > before.verdict {
        after
    } else {
        before
    };
    stricter.grouped().findings
}

impl Compared {
    fn judge(self) -> Result<Self, Failure> {
        let lost = self
            .changes
            .iter()
            .filter(|change| change.old == Verdict::Admit)
            .count();
        // Of what could not be had it is not known whether it would stay admitted.
        let unknown = self.skipped.iter().filter(|it| !it.is_refused).count();
        let (kind, message) = match (lost, unknown) {
            (0, 0) => return Ok(self),
            (0, unknown) => (
                Kind::Registry,
                format!("{unknown} of the artifacts could not be looked at"),
            ),
            (lost, _) => (
                Kind::Denied,
                format!(
                    "{lost} of {} artifacts would not be admitted any more",
                    self.artifacts
                ),
            ),
        };
        let mut lines = self.lines();
        lines.extend(self.warnings.iter().map(policy::warning_line));
        let words = format!("{}\n", lines.join("\n"));
        Err(Failure::new(kind, message).found(&self).explained(words))
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for change in &self.changes {
            lines.push(format!("{} → {}  {}", change.old, change.new, change.name));
            let reasons = change.findings.iter();
            lines.extend(
                reasons.map(|finding| format!("    {}: {}", finding.code, clean(&finding.message))),
            );
        }
        let skipped = self.skipped.iter();
        lines.extend(skipped.map(|it| format!("skipped  {}: {}", it.name, clean(&it.reason))));
        let unknown = self.not_looked_at.iter();
        lines.extend(unknown.map(|it| clean(&it.to_text())));
        lines
    }
}

impl Answer for Compared {
    fn to_text(&self) -> String {
        let mut lines = self.lines();
        lines.push(format!(
            "{} of {} artifacts would be decided on otherwise, and all that are admitted stay so",
            self.changes.len(),
            self.artifacts
        ));
        lines.extend(self.warnings.iter().map(policy::warning_line));
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(is_refused: bool) -> Compared {
        let name = "team/app:1.0".to_owned();
        let reason = "the registry cannot be reached".to_owned();
        let skipped = Skipped {
            name,
            reason,
            is_refused,
        };
        Compared {
            artifacts: 0,
            changes: Vec::new(),
            skipped: vec![skipped],
            not_looked_at: Vec::new(),
            warnings: Vec::new(),
        }
    }

    #[test]
    fn what_could_not_be_had_is_not_taken_for_admitted() {
        assert!(compared(true).judge().is_ok());
        let failure = compared(false).judge().unwrap_err();
        assert_eq!(failure.exit_code(), 3);
        assert!(failure.to_text().contains("team/app:1.0"));
    }
}
