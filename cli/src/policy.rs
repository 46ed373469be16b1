//! The policy that a user names with `--policy`.

use wasmport_policies::{Decision, Policy, PolicyWarning, clean};
use wasmport_registry::{LoadPolicyError, LoadedPolicy};

use crate::environment;
use crate::error::{Failure, Kind};
use crate::output;

/// How many warnings of a policy are shown where something else was asked.
const WARNINGS: usize = 10;

/// Loads `preset:NAME` or a file.
pub(crate) fn load(name: &str) -> Result<LoadedPolicy, Failure> {
    LoadedPolicy::load(name).map_err(|error| not_loaded(name, &error))
}

/// Says on stderr what makes no sense in a policy.
pub(crate) fn warn(warnings: &[PolicyWarning], policy: &Policy) {
    for warning in warnings.iter().take(WARNINGS) {
        output::note(output::screened(&warning.to_text(policy)).trim_end());
    }
    let more = warnings.len().saturating_sub(WARNINGS);
    if more > 0 {
        output::note(&format!(
            "{more} more warnings about the policy; `wasmport policy explain` shows all"
        ));
    }
}

/// A warning on one line.
pub(crate) fn warning_line(warning: &PolicyWarning) -> String {
    clean(&format!("warning: {}: {}", warning.place, warning.message))
}

/// A decision for stderr.
pub(crate) fn explained(decision: &Decision, policy: Option<&Policy>) -> String {
    if environment::is_coloured() {
        decision.to_coloured_text(policy)
    } else {
        decision.to_text(policy)
    }
}

/// What is wrong in a file is shown with its line.
pub(crate) fn not_loaded(name: &str, error: &LoadPolicyError) -> Failure {
    let what = format!("failed to load the policy `{name}`");
    let failure = Failure::caused(Kind::Input, &what, error);
    match error {
        LoadPolicyError::Policy { source, .. } => failure.explained(source.to_text()),
        LoadPolicyError::Template { name } => failure.hint(format!(
            "`wasmport policy init --preset {name} -o policy.toml` writes it"
        )),
        _ => failure,
    }
}
