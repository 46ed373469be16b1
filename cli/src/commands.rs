//! One file a command; here each is called by its name.

pub(crate) mod admin;
pub(crate) mod build;
pub(crate) mod check;
pub(crate) mod demo;
pub(crate) mod diff;
pub(crate) mod explain;
pub(crate) mod fsck;
pub(crate) mod gc;
pub(crate) mod inspect;
pub(crate) mod keygen;
pub(crate) mod policy;
pub(crate) mod pull;
pub(crate) mod push;
#[cfg(feature = "run")]
pub(crate) mod run;
pub(crate) mod serve;
pub(crate) mod sign;
pub(crate) mod verify;

use std::future::Future;
use std::io::ErrorKind;

use tokio::runtime::Runtime;

use crate::args::Command;
use crate::error::{Failure, Kind};
use crate::exit_code;
use crate::output::{Answer, Output};

/// Runs a command and gives the exit code; what failed is left to be printed.
pub(crate) fn run(command: Command, output: Output) -> Result<u8, Failure> {
    match command {
        Command::Build(args) => answer(output, build::run(&args)),
        Command::Inspect(args) => answer(output, block_on(inspect::run(&args))),
        Command::Check(args) => answer(output, block_on(check::run(&args))),
        Command::Diff(args) => answer(output, block_on(diff::run(&args))),
        Command::Explain(args) => answer(output, block_on(explain::run(&args))),
        Command::Policy(args) => policy::run(&args, output),
        Command::Push(args) => answer(output, block_on(push::run(&args))),
        Command::Pull(args) => answer(output, block_on(pull::run(&args))),
        Command::Keygen(args) => answer(output, keygen::run(&args)),
        Command::Sign(args) => answer(output, block_on(sign::run(&args))),
        Command::Verify(args) => answer(output, block_on(verify::run(&args))),
        #[cfg(feature = "run")]
        Command::Run(args) => run::run(&args),
        Command::Serve(args) => runtime()?
            .block_on(serve::run(&args, output))
            .map(|()| exit_code::DONE),
        Command::Fsck(args) => answer(output, block_on(fsck::run(&args))),
        Command::Gc(args) => answer(output, block_on(gc::run(&args))),
        Command::Admin(args) => admin::run(&args, output),
        Command::Demo(args) => demo::run(&args).map(|()| exit_code::DONE),
    }
}

fn answer(output: Output, result: Result<impl Answer, Failure>) -> Result<u8, Failure> {
    match output.success(&result?) {
        Ok(()) => Ok(exit_code::DONE),
        // Who reads only the beginning, as `head` does, has what they want.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(exit_code::DONE),
        Err(error) => Err(Failure::caused(
            Kind::Io,
            "failed to write the answer",
            &error,
        )),
    }
}

/// Does what needs the network. When it is interrupted, what it has begun is cleaned up.
fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    runtime()?.block_on(async {
        tokio::select! {
            done = work => done,
            _ = tokio::signal::ctrl_c() => Err(Failure::new(Kind::Interrupted, "interrupted")),
        }
    })
}

fn runtime() -> Result<Runtime, Failure> {
    Runtime::new().map_err(|error| {
        Failure::caused(Kind::Io, "failed to start threads for the network", &error)
    })
}
