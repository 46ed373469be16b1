//! `wasmport admin quota`: what a repository holds, and what it may hold.

use clap::Args;
use serde::{Deserialize, Serialize};
use wasmport_artifact::RepositoryName;
use wasmport_registry::settings::ByteSize;
use wasmport_registry::storage::{QuotaSettings, Usage};

use super::{Place, failed, read};
use crate::error::Failure;
use crate::output::{Answer, human_size};
use crate::remote::Connection;

/// Say what a repository holds, and what it may hold
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  wasmport admin quota localhost:5000/team/app

Exit status: 0 done; 1 the login may not administer; 2 usage; 3 no login, no registry of ours,
or network.")]
pub(crate) struct QuotaArgs {
    /// The repository, such as `localhost:5000/team/app`
    #[arg(value_name = "HOST/REPOSITORY")]
    place: Place,

    #[command(flatten)]
    connection: Connection,
}

/// The answer of a registry.
#[derive(Deserialize)]
struct Told {
    used: Usage,
    quota: Option<QuotaSettings>,
}

/// What a repository holds, and may hold.
#[derive(Debug, Serialize)]
pub(crate) struct Holding {
    repository: RepositoryName,
    used: Usage,
    quota: Limits,
}

/// Null is no limit.
#[derive(Debug, Serialize)]
struct Limits {
    bytes: Option<u64>,
    artifacts: Option<u64>,
}

pub(crate) async fn run(args: &QuotaArgs) -> Result<Holding, Failure> {
    let admin = args.place.host.open(&args.connection).await?;
    let repository = args.place.repository.clone();
    let told = admin.quota(&repository).await;
    let Told { used, quota } = read(told.map_err(failed("ask for the quota"))?)?;
    let quota = quota.unwrap_or_default();
    let quota = Limits {
        bytes: quota.bytes.map(ByteSize::bytes),
        artifacts: quota.artifacts,
    };
    Ok(Holding {
        repository,
        used,
        quota,
    })
}

impl Answer for Holding {
    fn to_text(&self) -> String {
        let no_limit = || "no limit".to_owned();
        let bytes = self.quota.bytes.map_or_else(no_limit, human_size);
        let artifacts = self.quota.artifacts;
        let artifacts = artifacts.map_or_else(no_limit, |count| count.to_string());
        format!(
            "{}\nbytes      {} of {bytes}\nartifacts  {} of {artifacts}",
            self.repository,
            human_size(self.used.bytes),
            self.used.artifacts
        )
    }
}
