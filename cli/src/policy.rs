//! The policy that a user names with `--policy`.

use wasmport_policies::{Decision, Policy};
use wasmport_registry::{LoadPolicyError, LoadedPolicy};

use crate::environment;
use crate::error::{Failure, Kind};

/// Loads `preset:NAME` or a file.
pub(crate) fn load(name: &str) -> Result<LoadedPolicy, Failure> {
    LoadedPolicy::load(name).map_err(|error| not_loaded(name, &error))
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
        _ => failure,
    }
}
