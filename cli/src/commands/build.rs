//! `wasmport build`: from a cargo project to an artifact on disk.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use wasmport_artifact::Digest;
use wasmport_builder::{BuildError, BuildOptions, ErrorKind, Event, Features, Names, Optimizer};
use wasmport_policies::{CapabilityUse, capabilities};

use crate::error::{Failure, Kind};
use crate::output::{Answer, human_size};
use crate::{capability_list, environment, output, remote};

/// Compile a cargo project to an optimised component in an OCI image layout
///
/// Runs cargo for wasm32-wasip2 (the target is installed when it is missing), optimises the
/// core modules inside the component, and writes an OCI image layout that `wasmport push`
/// takes. Same source and same toolchain give the same digest.
#[derive(Args, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own, as cargo has them"
)]
#[command(after_help = "\
Examples:
  wasmport build
  wasmport build services/greeter -o greeter.oci
  wasmport build . --package greeter --wasm-opt /opt/binaryen/bin/wasm-opt

Exit status: 0 built; 1 does not compile; 2 not a project that can be built; 3 a tool is
missing or the disk is full.")]
pub(crate) struct BuildArgs {
    /// The project: a directory in it, or its Cargo.toml
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,

    /// Where the layout goes [default: wasmport/NAME in cargo's target directory]
    #[arg(short, long, value_name = "LAYOUT")]
    output: Option<PathBuf>,

    /// Annotation of the manifest, beside those from Cargo.toml and git, or in place of one
    #[arg(short, long = "annotation", value_name = "NAME=VALUE", value_parser = remote::parse_pair)]
    annotations: Vec<(String, String)>,

    /// Package of a workspace
    #[arg(short, long, value_name = "NAME")]
    package: Option<String>,

    /// Program of a package that has several
    #[arg(long, value_name = "NAME")]
    bin: Option<String>,

    /// Features of the package, separated by commas
    #[arg(short = 'F', long, value_name = "FEATURES", value_delimiter = ',')]
    features: Vec<String>,

    /// All features of the package
    #[arg(long)]
    all_features: bool,

    /// No default features of the package
    #[arg(long)]
    no_default_features: bool,

    /// Cargo profile
    #[arg(long, value_name = "NAME", default_value = "release")]
    profile: String,

    /// Cargo.lock must be up to date
    #[arg(long)]
    locked: bool,

    /// No network for cargo
    #[arg(long)]
    offline: bool,

    /// --locked and --offline
    #[arg(long)]
    frozen: bool,

    /// Leave the component as cargo made it
    #[arg(long, conflicts_with = "wasm_opt")]
    no_optimize: bool,

    /// Keep the names of functions, for backtraces; with --no-optimize also for `wasmport explain`
    #[arg(long)]
    names: bool,

    /// Another wasm-opt than the one compiled in
    #[arg(long, value_name = "PATH")]
    wasm_opt: Option<PathBuf>,
}

/// What was built.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answered {
    digest: Digest,
    layout: PathBuf,
    sizes: Sizes,
    imports: Vec<String>,
    exports: Vec<String>,
    capabilities: Vec<CapabilityUse>,
}

/// Bytes of the component, before and after.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Sizes {
    compiled: u64,
    optimized: u64,
}

pub(crate) fn run(args: &BuildArgs) -> Result<Answered, Failure> {
    let mut say = |event: Event| output::note(&format!("wasmport: {event}"));
    let built =
        wasmport_builder::build(&options(args), &mut say).map_err(|error| failure(&error))?;
    let names =
        |names: std::collections::BTreeSet<&str>| names.into_iter().map(str::to_owned).collect();
    Ok(Answered {
        digest: built.digest,
        layout: built.layout.directory().to_owned(),
        sizes: Sizes {
            compiled: built.sizes.compiled,
            optimized: built.sizes.optimized,
        },
        imports: names(built.inspection.import_names()),
        exports: names(built.inspection.export_names()),
        capabilities: capabilities(&built.inspection),
    })
}

fn options(args: &BuildArgs) -> BuildOptions {
    let mut options = BuildOptions::new(&args.path, environment::for_builds());
    options.output.clone_from(&args.output);
    options.annotations = args.annotations.iter().cloned().collect();
    options.package.clone_from(&args.package);
    options.bin.clone_from(&args.bin);
    options.features = Features {
        named: args.features.clone(),
        all: args.all_features,
        no_default: args.no_default_features,
    };
    options.profile.clone_from(&args.profile);
    (options.locked, options.offline, options.frozen) = (args.locked, args.offline, args.frozen);
    if args.names {
        options.names = Names::Kept;
    }
    options.optimizer = match (&args.wasm_opt, args.no_optimize) {
        (Some(path), _) => Optimizer::Program(path.clone()),
        (None, true) => Optimizer::None,
        (None, false) => Optimizer::default(),
    };
    options
}

fn failure(error: &BuildError) -> Failure {
    let kind = match error.kind() {
        ErrorKind::Usage => Kind::Input,
        ErrorKind::Compile => Kind::Compile,
        ErrorKind::Tool => Kind::ToolMissing,
        ErrorKind::Io => Kind::Io,
    };
    let failure = Failure::caused(kind, "failed to build", error);
    match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

impl Answer for Answered {
    fn to_text(&self) -> String {
        let saved = 100 - self.sizes.optimized.saturating_mul(100) / self.sizes.compiled.max(1);
        format!(
            "built   {}\nsize    {} compiled, {} optimised (-{saved} %)\nit can\n{}\ndigest  {}",
            environment::from_here(&self.layout).display(),
            human_size(self.sizes.compiled),
            human_size(self.sizes.optimized),
            capability_list::to_text(&self.capabilities),
            self.digest
        )
    }
}
