//! `wasmport inspect`: what an artifact is, and what it can do.

mod screen;

use clap::Args;
use serde::Serialize;
use wasmport_artifact::{Digest, Disagreement, Inspection};
use wasmport_policies::{CapabilityUse, Content, capabilities, clean};

use crate::artifact::Artifact;
use crate::capability_list;
use crate::error::{Failure, Kind};
use crate::output::Answer;
use crate::remote::Connection;
use crate::source::Subject;

/// Say what an artifact is and what it imports
///
/// Imports and exports with their functions, the worlds that it fits, proposals that it uses,
/// memories, sections, and who made it. Reads the bytes, not what their config says of them; where the two disagree, it says so.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  wasmport inspect app.wasm
  wasmport inspect localhost:5000/team/app:1.0 --format json

The words are one screen; the JSON has everything, and docs/facts.md describes it.")]
pub(crate) struct InspectArgs {
    /// A `.wasm` file, an OCI image layout, or an artifact on a registry
    #[arg(value_name = "SOURCE|REF")]
    subject: Subject,

    #[command(flatten)]
    connection: Connection,
}

/// What was found.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Inspected {
    /// The digest of the manifest, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<Digest>,
    #[serde(flatten)]
    inspection: Box<Inspection>,
    disagreements: Vec<Disagreement>,
    capabilities: Vec<CapabilityUse>,
}

pub(crate) async fn run(args: &InspectArgs) -> Result<Inspected, Failure> {
    let artifact = Artifact::read(&args.subject, &args.connection).await?;
    match artifact.content() {
        Content::Wasm {
            inspection,
            disagreements,
        } => Ok(Inspected {
            digest: artifact.pushed_digest(),
            capabilities: capabilities(&inspection),
            inspection,
            disagreements,
        }),
        Content::Unreadable { reason } => Err(Failure::new(
            Kind::Input,
            format!(
                "{} is not Wasm that can be inspected: {reason}",
                artifact.name()
            ),
        )),
        Content::Image { .. } | Content::Attachment | Content::Other => Err(Failure::new(
            Kind::Input,
            format!("{} is not a Wasm artifact", artifact.name()),
        )),
    }
}

impl Answer for Inspected {
    fn to_text(&self) -> String {
        let mut lines = Vec::new();
        lines.extend(
            self.digest
                .iter()
                .map(|digest| format!("digest   {digest}")),
        );
        lines.extend(screen::summary(&self.inspection));
        let can = capability_list::to_text(&self.capabilities);
        lines.push(format!("it can\n{can}"));
        lines.extend(screen::items(&self.inspection));
        let wrong = self.disagreements.iter();
        lines.extend(wrong.map(|found| {
            format!(
                "warning: the config is wrong: {}",
                clean(&found.to_string())
            )
        }));
        lines.join("\n")
    }
}
