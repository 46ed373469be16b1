//! `wasmport admin gc`: the collector of a running registry.

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wasmport_registry::storage::Collected;

use super::{Host, failed, read};
use crate::clock;
use crate::commands::gc::{CollectedStore, Terms, summary};
use crate::error::Failure;
use crate::output::Answer;
use crate::remote::Connection;

/// Remove what nothing leads to in a running registry, or say what the last runs removed
///
/// The registry does the same by the clock; without --grace it waits for an hour after its start,
/// since it does not know what open pushes asked for before.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  wasmport admin gc localhost:5000 --dry-run
  wasmport admin gc localhost:5000 --grace 24h
  wasmport admin gc localhost:5000 --last

Exit status: 0 done; 1 the login may not administer; 2 usage, or it started less than an hour
ago; 3 no login, it runs already, no registry of ours, or network.")]
pub(crate) struct GcArgs {
    /// The registry, such as `localhost:5000`
    #[arg(value_name = "HOST")]
    host: Host,

    #[command(flatten)]
    terms: Terms,

    /// Do not run; say what the last runs removed, the newest first
    #[arg(long, conflicts_with_all = ["dry_run", "grace", "untagged_after"])]
    last: bool,

    #[command(flatten)]
    connection: Connection,
}

/// What went, now or in the last runs.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Collections {
    Run(CollectedStore),
    Last(Runs),
}

/// The last runs, the newest first.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Runs {
    runs: Vec<Collected>,
}

pub(crate) async fn run(args: &GcArgs) -> Result<Collections, Failure> {
    let admin = args.host.open(&args.connection).await?;
    if args.last {
        let runs = admin.collections().await;
        let runs = runs.map_err(failed("ask for the runs of the collector"))?;
        return read(runs).map(Collections::Last);
    }
    let mut terms = Map::new();
    terms.insert("dryRun".to_owned(), args.terms.dry_run.into());
    let spans = [
        ("grace", args.terms.grace),
        ("untaggedAfter", args.terms.untagged_after),
    ];
    for (name, span) in spans {
        if let Some(span) = span {
            terms.insert(name.to_owned(), span.to_string().into());
        }
    }
    let collected = admin.collect(&Value::Object(terms)).await;
    read(collected.map_err(failed("run the collector"))?).map(Collections::Run)
}

impl Answer for Collections {
    fn to_text(&self) -> String {
        match self {
            Self::Run(collected) => collected.to_text(),
            Self::Last(Runs { runs }) if runs.is_empty() => {
                "the collector has not run since the start".to_owned()
            }
            Self::Last(Runs { runs }) => {
                let line = |run: &Collected| format!("{}  {}", clock::at(run.began), summary(run));
                runs.iter().map(line).collect::<Vec<_>>().join("\n")
            }
        }
    }
}
