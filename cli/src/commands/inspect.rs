//! `wasmport inspect`: what an artifact is, and what it can do.

use clap::Args;
use serde::Serialize;
use wasmport_artifact::{Digest, Disagreement, Inspection, Kind as WasmKind, Section, SectionKind};
use wasmport_policies::{CapabilityUse, Content, capabilities};

use crate::artifact::Artifact;
use crate::capability_list;
use crate::error::{Failure, Kind};
use crate::output::{Answer, human_size};
use crate::remote::Connection;
use crate::source::Subject;

/// How many kinds of sections a person wants to hear of; JSON has all.
const SECTIONS_SHOWN: usize = 4;

/// Say what an artifact is and what it imports
///
/// Reads the bytes, not what their config says of them; where the two disagree, it says so.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  wasmport inspect app.wasm
  wasmport inspect localhost:5000/team/app:1.0 --format json")]
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
            capabilities: capabilities(&inspection.imports),
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
        if let Some(digest) = &self.digest {
            lines.push(format!("digest   {digest}"));
        }
        let kind = match self.inspection.kind {
            WasmKind::Component => "component",
            WasmKind::CoreModule => "core module",
            WasmKind::WitPackage => "WIT package",
        };
        let target = self
            .inspection
            .target
            .map_or_else(String::new, |target| format!(", {target:?}").to_lowercase());
        lines.push(format!(
            "kind     {kind}{target}, {}",
            human_size(self.inspection.size)
        ));
        lines.extend(self.producers());
        lines.extend(self.details());
        lines.push(format!(
            "it can\n{}",
            capability_list::to_text(&self.capabilities)
        ));
        lines.extend(self.imports());
        lines.extend(self.exports());
        lines.extend(
            self.disagreements
                .iter()
                .map(|found| format!("warning: the config is wrong: {found}")),
        );
        lines.join("\n")
    }
}

impl Inspected {
    fn producers(&self) -> Option<String> {
        let tools = self.inspection.producers.values().flatten();
        let tools: Vec<_> = tools
            .map(|(name, version)| format!("{name} {version}").trim().to_owned())
            .collect();
        (!tools.is_empty()).then(|| format!("made by  {}", tools.join(", ")))
    }

    /// What there is to say beside imports and exports, in one line each.
    fn details(&self) -> Vec<String> {
        let found = &self.inspection;
        let features: Vec<_> = found.features.iter().map(|name| name.as_str()).collect();
        let largest = found.sections.iter().take(SECTIONS_SHOWN);
        let sections: Vec<_> = largest.map(describe_section).collect();
        let crates = found.dependencies.as_ref().map(|found| {
            let missing = if found.unreadable {
                " and more that cannot be read"
            } else {
                ""
            };
            vec![format!("{}{missing}", found.packages.len())]
        });
        let lists = [
            ("fits", found.worlds.clone()),
            ("uses", features.into_iter().map(str::to_owned).collect()),
            ("memory", self.memories()),
            ("largest", sections),
            ("crates", crates.unwrap_or_default()),
        ];
        let said = lists.into_iter().filter(|(_, list)| !list.is_empty());
        said.map(|(name, list)| format!("{name:<8} {}", list.join(", ")))
            .collect()
    }

    fn memories(&self) -> Vec<String> {
        let own = self.inspection.memories.iter();
        let own = own.filter(|memory| !memory.imported);
        own.map(|memory| {
            let size = |pages: u64| human_size(pages.saturating_mul(memory.page_size));
            let maximum = memory.maximum.map(|pages| format!(" to {}", size(pages)));
            format!(
                "{}{}",
                size(memory.minimum),
                maximum.as_deref().unwrap_or(" and more")
            )
        })
        .collect()
    }

    fn imports(&self) -> Vec<String> {
        let mut lines = vec![format!("imports  {}", self.inspection.imports.len())];
        for import in &self.inspection.imports {
            lines.push(format!("  {}", import.name));
            lines.extend(
                import
                    .functions
                    .iter()
                    .map(|function| format!("    {function}")),
            );
        }
        lines
    }

    fn exports(&self) -> Vec<String> {
        let mut lines = vec![format!("exports  {}", self.inspection.exports.len())];
        for export in &self.inspection.exports {
            lines.push(format!("  {}", export.name));
            lines.extend(
                export
                    .functions
                    .iter()
                    .map(|function| format!("    {function}")),
            );
            let asked = export.imports.iter();
            lines.extend(asked.map(|import| format!("    would import {}", import.name)));
        }
        lines
    }
}

fn describe_section(section: &Section) -> String {
    let kind = match section.kind {
        SectionKind::Code => "code",
        SectionKind::Data => "data",
        SectionKind::Custom => "custom",
        SectionKind::Type => "types",
        SectionKind::Import => "imports",
        SectionKind::Export => "exports",
        SectionKind::Core => "other core sections",
        SectionKind::Component => "other component sections",
    };
    let name = section.name.as_deref().unwrap_or(kind);
    format!("{name} {}", human_size(section.size))
}
