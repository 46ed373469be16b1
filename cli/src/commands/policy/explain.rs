//! `wasmport policy explain`: which entry admits or refuses each import.

use clap::Args;
use serde::Serialize;
use wasmport_artifact::RepositoryName;
use wasmport_policies::{
    Decision, ExplainedImport, Explanation, Outcome, Place, Policy, PolicyWarning, clean, decide,
    explain,
};

use crate::error::Failure;
use crate::facts::Unknown;
use crate::output::Answer;
use crate::policy;
use crate::question::Question;

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
    #[command(flatten)]
    question: Question,
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
    let gathered = args.question.gather().await?;
    let (facts, today) = (gathered.facts, gathered.today);
    let policy = gathered.loaded.policy;
    Ok(Explained {
        policy: args.question.policy().to_owned(),
        explanation: explain(&policy, &facts, today),
        decision: decide(&policy, &facts, today).grouped(),
        not_looked_at: gathered.unknown,
        warnings: gathered.warnings,
        repository: facts.repository,
        text: policy,
    })
}

impl Answer for Explained {
    fn to_text(&self) -> String {
        let mut lines = vec![self.rule()];
        let mut last = None;
        for explained in &self.explanation.imports {
            let name = (&explained.path, &explained.import);
            if last != Some(name) {
                lines.push(heading(explained.path.as_deref(), &explained.import));
                last = Some(name);
            }
            lines.push(format!("    {}", outcome(explained)));
        }
        for exported in &self.explanation.exports {
            lines.push(heading(exported.path.as_deref(), &exported.export));
            lines.push(
                "    exported code: no policy admits it, since what it would import cannot be known"
                    .to_owned(),
            );
        }
        lines.push(String::new());
        let decision = self.decision.to_text(Some(&self.text));
        lines.push(decision.trim_end().to_owned());
        let unknown = self.not_looked_at.iter();
        lines.extend(unknown.map(|unknown| clean(&unknown.to_text())));
        lines.extend(self.warnings.iter().map(policy::warning_line));
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

/// The name of an import or an export, with the file that has it.
fn heading(path: Option<&str>, name: &str) -> String {
    let path = path.filter(|path| !path.is_empty());
    let path = path.map_or_else(String::new, |path| format!("{}: ", clean(path)));
    format!("  {path}{}", clean(name))
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
