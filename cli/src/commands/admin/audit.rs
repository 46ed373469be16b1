//! `wasmport admin audit`: who did what, and was refused what.

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::{Host, failed, printable};
use crate::error::Failure;
use crate::output::Answer;
use crate::remote::Connection;

/// Print the last lines of the audit log: pushes, deletes, refusals, wrong logins, robots
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  wasmport admin audit localhost:5000
  wasmport admin audit localhost:5000 --last 20 --format json

Exit status: 0 done; 1 the login may not administer; 2 usage; 3 no login, no registry of ours,
or network.")]
pub(crate) struct AuditArgs {
    /// The registry, such as `localhost:5000`
    #[arg(value_name = "HOST")]
    host: Host,

    /// How many lines; a registry keeps a thousand unless it is told otherwise
    #[arg(long, value_name = "N", default_value_t = 100)]
    last: usize,

    #[command(flatten)]
    connection: Connection,
}

/// The last lines, the oldest first, as the registry wrote them.
#[derive(Debug, Serialize)]
pub(crate) struct Audit {
    lines: Vec<Value>,
}

pub(crate) async fn run(args: &AuditArgs) -> Result<Audit, Failure> {
    let admin = args.host.open(&args.connection).await?;
    let lines = admin.audit(args.last).await;
    let lines = lines.map_err(failed("read the audit log"))?;
    Ok(Audit { lines })
}

impl Answer for Audit {
    fn to_text(&self) -> String {
        let lines = self.lines.iter().map(to_line);
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// `<time> <who> <action> <repository> <reference> <verdict> (<why>)`.
fn to_line(line: &Value) -> String {
    let text = |name: &str| line.get(name).and_then(Value::as_str).map(printable);
    let names = [
        "time",
        "who",
        "action",
        "repository",
        "reference",
        "verdict",
    ];
    let mut words: Vec<String> = names.into_iter().filter_map(text).collect();
    words.extend(text("why").map(|why| format!("({why})")));
    words.join("  ")
}
