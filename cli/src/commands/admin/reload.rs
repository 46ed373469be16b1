//! `wasmport admin reload`: the configuration of a running registry, read again.

use clap::Args;
use serde::{Deserialize, Serialize};
use wasmport_registry::{ReloadResult, Reloaded};

use super::{Host, failed, printable, read};
use crate::commands::{answer, block_on};
use crate::error::Failure;
use crate::exit_code;
use crate::output::{Answer, Output};
use crate::remote::Connection;

/// Have a running registry read its configuration again
///
/// With it policy, access rules and certificates. Each is taken as a whole or not at all; what is wrong is said, and the old one stays in force.
/// What is read at a start only is said, too.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  wasmport admin reload localhost:5000

Exit status: 0 all of it is in force, or waits for a restart; 1 the login may not administer, or
something new is wrong and the old was kept; 2 usage; 3 no login, no registry of ours, or network.")]
pub(super) struct ReloadArgs {
    /// The registry, such as `localhost:5000`
    #[arg(value_name = "HOST")]
    host: Host,

    #[command(flatten)]
    connection: Connection,
}

/// What became of each kind of thing.
#[derive(Debug, Deserialize, Serialize)]
struct Reloads {
    reloaded: Vec<Reloaded>,
}

pub(super) fn run(args: &ReloadArgs, output: Output) -> Result<u8, Failure> {
    let reloads = block_on(reload(args))?;
    let is_kept = |one: &Reloaded| one.result == ReloadResult::Kept;
    let code = if reloads.reloaded.iter().any(is_kept) {
        exit_code::NO
    } else {
        exit_code::DONE
    };
    answer(output, Ok(reloads))?;
    Ok(code)
}

async fn reload(args: &ReloadArgs) -> Result<Reloads, Failure> {
    let admin = args.host.open(&args.connection).await?;
    read(admin.reload().await.map_err(failed("reload"))?)
}

impl Answer for Reloads {
    fn to_text(&self) -> String {
        let line = |one: &Reloaded| {
            let what = printable(&one.what);
            let error = one.error.as_deref().map(printable);
            let error = error.map_or_else(String::new, |error| format!(": {error}"));
            format!("{:<13}{}{error}", what, one.result.as_str())
        };
        let lines: Vec<_> = self.reloaded.iter().map(line).collect();
        lines.join("\n")
    }
}
