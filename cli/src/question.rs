//! What `check` and `policy explain` are asked: an artifact, a policy, and where it would be.

use clap::Args;
use wasmport_artifact::{Reference, RepositoryName};
use wasmport_policies::{Date, Facts, PolicyWarning, Usage};
use wasmport_registry::LoadedPolicy;

use crate::artifact::Artifact;
use crate::clock;
use crate::error::Failure;
use crate::facts::{self, Asked, Known, Unknown};
use crate::policy;
use crate::remote::{self, Connection};
use crate::source::Subject;

/// An artifact, and the policy that it is held against.
#[derive(Args, Debug)]
pub(crate) struct Question {
    /// A `.wasm` file, an OCI image layout, or an artifact on a registry
    #[arg(value_name = "SOURCE|REF")]
    subject: Subject,

    /// Policy file, directory of policy files, or `preset:NAME`
    #[arg(long, value_name = "POLICY", default_value = "preset:standard")]
    policy: String,

    /// Repository that it is meant for, where rules differ [default: of REF, else the file's name]
    #[arg(long, value_name = "NAME")]
    repository: Option<RepositoryName>,

    /// Decide as if it were pushed there now: with the signatures that are there already, what
    /// the tag is on so far, and the version before
    #[arg(long = "as", value_name = "REF")]
    goal: Option<Reference>,

    /// Annotation of the manifest, as `push` would give it to a file; a layout and what is on a
    /// registry have their own
    #[arg(short, long = "annotation", value_name = "NAME=VALUE", value_parser = remote::parse_pair)]
    annotations: Vec<(String, String)>,

    #[command(flatten)]
    connection: Connection,
}

/// All that a decision is taken on.
#[derive(Debug)]
pub(crate) struct Gathered {
    pub(crate) loaded: LoadedPolicy,
    pub(crate) artifact: Artifact,
    pub(crate) facts: Facts,
    /// What the decision depends on, and could not be looked at.
    pub(crate) unknown: Vec<Unknown>,
    pub(crate) today: Date,
    /// What makes no sense in the policy, and what the artifact does not need of it.
    pub(crate) warnings: Vec<PolicyWarning>,
}

impl Question {
    /// The policy, as it was named.
    pub(crate) fn policy(&self) -> &str {
        &self.policy
    }

    /// Reads policy and artifact, and looks around.
    pub(crate) async fn gather(&self) -> Result<Gathered, Failure> {
        let loaded = policy::load(&self.policy)?;
        let annotations = self.annotations.iter().cloned().collect();
        let artifact = Artifact::read_as(&self.subject, &annotations, &self.connection).await?;
        let asked = Asked {
            artifact: &artifact,
            subject: &self.subject,
            goal: self.goal.as_ref(),
            repository: self.repository.as_ref(),
            connection: &self.connection,
        };
        let Known { facts, unknown } = facts::of(&asked, &loaded).await?;
        let today = clock::today();
        let mut usage = Usage::of(&loaded.policy, today);
        usage.add(&facts);
        let warnings = usage.warnings();
        Ok(Gathered {
            loaded,
            artifact,
            facts,
            unknown,
            today,
            warnings,
        })
    }
}
