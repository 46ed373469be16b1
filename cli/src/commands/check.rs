//! `wasmport check`: would a policy admit it?

use clap::Args;
use serde::Serialize;
use wasmport_artifact::RepositoryName;
use wasmport_policies::{Decision, Judged, Policy, Verdict, decide};

use crate::artifact::Artifact;
use crate::clock;
use crate::commands::explain;
use crate::error::{Failure, Kind};
use crate::facts;
use crate::output::{Answer, Report};
use crate::policy;
use crate::remote::Connection;
use crate::source::Subject;

/// Say whether a policy admits an artifact, before it is pushed
///
/// Takes the same decision as the registry, with the same findings.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  wasmport check app.wasm
  wasmport check app.oci --policy policy.toml --repository payments/app
  wasmport check localhost:5000/team/app:1.0 --policy preset:http-service
  wasmport check app.wasm --policy policy.toml --format sarif > app.sarif

Exit status: 0 admitted; 1 denied, or held because a signature is missing; 2 usage, policy
or input; 3 could not decide.")]
pub(crate) struct CheckArgs {
    /// A `.wasm` file, an OCI image layout, or an artifact on a registry
    #[arg(value_name = "SOURCE|REF")]
    subject: Subject,

    /// Policy file, directory of policy files, or `preset:NAME`
    #[arg(long, value_name = "POLICY", default_value = "preset:standard")]
    policy: String,

    /// Repository that it is meant for, where rules differ [default: of REF, else the file's name]
    #[arg(long, value_name = "NAME")]
    repository: Option<RepositoryName>,

    #[command(flatten)]
    connection: Connection,
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
    /// To show the place in it.
    #[serde(skip)]
    text: Policy,
}

pub(crate) async fn run(args: &CheckArgs) -> Result<Checked, Failure> {
    let loaded = policy::load(&args.policy)?;
    let artifact = Artifact::read(&args.subject, &args.connection).await?;
    let repository = args.repository.as_ref();
    let facts = facts::of(
        &artifact,
        &args.subject,
        repository,
        &loaded,
        &args.connection,
    )
    .await?;
    let decision = decide(&loaded.policy, &facts, clock::today());
    let checked = Checked {
        policy: args.policy.clone(),
        repository: facts.repository,
        artifact: artifact.place().to_owned(),
        decision: decision.grouped(),
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
    failure
        .found(checked)
        .explained(policy::explained(&checked.decision, Some(&checked.text)))
        .reported(checked.report())
}

impl Answer for Checked {
    fn to_text(&self) -> String {
        let admitted = format!("admitted by `{}` in `{}`", self.policy, self.repository);
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
        Some(Report {
            sarif: Judged::to_sarif(&[judged], env!("CARGO_PKG_VERSION")),
            github: self.decision.to_github(&self.text, Some(&self.artifact)),
        })
    }
}
