//! `wasmport explain`: where does an import come from.

mod block;
mod chain;
mod hint;

use std::str::FromStr;

use clap::Args;
use serde::Serialize;
use wasmport_artifact::{InterfaceName, Origin, Origins, origins, validate};
use wasmport_policies::clean;

use crate::artifact::Artifact;
use crate::error::{Failure, Kind};
use crate::output::Answer;
use crate::remote::Connection;
use crate::source::Subject;
pub(crate) use hint::hint;

/// Say where an import comes from: which functions lead to it
///
/// Shows for each import whether it is reached or dead, and the functions on the shortest way
/// from an export to it, with the crates that they are from. The arrow points at the function
/// to look at: the last one of your own code before the import. Functions have names when they
/// were kept: `cargo build --release` and `wasmport build --no-optimize --names` do.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  wasmport explain target/wasm32-wasip2/release/app.wasm
  wasmport explain app.oci wasi:sockets/tcp
  wasmport explain app.wasm 'wasi:sockets/tcp#[method]tcp-socket.start-connect'

Exit status: 0 explained; 1 the import that was asked for is not there; 2 usage or input;
3 no answer could be had.")]
pub(crate) struct ExplainArgs {
    /// A `.wasm` file, an OCI image layout, or an artifact on a registry
    #[arg(value_name = "SOURCE|REF")]
    subject: Subject,

    /// Only this import or function; a version may be left out
    #[arg(value_name = "IMPORT[#FUNCTION]")]
    wanted: Option<Wanted>,

    /// Crate that counts as your own [default: the one that the core module is named after]
    #[arg(long = "crate", value_name = "NAME")]
    crates: Vec<String>,

    #[command(flatten)]
    connection: Connection,
}

/// An import that was asked for.
#[derive(Clone, Debug)]
struct Wanted {
    import: String,
    function: Option<String>,
}

/// What was found.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Explained {
    #[serde(flatten)]
    origins: Origins,
    /// How much was asked for, and so how much is shown.
    #[serde(skip)]
    detail: Detail,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Detail {
    /// All imports: one way to each.
    Imports,
    /// One import: the ways to its functions.
    Functions,
    /// One function: every step.
    Steps,
}

pub(crate) async fn run(args: &ExplainArgs) -> Result<Explained, Failure> {
    let artifact = Artifact::read(&args.subject, &args.connection).await?;
    let wasm = artifact.wasm()?;
    let what = format!("failed to explain {}", artifact.name());
    validate(wasm).map_err(|error| Failure::caused(Kind::Input, &what, &error))?;
    let mut origins =
        origins(wasm, &args.crates).map_err(|error| Failure::caused(Kind::Input, &what, &error))?;
    if let Some(wanted) = &args.wanted {
        let (found, others) = origins
            .functions
            .into_iter()
            .partition(|origin| wanted.is_met_by(origin));
        origins.functions = found;
        if origins.functions.is_empty() {
            return Err(wanted.is_missing(&artifact, &others));
        }
    }
    let detail = match &args.wanted {
        None => Detail::Imports,
        Some(Wanted { function: None, .. }) => Detail::Functions,
        Some(_) => Detail::Steps,
    };
    Ok(Explained { origins, detail })
}

impl FromStr for Wanted {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (import, function) = match text.split_once('#') {
            Some((import, function)) => (import, Some(function.to_owned())),
            None => (text, None),
        };
        Ok(Self {
            import: import.to_owned(),
            function,
        })
    }
}

impl Wanted {
    fn is_met_by(&self, origin: &Origin) -> bool {
        let is_function = self.function.is_none() || self.function == origin.function;
        is_function && self.is_import(&origin.import)
    }

    /// The import by its name, or without its version, or in a version of the same track.
    fn is_import(&self, name: &str) -> bool {
        if self.import == name {
            return true;
        }
        let names = (self.import.parse::<InterfaceName>(), name.parse());
        let (Ok(wanted), Ok(found)): (_, Result<InterfaceName, _>) = names else {
            return false;
        };
        wanted.same_track(&found)
            || (wanted.version.is_none() && wanted.unversioned() == found.unversioned())
    }

    fn is_missing(&self, artifact: &Artifact, there: &[Origin]) -> Failure {
        let in_import = there.iter().filter(|origin| self.is_import(&origin.import));
        let mut functions: Vec<&str> = in_import
            .filter_map(|origin| origin.function.as_deref())
            .collect();
        let mut imports: Vec<&str> = there.iter().map(|origin| origin.import.as_str()).collect();
        imports.dedup();
        let (what, known) = match &self.function {
            Some(function) if !functions.is_empty() => {
                functions.dedup();
                (format!("`{function}` of `{}`", self.import), functions)
            }
            _ => (format!("`{}`", self.import), imports),
        };
        let failure = Failure::new(
            Kind::NotImported,
            format!("{} does not import {what}", artifact.name()),
        );
        match known.as_slice() {
            [] => failure.hint("it imports nothing"),
            known => failure.hint(format!(
                "it imports\n{}",
                known
                    .iter()
                    .map(|name| clean(name))
                    .collect::<Vec<_>>()
                    .join("\n")
            )),
        }
    }
}

impl Answer for Explained {
    fn to_text(&self) -> String {
        let mut blocks = block::to_text(&self.origins, self.detail);
        if !self.origins.named && !self.origins.functions.is_empty() {
            blocks.push(
                "hint: its functions have no names; `cargo build --release` and \
                 `wasmport build --no-optimize --names` keep them"
                    .to_owned(),
            );
        }
        if blocks.is_empty() {
            return "it imports nothing".to_owned();
        }
        blocks.join("\n\n")
    }
}
