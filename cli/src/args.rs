//! What can be written on the command line; the help texts are the reference.

use clap::{Parser, Subcommand};

use crate::commands::{
    admin, build, check, demo, diff, explain, fsck, gc, inspect, keygen, policy, pull, push, serve,
    sign, verify,
};
use crate::output::Format;

/// Build, inspect, sign and ship WebAssembly components as OCI artifacts
#[derive(Debug, Parser)]
#[command(name = "wasmport", version, propagate_version = true)]
#[command(after_help = "\
SOURCE is a `.wasm` file or an OCI image layout, as `wasmport build` writes it.
REF is `registry/repository:tag` or `registry/repository@sha256:…`. Plain HTTP is used
for loopback hosts by itself, elsewhere only with --plain-http.

Exit status: 0 done; 1 the answer is no (denied, not verified, does not compile);
2 usage or input; 3 no answer could be had (network, registry, disk, missing tool).")]
pub(crate) struct Arguments {
    /// How to answer: words, one JSON object on stdout, or findings for other tools
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORMAT"
    )]
    pub(crate) format: Format,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Build(build::BuildArgs),
    Inspect(inspect::InspectArgs),
    Check(check::CheckArgs),
    Diff(diff::DiffArgs),
    Policy(policy::PolicyArgs),
    Explain(explain::ExplainArgs),
    Push(push::PushArgs),
    Pull(pull::PullArgs),
    Keygen(keygen::KeygenArgs),
    Sign(sign::SignArgs),
    Verify(verify::VerifyArgs),
    #[cfg(feature = "run")]
    Run(crate::commands::run::RunArgs),
    Serve(serve::ServeArgs),
    Fsck(fsck::FsckArgs),
    Gc(gc::GcArgs),
    Admin(admin::AdminArgs),
    Demo(demo::DemoArgs),
}

impl Command {
    /// Whether it takes decisions, whose findings have forms of their own.
    pub(crate) fn has_findings(&self) -> bool {
        match self {
            Self::Check(_) => true,
            Self::Policy(args) => args.has_findings(),
            _ => false,
        }
    }

    /// The name as it is typed, for JSON answers.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Build(_) => "build",
            Self::Inspect(_) => "inspect",
            Self::Check(_) => "check",
            Self::Diff(_) => "diff",
            Self::Policy(args) => args.name(),
            Self::Explain(_) => "explain",
            Self::Push(_) => "push",
            Self::Pull(_) => "pull",
            Self::Keygen(_) => "keygen",
            Self::Sign(_) => "sign",
            Self::Verify(_) => "verify",
            #[cfg(feature = "run")]
            Self::Run(_) => "run",
            Self::Serve(_) => "serve",
            Self::Fsck(_) => "fsck",
            Self::Gc(_) => "gc",
            Self::Admin(args) => args.name(),
            Self::Demo(_) => "demo",
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::Arguments::command().debug_assert();
    }
}
