//! The whole line: project, component, optimised, inspected, packed, written.

use std::collections::BTreeMap;

use serde::Serialize;
use wasmport_artifact::{Digest, Inspection, annotation, inspect};

use crate::compile::compile;
use crate::engine::Optimizer;
use crate::error::BuildError;
use crate::event::Event;
use crate::layout::{Layout, check_destination, write};
use crate::optimize::optimize;
use crate::options::BuildOptions;
use crate::pack::{Metadata, pack};
use crate::project::Project;
use crate::revision::Revision;
use crate::timestamp::Timestamp;
use crate::toolchain::ensure_target;

/// What was built.
#[derive(Clone, Debug)]
pub struct Built {
    /// The layout that was written.
    pub layout: Layout,
    /// The manifest's digest.
    pub digest: Digest,
    /// Name, version and annotations.
    pub metadata: Metadata,
    /// How large the component was and is.
    pub sizes: Sizes,
    /// What the component imports and exports.
    pub inspection: Inspection,
}

/// Sizes of a component in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Sizes {
    /// As cargo made it.
    pub compiled: u64,
    /// As it is packed.
    pub optimized: u64,
}

/// Builds a cargo project and writes it as an image layout.
///
/// `progress` hears what is going on; cargo, and rustup if it is needed, write to stderr
/// themselves.
pub fn build(options: &BuildOptions, progress: &mut dyn FnMut(Event)) -> Result<Built, BuildError> {
    let project = Project::find(options)?;
    let metadata = describe(options, &project)?;
    check_optimizer(&options.optimizer)?;
    let output = options.output.clone().unwrap_or_else(|| {
        let ours = project.target_directory.join("wasmport");
        ours.join(project.name())
    });
    check_destination(&output)?;
    ensure_target(&options.environment, &project.directory, progress)?;
    let compiled = compile(options, &project, progress)?;
    let size = compiled.len() as u64;
    let component = optimize(compiled, &options.optimizer, options.names, progress);
    let inspection = inspect(&component)?;
    let artifact = pack(&component, &inspection, &metadata);
    let layout = write(&artifact, output)?;
    progress(Event::Written {
        layout: layout.directory().to_owned(),
    });
    Ok(Built {
        layout,
        digest: artifact.digest,
        metadata,
        sizes: Sizes {
            compiled: size,
            optimized: component.len() as u64,
        },
        inspection,
    })
}

/// A program that was named and cannot be run is a mistake to hear of before the compiler
/// has run for minutes. The default one may be missing: then the component stays as it is.
fn check_optimizer(optimizer: &Optimizer) -> Result<(), BuildError> {
    if *optimizer == Optimizer::default() {
        return Ok(());
    }
    optimizer
        .describe()
        .map_err(|error| BuildError::Optimizer(error.to_string()))?;
    Ok(())
}

/// What `Cargo.toml` and git say, before anything is built that could change it.
fn describe(options: &BuildOptions, project: &Project) -> Result<Metadata, BuildError> {
    let package = &project.package;
    let revision = Revision::of(&options.environment, &project.directory);
    let committed = revision.as_ref().and_then(|revision| revision.committed);
    let created = Timestamp::of_source(&options.environment, committed)?.to_rfc3339();
    let author = (!package.authors.is_empty()).then(|| package.authors.join(", "));
    let said = [
        (annotation::TITLE, Some(project.name().to_owned())),
        (annotation::VERSION, Some(package.version.to_string())),
        (annotation::CREATED, Some(created.clone())),
        (annotation::DESCRIPTION, package.description.clone()),
        (annotation::AUTHORS, author.clone()),
        (annotation::LICENSES, package.license.clone()),
        (annotation::SOURCE, package.repository.clone()),
        (annotation::URL, package.homepage.clone()),
        (annotation::DOCUMENTATION, package.documentation.clone()),
        (annotation::REVISION, revision.map(|revision| revision.name)),
    ];
    let said = said
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?.trim().to_owned())));
    let mut annotations: BTreeMap<String, String> = said.collect();
    annotations.extend(options.annotations.clone());
    Ok(Metadata {
        name: project.name().to_owned(),
        version: Some(package.version.to_string()),
        created: Some(created),
        author,
        annotations,
    })
}
