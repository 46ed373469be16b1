//! `wasmport run`: a command-line component under Wasmtime, with nothing but what is given.

use std::path::PathBuf;

use clap::Args;
use wasmport_artifact::inspect;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Engine, Store};
use wasmtime_wasi::p2::bindings::sync::Command;
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtx, WasiCtxView, WasiView};

use crate::error::{Failure, Kind};
use crate::files;

/// Run a command-line component
///
/// The program sees its arguments, standard input and output, clocks and random numbers.
/// Directories, environment variables and the network it sees only when they are given.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  wasmport run hello.wasm
  wasmport run --dir . convert.wasm -- in.svg out.png

Exit status: that of the program; 2 when it is not a command-line component.")]
pub(crate) struct RunArgs {
    /// The component
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Directory that the program may read and write, as `HOST` or `HOST::GUEST`
    #[arg(long = "dir", value_name = "HOST[::GUEST]")]
    directories: Vec<String>,

    /// Environment variable for the program
    #[arg(long = "env", value_name = "NAME=VALUE")]
    variables: Vec<String>,

    /// Let the program use the network
    #[arg(long)]
    inherit_network: bool,

    /// Arguments for the program
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// What the program ended with.
pub(crate) fn run(args: &RunArgs) -> Result<u8, Failure> {
    let bytes = files::read_wasm(&args.file)?;
    inspect(&bytes).map_err(|error| {
        let what = format!("`{}` cannot be run", args.file.display());
        Failure::caused(Kind::Input, &what, &error)
    })?;
    let engine = Engine::default();
    let not_a_command = |error: wasmtime::Error| {
        let what = format!(
            "failed to load `{}` as a command-line component",
            args.file.display()
        );
        Failure::caused(Kind::Input, &what, &*error.into_boxed_dyn_error())
            .hint("a component runs here when it exports `wasi:cli/run`; `wasmport inspect` lists its exports")
    };
    let component = Component::from_binary(&engine, &bytes).map_err(not_a_command)?;
    let mut linker = Linker::new(&engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker).map_err(not_a_command)?;
    let mut store = Store::new(&engine, Guest::new(args)?);
    let command = Command::instantiate(&mut store, &component, &linker).map_err(not_a_command)?;
    match command.wasi_cli_run().call_run(&mut store) {
        Ok(Ok(())) => Ok(0),
        Ok(Err(())) => Ok(1),
        Err(error) => exit_status(error),
    }
}

fn exit_status(error: wasmtime::Error) -> Result<u8, Failure> {
    match error.downcast_ref::<I32Exit>() {
        Some(exit) => Ok(u8::try_from(exit.0).unwrap_or(u8::MAX)),
        None => Err(Failure::caused(
            Kind::Run,
            "the program trapped",
            &*error.into_boxed_dyn_error(),
        )),
    }
}

/// What the host keeps for the program.
struct Guest {
    context: WasiCtx,
    resources: ResourceTable,
}

impl Guest {
    fn new(args: &RunArgs) -> Result<Self, Failure> {
        let mut context = WasiCtx::builder();
        context
            .inherit_stdio()
            .arg(args.file.to_string_lossy())
            .args(&args.arguments);
        for variable in &args.variables {
            let (name, value) = variable.split_once('=').ok_or_else(|| {
                Failure::new(Kind::Usage, format!("`--env {variable}` has no `=`"))
                    .hint("write `--env NAME=VALUE`")
            })?;
            context.env(name, value);
        }
        for directory in &args.directories {
            let (host, guest) = directory.split_once("::").unwrap_or((directory, directory));
            context
                .preopened_dir(host, guest, FsPerms::ReadWrite)
                .map_err(|error| {
                    let what = format!("failed to open the directory `{host}`");
                    Failure::caused(Kind::Input, &what, &*error.into_boxed_dyn_error())
                })?;
        }
        if args.inherit_network {
            context.inherit_network().allow_ip_name_lookup(true);
        }
        Ok(Self {
            context: context.build(),
            resources: ResourceTable::new(),
        })
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.context,
            table: &mut self.resources,
        }
    }
}
