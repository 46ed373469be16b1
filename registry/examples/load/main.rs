//! A load for any registry: the workloads of zot's `zb`, and a set in the shape of Wasm.
//!
//! `cargo run --release --package wasmport-registry --example load -- push-wasm --url http://127.0.0.1:5000`
//!
//! Every answer is checked for its status, its digest and its bytes. One that is wrong makes
//! the run fail: a registry that is fast for the wrong reason is not fast.

#![allow(
    clippy::print_stdout,
    reason = "the report is what the program is for, and goes to standard output"
)]

mod artifact;
mod client;
mod push;
mod report;
mod target;
mod wasm;
mod workload;

use std::process::ExitCode;

use clap::Parser;

use report::Report;
use target::Target;
use workload::Workload;

/// Loads a registry and says how fast it answered.
#[derive(Clone, Debug, Parser)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
struct Options {
    /// What to do
    #[arg(value_enum)]
    workload: Workload,

    /// The registry, without a path; plain HTTP
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:5000")]
    url: String,

    /// How many connections, each of which sends one request at a time
    #[arg(long, short, default_value_t = 16)]
    connections: usize,

    /// How often the workload's operation is done, rounded up to a multiple of the connections
    #[arg(long, short = 'n', default_value_t = 1_000)]
    operations: usize,

    /// The size of a blob in bytes, where the workload has one size (`zb` has 1 MiB, 10 MiB and 100 MiB)
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 20)]
    size: usize,

    /// Push other bytes each time. `zb` pushes the same ones, of which a registry writes only the first
    #[arg(long)]
    unique: bool,

    /// Make what is pushed when its turn comes and not before: slower, but it takes no memory
    #[arg(long, requires = "unique")]
    bounded: bool,

    /// What the names of the repositories begin with
    #[arg(long, value_name = "NAME", default_value = "load")]
    repository: String,

    /// The value of the `Authorization` header
    #[arg(long, value_name = "VALUE")]
    authorization: Option<String>,

    /// Delete the manifests afterwards, as `zb` does
    #[arg(long)]
    cleanup: bool,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let options = Options::parse();
    let target = Target::new(&options)?;
    let measured = workload::run(&target, &options).await?;
    let report = Report::new(&options, measured);
    if options.json {
        println!("{}", report.json());
    } else {
        print!("{report}");
    }
    Ok(report.exit_code())
}
