//! One file a command; here each is called by its name.

pub(crate) mod build;
pub(crate) mod check;
pub(crate) mod demo;
pub(crate) mod inspect;
pub(crate) mod keygen;
pub(crate) mod pull;
pub(crate) mod push;
#[cfg(feature = "run")]
pub(crate) mod run;
pub(crate) mod serve;
pub(crate) mod sign;
pub(crate) mod verify;

use std::future::Future;

use crate::args::Command;
use crate::error::{Failure, Kind};
use crate::exit_code;
use crate::output::{Answer, Output};

/// Runs a command and gives the exit code; what failed is left to be printed.
pub(crate) fn run(command: Command, output: Output) -> Result<u8, Failure> {
    match command {
        Command::Build(args) => answer(output, build::run(&args)),
        Command::Inspect(args) => answer(output, block_on(inspect::run(&args))?),
        Command::Check(args) => answer(output, block_on(check::run(&args))?),
        Command::Push(args) => answer(output, block_on(push::run(&args))?),
        Command::Pull(args) => answer(output, block_on(pull::run(&args))?),
        Command::Keygen(args) => answer(output, keygen::run(&args)),
        Command::Sign(args) => answer(output, block_on(sign::run(&args))?),
        Command::Verify(args) => answer(output, block_on(verify::run(&args))?),
        #[cfg(feature = "run")]
        Command::Run(args) => run::run(&args),
        Command::Serve(args) => block_on(serve::run(&args, output))?.map(|()| exit_code::DONE),
        Command::Demo(args) => demo::run(&args).map(|()| exit_code::DONE),
    }
}

fn answer(output: Output, result: Result<impl Answer, Failure>) -> Result<u8, Failure> {
    let closed =
        |error: std::io::Error| Failure::caused(Kind::Io, "failed to write the answer", &error);
    output.success(&result?).map_err(closed)?;
    Ok(exit_code::DONE)
}

fn block_on<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| {
        Failure::caused(Kind::Io, "failed to start threads for the network", &error)
    })?;
    Ok(runtime.block_on(work))
}
