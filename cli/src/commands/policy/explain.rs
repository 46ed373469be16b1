//! `wasmport policy explain`: which entry admits or refuses each import.

use clap::Args;
use serde::Serialize;
use wasmport_artifact::{Reference, RepositoryName};
use wasmport_policies::{
    Decision, ExplainedImport, Explanation, Outcome, Place, Policy, PolicyWarning, clean, decide,
    explain,
};

use crate::artifact::Artifact;
use crate::clock;
use crate::error::Failure;
use crate::facts::{self, Asked, Known, Unknown};
use crate::output::Answer;
use crate::policy;
use crate::remote::Connection;
use crate::source::Subject;

/// How many functions of an import are listed for people.
const FUNCTIONS: usize = 5;

/// Say line by line why a policy admits or refuses an artifact
///
/// Names the rule that decides, and for each import the entry that allows or denies it. Ends
/// with the decision as `wasmport check` takes it, and with what makes no sense in the policy.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  wasmport policy explain app.wasm --policy policy.toml --repository team/app
  wasmport policy explain localhost:5000/team/app:1.0

Exit status: 0 explained, whatever the decision; 2 usage, policy or input; 3 the artifact
could not be had.")]
pub(crate) struct ExplainArgs {
    /// A `.wasm` file, an OCI image layout, or an artifact on a registry
    #[arg(value_name = "SOURCE|REF")]
    subject: Subject,

    /// Policy file, directory of policy files, or `preset:NAME`
    #[arg(long, value_name = "POLICY", default_value = "preset:standard")]
    policy: String,

    /// Repository that it is meant for, where rules differ [default: of REF, else the file's name]
    #[arg(long, value_name = "NAME")]
    repository: Option<RepositoryName>,

    /// Explain what would be decided if it were pushed there now
    #[arg(long = "as", value_name = "REF")]
    goal: Option<Reference>,

    #[command(flatten)]
    connection: Connection,
}

/// The explanation, and what comes of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Explained {
    policy: String,
    repository: RepositoryName,
    #[serde(flatten)]
    explanation: Explanation,
    #[serde(flatten)]
    decision: Decision,
    /// What the decision depends on, and could not be looked at.
    not_looked_at: Vec<Unknown>,
    warnings: Vec<PolicyWarning>,
    #[serde(skip)]
    text: Policy,
}

pub(super) async fn run(args: &ExplainArgs) -> Result<Explained, Failure> {
    let loaded = policy::load(&args.policy)?;
    let artifact = Artifact::read(&args.subject, &args.connection).await?;
    let asked = Asked {
        artifact: &artifact,
        subject: &args.subject,
        goal: args.goal.as_ref(),
        repository: args.repository.as_ref(),
        connection: &args.connection,
    };
    let Known { facts, unknown } = facts::of(&asked, &loaded).await?;
    let today = clock::today();
    Ok(Explained {
        policy: args.policy.clone(),
        explanation: explain(&loaded.policy, &facts, today),
        decision: decide(&loaded.policy, &facts, today).grouped(),
        not_looked_at: unknown,
        warnings: loaded.policy.warnings(today),
        repository: facts.repository,
        text: loaded.policy,
    })
}

impl Answer for Explained {
    fn to_text(&self) -> String {
        let mut lines = vec![self.rule()];
        let mut last = None;
        for explained in &self.explanation.imports {
            let name = (&explained.path, &explained.import);
            if last != Some(name) {
                let path = explained
                    .path
                    .iter()
                    .map(|path| format!("{}: ", clean(path)));
                let path: String = path.collect();
                lines.push(format!("  {path}{}", clean(&explained.import)));
                last = Some(name);
            }
            lines.push(format!("    {}", outcome(explained)));
        }
        lines.push(String::new());
        let decision = self.decision.to_text(Some(&self.text));
        lines.push(decision.trim_end().to_owned());
        let unknown = self.not_looked_at.iter();
        lines.extend(unknown.map(|unknown| clean(&unknown.to_text())));
        let warnings = self.warnings.iter();
        lines.extend(
            warnings.map(|warning| format!("warning: {}: {}", warning.place, warning.message)),
        );
        lines.join("\n")
    }
}

impl Explained {
    fn rule(&self) -> String {
        let place = place(self.explanation.place.as_ref());
        let repository = &self.repository;
        match &self.explanation.rule {
            Some(rule) if self.explanation.is_audit => {
                format!("rule `{rule}`{place} is for `{repository}`, and only watches")
            }
            Some(rule) => format!("rule `{rule}`{place} is for `{repository}`"),
            None => format!("no rule is for `{repository}`{place}"),
        }
    }
}

fn outcome(explained: &ExplainedImport) -> String {
    let entry = explained.entry.as_deref().unwrap_or_default();
    let place = place(explained.place.as_ref());
    let reason = explained.reason.iter().map(|reason| format!(": {reason}"));
    let reason: String = reason.collect();
    let outcome = match explained.outcome {
        Outcome::Allowed => format!("allowed by `{entry}`{place}"),
        Outcome::Excepted => format!("allowed by the exception `{entry}`{place}{reason}"),
        Outcome::AllowedByDefault => "allowed by default".to_owned(),
        Outcome::Denied => format!("denied by `{entry}`{place}{reason}"),
        Outcome::NotAllowed => format!("allowed by nothing{place}"),
        Outcome::Unsupported => "no policy admits this kind of import".to_owned(),
    };
    format!(
        "{}{}: {outcome}",
        explained.capability,
        functions(&explained.functions)
    )
}

fn functions(names: &[String]) -> String {
    let mut shown: Vec<&str> = names.iter().take(FUNCTIONS).map(String::as_str).collect();
    let more = format!("{} more", names.len().saturating_sub(FUNCTIONS));
    if names.len() > FUNCTIONS {
        shown.push(&more);
    }
    match shown.as_slice() {
        [] => String::new(),
        shown => format!(" ({})", clean(&shown.join(", "))),
    }
}

fn place(place: Option<&Place>) -> String {
    place.map_or_else(String::new, |place| format!(" ({place})"))
}
