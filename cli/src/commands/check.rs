//! `wasmport check`: would a policy admit it?

use clap::Args;
use serde::Serialize;
use wasmport_artifact::RepositoryName;
use wasmport_policies::{Decision, Judged, Policy, PolicyWarning, Verdict, clean, decide};

use crate::commands::explain;
use crate::error::{Failure, Kind};
use crate::facts::Unknown;
use crate::output::{Answer, Report};
use crate::policy;
use crate::question::{Gathered, Question};

/// Say whether a policy admits an artifact, before it is pushed
///
/// Takes the same decision as the registry, with the same findings. Of an artifact on a registry
/// the signatures, the attestations, the tag and the version before are looked at too; of a local
/// one with `--as`, as if it were pushed there now. What the policy asks for and could not be
/// looked at is said.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  wasmport check app.wasm
  wasmport check app.oci --policy policy.toml --repository payments/app
  wasmport check app.oci --policy policy.toml --as localhost:5000/payments/app:1.1
  wasmport check localhost:5000/team/app:1.0 --policy preset:http-service
  wasmport check app.wasm --policy policy.toml --annotation org.opencontainers.image.source=URL
  wasmport check app.wasm --policy policy.toml --format sarif > app.sarif

Exit status: 0 admitted; 1 denied, or held because a signature is missing; 2 usage, policy
or input; 3 could not decide.")]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    question: Question,
}

/// The decision, and on what.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Checked {
    policy: String,
    repository: RepositoryName,
    artifact: String,
    #[serde(flatten)]
    decision: Decision,
    /// What the decision depends on, and could not be looked at.
    not_looked_at: Vec<Unknown>,
    /// What makes no sense in the policy.
    warnings: Vec<PolicyWarning>,
    /// To show the place in it.
    #[serde(skip)]
    text: Policy,
}

pub(crate) async fn run(args: &CheckArgs) -> Result<Checked, Failure> {
    let gathered = args.question.gather().await?;
    let Gathered {
        loaded,
        facts,
        warnings,
        ..
    } = gathered;
    let decision = decide(&loaded.policy, &facts, gathered.today);
    policy::warn(&warnings, &loaded.policy);
    let checked = Checked {
        policy: args.question.policy().to_owned(),
        repository: facts.repository,
        artifact: gathered.artifact.place().to_owned(),
        decision: decision.grouped(),
        not_looked_at: gathered.unknown,
        warnings,
        text: loaded.policy,
    };
    match checked.decision.verdict {
        Verdict::Admit => Ok(checked),
        Verdict::Hold => Err(refused(
            "it would be held until what is missing arrives",
            &checked,
        )),
        Verdict::Deny => Err(refused("it would be refused", &checked)),
    }
}

fn refused(why: &str, checked: &Checked) -> Failure {
    let failure = Failure::new(
        Kind::Denied,
        format!("{why} by `{}` in `{}`", checked.policy, checked.repository),
    );
    let hint = explain::hint(&checked.decision, &checked.artifact);
    let failure = hint.into_iter().fold(failure, Failure::hint);
    let findings = policy::explained(&checked.decision, Some(&checked.text));
    failure
        .found(checked)
        .explained(findings + &checked.unknown())
        .reported(checked.report())
}

impl Checked {
    /// A line for everything that could not be looked at.
    fn unknown(&self) -> String {
        let lines = self.not_looked_at.iter();
        let lines = lines.map(|unknown| format!("{}\n", clean(&unknown.to_text())));
        lines.collect()
    }
}

impl Answer for Checked {
    fn to_text(&self) -> String {
        let admitted = format!(
            "{}admitted by `{}` in `{}`",
            self.unknown(),
            self.policy,
            self.repository
        );
        if self.decision.findings.is_empty() {
            return admitted;
        }
        let remarks = self.decision.to_text(Some(&self.text));
        format!("{}\n{admitted}", remarks.trim_end())
    }

    fn report(&self) -> Option<Report> {
        let judged = Judged {
            decision: &self.decision,
            policy: &self.text,
            artifact: &self.artifact,
            repository: self.repository.as_str(),
        };
        let warnings: String = self.warnings.iter().map(PolicyWarning::to_github).collect();
        Some(Report {
            sarif: Judged::to_sarif(&[judged], &self.warnings, env!("CARGO_PKG_VERSION")),
            github: self.decision.to_github(&self.text, Some(&self.artifact)) + &warnings,
        })
    }
}
