//! `wasmport policy init`: a policy to begin with.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;
use serde::Serialize;
use wasmport_artifact::RepositoryName;
use wasmport_policies::{Facts, Policy, SmallestError};

use crate::artifact::Artifact;
use crate::clock;
use crate::error::{Failure, Kind};
use crate::files::{self, Access};
use crate::output::Answer;
use crate::policy;
use crate::remote::Connection;
use crate::source::Subject;

/// Write a policy to begin with
///
/// Without more it is a template with everything explained. With `--preset` it is what comes
/// with this version, to be changed; with `--from` it is the smallest policy that admits the
/// artifacts, each in its repository.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  wasmport policy init -o policy.toml
  wasmport policy init --preset strict -o policy.toml
  wasmport policy init --from app.wasm --repository team/app
  wasmport policy init --from localhost:5000/team/app:1.0 localhost:5000/team/web:2.1

Exit status: 0 written; 1 no policy admits one of the artifacts; 2 usage or input; 3 an
artifact could not be had.")]
pub(crate) struct InitArgs {
    /// Where to write; a file that is there is left alone [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Preset to begin with; `strict` wants signatures by keys of your own
    #[arg(long, value_name = "NAME", conflicts_with = "from", value_parser = presets())]
    preset: Option<String>,

    /// Artifacts that the policy shall admit
    #[arg(long, value_name = "SOURCE|REF", num_args = 1..)]
    from: Vec<Subject>,

    /// Repository that they are meant for [default: of REF, else the file's name]
    #[arg(long, value_name = "NAME", requires = "from")]
    repository: Option<RepositoryName>,

    #[command(flatten)]
    connection: Connection,
}

/// What was written.
#[derive(Debug, Serialize)]
pub(crate) struct Written {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
    policy: String,
}

pub(super) async fn run(args: &InitArgs) -> Result<Written, Failure> {
    let text = match &args.preset {
        Some(name) => Policy::preset_text(name).unwrap_or_default().to_owned(),
        None if args.from.is_empty() => Policy::template().to_owned(),
        None => smallest(args).await?,
    };
    if let Some(path) = &args.output {
        files::create(path, &text, Access::Public)?;
    }
    Ok(Written {
        file: args.output.clone(),
        policy: text,
    })
}

/// The names that `--preset` takes.
fn presets() -> PossibleValuesParser {
    let names = Policy::preset_names().iter().copied();
    PossibleValuesParser::new(names.chain([Policy::preset_template()]))
}

async fn smallest(args: &InitArgs) -> Result<String, Failure> {
    let mut artifacts = Vec::new();
    for subject in &args.from {
        let artifact = Artifact::read(subject, &args.connection).await?;
        let repository = args.repository.clone();
        let repository = repository.map_or_else(|| artifact.repository(), Ok)?;
        artifacts.push(Facts::of(
            repository,
            artifact.manifest(),
            artifact.content(),
        ));
    }
    Policy::smallest(&artifacts, clock::today()).map_err(|error| match &error {
        SmallestError::Refused(refused) => {
            let decision = &refused.1;
            Failure::new(Kind::Denied, error.to_string())
                .found(&decision.grouped())
                .explained(policy::explained(decision, None))
        }
        SmallestError::Unwritable(cause) => {
            Failure::caused(Kind::Denied, &error.to_string(), cause)
        }
    })
}

impl Answer for Written {
    fn to_text(&self) -> String {
        match &self.file {
            Some(file) => format!("wrote {}", file.display()),
            None => self.policy.clone(),
        }
    }
}
