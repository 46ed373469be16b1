//! `wasmport diff`: what came and went, and can one take the place of the other.

use clap::Args;
use semver::Version;
use serde::Serialize;
use wasmport_artifact::{
    ChangedItem, Changes, Comparison, Inspection, Item, Manifest, Step, annotation,
};
use wasmport_policies::{CapabilityUse, capabilities, clean};

use crate::artifact::Artifact;
use crate::error::{Failure, Kind};
use crate::output::{Answer, human_size};
use crate::remote::Connection;
use crate::source::Subject;

/// How many functions of one import or export are listed for people.
const FUNCTIONS: usize = 8;

/// How many characters of a type are shown for people.
const TYPE: usize = 300;

/// Say what changed between two artifacts, and whether the second can replace the first
///
/// It can when it needs nothing that a host of the first need not have, and exports everything
/// that the first exports. Interfaces, their versions, functions and the types of functions are
/// compared. A function of another type is another function, also where a record has a field more:
/// runtimes ask for the same structure. Names of types say nothing, but for resources. What a
/// function does is not compared, nor are types that no function has, nor memories and globals of
/// core modules.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  wasmport diff old.wasm new.wasm
  wasmport diff localhost:5000/team/app:1.0 app.oci --format json

Exit status: 0 the second can replace the first; 1 it cannot; 2 usage or input; 3 could not
decide.")]
pub(crate) struct DiffArgs {
    /// What is there: a `.wasm` file, an OCI image layout, or an artifact on a registry
    #[arg(value_name = "BEFORE")]
    before: Subject,

    /// What would take its place
    #[arg(value_name = "AFTER")]
    after: Subject,

    #[command(flatten)]
    connection: Connection,
}

/// What was found.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Compared {
    replaces: bool,
    #[serde(flatten)]
    comparison: Comparison,
    capabilities: CapabilityChanges,
    /// What the two say of their versions, where both do.
    #[serde(skip_serializing_if = "Option::is_none")]
    versions: Option<Versions>,
}

/// Capabilities that came and went.
#[derive(Debug, Serialize)]
struct CapabilityChanges {
    added: Vec<CapabilityUse>,
    removed: Vec<CapabilityUse>,
}

/// Versions by the annotation `org.opencontainers.image.version`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Versions {
    before: Version,
    after: Version,
    /// The step is as large as the changes ask for.
    is_enough: bool,
}

pub(crate) async fn run(args: &DiffArgs) -> Result<Compared, Failure> {
    let before = Artifact::read(&args.before, &args.connection).await?;
    let after = Artifact::read(&args.after, &args.connection).await?;
    let (old, new) = (before.inspection()?, after.inspection()?);
    let (old_types, new_types) = (before.function_types(&old)?, after.function_types(&new)?);
    let comparison = Comparison::with_types((&old, &old_types), (&new, &new_types));
    let compared = Compared {
        replaces: comparison.can_replace(),
        capabilities: CapabilityChanges::between(&old, &new),
        versions: Versions::of(before.manifest(), after.manifest(), comparison.step),
        comparison,
    };
    if compared.replaces {
        return Ok(compared);
    }
    let message = format!("{} cannot replace {}", after.name(), before.name());
    let mut words = compared.changes();
    let obstacles = &compared.comparison.obstacles;
    words.extend(
        obstacles
            .iter()
            .map(|obstacle| format!("no: {}", clean(&obstacle.to_string()))),
    );
    words.push(String::new());
    Err(Failure::new(Kind::Incompatible, message)
        .found(&compared)
        .explained(words.join("\n")))
}

impl CapabilityChanges {
    fn between(before: &Inspection, after: &Inspection) -> Self {
        let (old, new) = (capabilities(before), capabilities(after));
        let only = |these: &[CapabilityUse], those: &[CapabilityUse]| {
            let is_new = |used: &&CapabilityUse| {
                let mut others = those.iter();
                !others.any(|other| other.capability == used.capability)
            };
            these.iter().filter(is_new).cloned().collect()
        };
        Self {
            added: only(&new, &old),
            removed: only(&old, &new),
        }
    }
}

impl Versions {
    fn of(before: &Manifest, after: &Manifest, needed: Step) -> Option<Self> {
        let version = |manifest: &Manifest| {
            let text = manifest.annotations().get(annotation::VERSION)?;
            text.parse::<Version>().ok()
        };
        let (before, after) = (version(before)?, version(after)?);
        let is_enough = match Step::between(&before, &after) {
            Some(step) => step >= needed,
            None => before == after && needed == Step::Patch,
        };
        Some(Self {
            before,
            after,
            is_enough,
        })
    }
}

impl Compared {
    /// A line for everything that changed.
    fn changes(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let sizes = self.comparison.size;
        lines.push(format!(
            "size     {} → {}",
            human_size(sizes.before),
            human_size(sizes.after)
        ));
        let CapabilityChanges { added, removed } = &self.capabilities;
        if !added.is_empty() || !removed.is_empty() {
            lines.push("it can".to_owned());
            let capability = |sign: char, used: &CapabilityUse| {
                format!("  {sign} {}: {}", used.capability, used.summary)
            };
            lines.extend(added.iter().map(|used| capability('+', used)));
            lines.extend(removed.iter().map(|used| capability('-', used)));
        }
        lines.extend(section("imports", &self.comparison.imports));
        lines.extend(section("exports", &self.comparison.exports));
        lines.extend(self.versions.iter().filter_map(Versions::warning));
        lines
    }
}

impl Versions {
    fn warning(&self) -> Option<String> {
        let Self { before, after, .. } = self;
        (!self.is_enough).then(|| {
            format!("warning: the step from version {before} to {after} is too small for this")
        })
    }
}

fn section(name: &str, changes: &Changes) -> Vec<String> {
    if changes.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![name.to_owned()];
    let whole = |sign: char, item: &Item| {
        let functions = functions(item.functions.iter());
        let list = if functions.is_empty() {
            functions
        } else {
            format!(" ({functions})")
        };
        format!("  {sign} {}{list}", clean(&item.name))
    };
    lines.extend(changes.added.iter().map(|item| whole('+', item)));
    lines.extend(changes.removed.iter().map(|item| whole('-', item)));
    for changed in &changes.changed {
        let ChangedItem { name, was, .. } = changed;
        let name = clean(name);
        let was = was.as_ref().map(|was| format!(", was {}", clean(was)));
        lines.push(format!("  ~ {name}{}", was.unwrap_or_default()));
        let only = |sign: char, list: &std::collections::BTreeSet<String>| {
            (!list.is_empty()).then(|| format!("    {sign} {}", functions(list.iter())))
        };
        lines.extend(only('+', &changed.functions_added));
        lines.extend(only('-', &changed.functions_removed));
        for retyped in changed.functions_retyped.iter().take(FUNCTIONS) {
            lines.push(format!(
                "    ~ {}: {}",
                clean(&retyped.function),
                shown(&retyped.after)
            ));
            lines.push(format!("      was {}", shown(&retyped.before)));
        }
    }
    lines
}

/// A type, unless it is too long to be read. The JSON form has all of it.
fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(TYPE).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    clean(&shown)
}

fn functions<'a>(names: impl ExactSizeIterator<Item = &'a String>) -> String {
    let more = names.len().saturating_sub(FUNCTIONS);
    let mut shown: Vec<String> = names.take(FUNCTIONS).map(|name| clean(name)).collect();
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    shown.join(", ")
}

impl Answer for Compared {
    fn to_text(&self) -> String {
        let mut lines = self.changes();
        let step = match self.comparison.step {
            Step::Patch => "a patch",
            Step::Minor => "a minor step",
            Step::Major => "a major step",
        };
        lines.push(format!("yes: the second can replace the first, as {step}"));
        lines.join("\n")
    }
}
