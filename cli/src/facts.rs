//! The facts on which a decision is taken here, as the registry would gather them.

use std::collections::BTreeSet;

use wasmport_artifact::RepositoryName;
use wasmport_policies::{Facts, TagFacts};
use wasmport_registry::{LoadedPolicy, signed_by};

use crate::artifact::Artifact;
use crate::error::Failure;
use crate::remote::Connection;
use crate::source::Subject;

/// What is known of `artifact`, with the signatures beside it that `loaded` trusts.
pub(crate) async fn of(
    artifact: &Artifact,
    subject: &Subject,
    repository: Option<&RepositoryName>,
    loaded: &LoadedPolicy,
    connection: &Connection,
) -> Result<Facts, Failure> {
    let manifest = artifact.manifest();
    let signatures = artifact.signatures(connection).await?;
    let signed_by: BTreeSet<String> = signed_by(&signatures, &manifest.digest(), &loaded.trust);
    let repository = repository.cloned();
    let repository = repository.map_or_else(|| artifact.repository(), Ok)?;
    Ok(Facts {
        tags: tag(subject).into_iter().collect(),
        signed_by,
        ..Facts::of(repository, manifest, artifact.content())
    })
}

fn tag(subject: &Subject) -> Option<TagFacts> {
    let Subject::Remote(reference) = subject else {
        return None;
    };
    Some(TagFacts {
        name: reference.tag()?.clone(),
        points_to: None,
    })
}
