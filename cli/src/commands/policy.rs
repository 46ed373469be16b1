//! `wasmport policy`: to write policies, understand them, test them and change them.

mod capabilities;
mod diff;
mod explain;
mod init;
mod test;

use clap::{Args, Subcommand};

use crate::commands::{answer, block_on};
use crate::error::Failure;
use crate::output::Output;

/// Write policies, understand what they decide, test them, and see what a change would do
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  wasmport policy init -o policy.toml
  wasmport policy init --from app.wasm --repository team/app -o policy.toml
  wasmport policy explain app.wasm --policy policy.toml --repository team/app
  wasmport policy test tests
  wasmport policy diff old.toml new.toml --over localhost:5000
  wasmport policy capabilities sockets

Exit status: 0 done; 1 the answer is no (see each command); 2 usage, policy or input; 3 no
answer could be had.")]
pub(crate) struct PolicyArgs {
    #[command(subcommand)]
    command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    Init(init::InitArgs),
    Explain(explain::ExplainArgs),
    Test(test::TestArgs),
    Diff(diff::DiffArgs),
    Capabilities(capabilities::CapabilitiesArgs),
}

pub(crate) fn run(args: &PolicyArgs, output: Output) -> Result<u8, Failure> {
    match &args.command {
        PolicyCommand::Init(args) => answer(output, block_on(init::run(args))),
        PolicyCommand::Explain(args) => answer(output, block_on(explain::run(args))),
        PolicyCommand::Test(args) => answer(output, test::run(args)),
        PolicyCommand::Diff(args) => answer(output, block_on(diff::run(args))),
        PolicyCommand::Capabilities(args) => answer(output, capabilities::run(args)),
    }
}

impl PolicyArgs {
    /// The name as it is typed, for JSON answers.
    pub(crate) fn name(&self) -> &'static str {
        match &self.command {
            PolicyCommand::Init(_) => "policy init",
            PolicyCommand::Explain(_) => "policy explain",
            PolicyCommand::Test(_) => "policy test",
            PolicyCommand::Diff(_) => "policy diff",
            PolicyCommand::Capabilities(_) => "policy capabilities",
        }
    }

    /// Whether it takes decisions, whose findings have forms of their own.
    pub(crate) fn has_findings(&self) -> bool {
        matches!(self.command, PolicyCommand::Test(_))
    }
}
