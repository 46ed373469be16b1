//! `wasmport admin`: what only those may do who administer a running registry.

mod audit;
mod gc;
mod quota;
mod reload;
mod robot;

use std::str::FromStr;

use clap::{Args, Subcommand};
use serde::de::DeserializeOwned;
use serde_json::Value;
use wasmport_artifact::{Reference, ReferenceError, RepositoryName, Selector};
use wasmport_client::{Admin, ClientError};

use crate::commands::{answer, block_on};
use crate::error::{Failure, Kind};
use crate::output::Output;
use crate::remote::{self, Connection};

/// Administer a running registry: its configuration, collector, quotas, audit log and robots
///
/// For registries of `wasmport serve` and `wasmport-registry`. Goes in with the user name and
/// password that `docker login` has stored; a rule has to allow that user `admin` on `**`. A
/// registry without rules lets everyone in who reaches it.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  wasmport admin reload registry.example.com
  wasmport admin gc registry.example.com --dry-run
  wasmport admin quota registry.example.com/team/app
  wasmport admin audit registry.example.com --last 20
  wasmport admin robot create registry.example.com ci --allow 'apps/**=pull,push'

Exit status: 0 done; 1 the login may not administer, or something was not taken; 2 usage, or the registry does not take
what was asked for; 3 no login, no such robot, no registry of ours, or network.")]
pub(crate) struct AdminArgs {
    #[command(subcommand)]
    command: AdminCommand,
}

#[derive(Debug, Subcommand)]
enum AdminCommand {
    Gc(gc::GcArgs),
    Quota(quota::QuotaArgs),
    Reload(reload::ReloadArgs),
    Audit(audit::AuditArgs),
    Robot(robot::RobotArgs),
}

/// A registry: a host, with the port where there is one.
#[derive(Clone, Debug)]
struct Host(Reference);

/// A repository on a registry, without tag or digest.
#[derive(Clone, Debug)]
struct Place {
    host: Host,
    repository: RepositoryName,
}

pub(crate) fn run(args: &AdminArgs, output: Output) -> Result<u8, Failure> {
    match &args.command {
        AdminCommand::Gc(args) => answer(output, block_on(gc::run(args))),
        AdminCommand::Quota(args) => answer(output, block_on(quota::run(args))),
        AdminCommand::Reload(args) => reload::run(args, output),
        AdminCommand::Audit(args) => answer(output, block_on(audit::run(args))),
        AdminCommand::Robot(args) => robot::run(args, output),
    }
}

impl AdminArgs {
    /// The name as it is typed, for JSON answers.
    pub(crate) fn name(&self) -> &'static str {
        match &self.command {
            AdminCommand::Gc(_) => "admin gc",
            AdminCommand::Quota(_) => "admin quota",
            AdminCommand::Reload(_) => "admin reload",
            AdminCommand::Audit(_) => "admin audit",
            AdminCommand::Robot(args) => args.name(),
        }
    }
}

impl Host {
    async fn open(&self, connection: &Connection) -> Result<Admin, Failure> {
        connection.administer(&self.0).await
    }

    fn at(host: &str, repository: RepositoryName) -> Result<Self, String> {
        let tag = "latest".parse().map_err(|error| format!("{error}"))?;
        let reference = Reference::new(host, repository, Selector::Tag(tag));
        reference.map(Self).map_err(|error| match error {
            ReferenceError::Registry(_) => {
                format!("`{host}` is no registry: expected a host such as `localhost:5000`")
            }
            error => error.to_string(),
        })
    }
}

impl FromStr for Host {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // Credentials and the scheme follow from the host alone.
        let repository = "any".parse().map_err(|error| format!("{error}"))?;
        Self::at(text, repository)
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/');
        let (host, repository) = parts.ok_or_else(|| {
            format!("`{text}` names no repository: expected one as in `localhost:5000/team/app`")
        })?;
        let repository: RepositoryName = repository.parse().map_err(|error| format!("{error}"))?;
        let host = Host::at(host, repository.clone())?;
        Ok(Self { host, repository })
    }
}

/// As for every registry, with hints that fit here.
fn failed(what: &'static str) -> impl Fn(ClientError) -> Failure {
    move |error| {
        use wasmport_client::{Failure as Cause, Kind as Client};
        let (kind, is_wrong) = match error.failure() {
            Cause::Rejected { status, .. } => (error.kind(), matches!(status, 400 | 409)),
            cause => (cause.kind(), false),
        };
        if is_wrong {
            return Failure::caused(Kind::Usage, &format!("failed to {what}"), &error);
        }
        let failure = remote::failed(what)(error);
        match kind {
            Client::Unauthorized => failure.hint(
                "log in as who administers the registry, as with `docker login`; a token for \
                 repositories is not enough",
            ),
            Client::Denied => failure.hint(
                "the registry's configuration has to allow this login `admin` on `**` \
                 (`[[access.rule]]`)",
            ),
            Client::NotFound => failure.hint("`wasmport admin robot list` has the names"),
            _ => failure,
        }
    }
}

/// Reads an answer, or says that it is none of an admin API that we know.
fn read<T: DeserializeOwned>(answer: Value) -> Result<T, Failure> {
    serde_json::from_value(answer).map_err(|error| {
        Failure::caused(Kind::Registry, "failed to read the answer", &error)
            .hint("is the registry of the same version as this command?")
    })
}

/// Text from outside, which must not steer a terminal.
fn printable(text: &str) -> String {
    let escaped = |character: char| {
        if character.is_control() {
            character.escape_default().to_string()
        } else {
            character.to_string()
        }
    };
    text.chars().map(escaped).collect()
}
