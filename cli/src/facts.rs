//! The facts on which a decision is taken here, as the registry would gather them.

use std::collections::BTreeSet;

use serde::Serialize;
use wasmport_artifact::{Digest, Reference, RepositoryName, Selector, Tag};
use wasmport_client::Registry;
use wasmport_policies::{Facts, Surrounding, TagFacts};
use wasmport_registry::LoadedPolicy;

use crate::artifact::Artifact;
use crate::error::Failure;
use crate::evidence::Evidence;
use crate::previous::{Before, Versions};
use crate::remote::{self, Connection};
use crate::source::Subject;

/// An artifact, and where it is or shall be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) artifact: &'a Artifact,
    pub(crate) subject: &'a Subject,
    /// Where it would be pushed.
    pub(crate) goal: Option<&'a Reference>,
    /// For the rules of which repository it is asked.
    pub(crate) repository: Option<&'a RepositoryName>,
    pub(crate) connection: &'a Connection,
}

/// What is known of an artifact.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) facts: Facts,
    /// What the policy asks for, and nobody here could tell.
    pub(crate) unknown: Vec<Unknown>,
}

/// Something that a decision depends on, and that could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Unknown {
    /// What it is.
    pub(crate) what: String,
    /// Why it could not be looked at.
    pub(crate) why: String,
}

/// What the place of an artifact says of it.
#[derive(Debug, Default)]
pub(crate) struct Around {
    pub(crate) tags: Vec<TagFacts>,
    pub(crate) evidence: Evidence,
    pub(crate) previous: Option<wasmport_policies::Previous>,
    pub(crate) unknown: Vec<Unknown>,
}

/// What is known, with the signatures and attestations that `loaded` trusts.
pub(crate) async fn of(asked: &Asked<'_>, loaded: &LoadedPolicy) -> Result<Known, Failure> {
    let manifest = asked.artifact.manifest();
    let digest = manifest.digest();
    let repository = match (asked.repository, asked.goal) {
        (Some(repository), _) => repository.clone(),
        (None, Some(goal)) => goal.repository().clone(),
        (None, None) => asked.artifact.repository()?,
    };
    let wanted = loaded.policy.surroundings(&repository);
    let around = match (asked.goal, asked.subject) {
        (Some(goal), _) => Around::pushed(goal, &digest, &wanted, asked.connection).await?,
        (None, Subject::Remote(reference)) => {
            Around::stored(reference, None, &digest, &wanted, asked.connection).await?
        }
        (None, Subject::Local(_)) => Around::nowhere(&wanted),
    };
    let (signed_by, attestations) = around.evidence.verify(&digest, loaded);
    Ok(Known {
        facts: Facts {
            tags: around.tags,
            signed_by,
            attestations,
            previous: around.previous,
            ..Facts::of(repository, manifest, asked.artifact.content())
        },
        unknown: around.unknown,
    })
}

impl Around {
    /// What is known of something that is on a registry; `tag` is one of its tags, where the
    /// reference has none.
    pub(crate) async fn stored(
        reference: &Reference,
        tag: Option<&Tag>,
        digest: &Digest,
        wanted: &BTreeSet<Surrounding>,
        connection: &Connection,
    ) -> Result<Self, Failure> {
        let registry = connection.open(reference).await?;
        let mut around = Self::at(&registry, reference, digest).await?;
        if wanted.contains(&Surrounding::Previous) {
            let tag = tag.or(reference.tag());
            let versions = versions(&registry, reference, tag, digest, connection);
            around.take(versions.before_stored().await?);
        }
        Ok(around)
    }

    /// What would be known of it if it were pushed there now.
    async fn pushed(
        goal: &Reference,
        digest: &Digest,
        wanted: &BTreeSet<Surrounding>,
        connection: &Connection,
    ) -> Result<Self, Failure> {
        let registry = connection.open(goal).await?;
        let mut around = Self::at(&registry, goal, digest).await?;
        if wanted.contains(&Surrounding::Previous) {
            let versions = versions(&registry, goal, goal.tag(), digest, connection);
            around.take(versions.before_pushed().await?);
        }
        Ok(around)
    }

    /// What a registry says of it, but for versions: evidence, and what the tag is on.
    async fn at(
        registry: &Registry,
        reference: &Reference,
        digest: &Digest,
    ) -> Result<Self, Failure> {
        let mut around = Self::default();
        around.collect(registry, digest).await?;
        around.look_at_tag(registry, reference).await?;
        Ok(around)
    }

    /// Nobody said where it would be.
    fn nowhere(wanted: &BTreeSet<Surrounding>) -> Self {
        let unknown = wanted.iter().map(|wanted| Unknown {
            what: named(*wanted).to_owned(),
            why: "it is on no registry; say where it would be pushed with `--as REF`".to_owned(),
        });
        Self {
            unknown: unknown.collect(),
            ..Self::default()
        }
    }

    async fn collect(&mut self, registry: &Registry, digest: &Digest) -> Result<(), Failure> {
        self.evidence = Evidence::collect(registry, digest).await?;
        for unreadable in &self.evidence.unreadable {
            self.unknown.push(Unknown {
                what: unreadable.from.clone(),
                why: unreadable.reason.clone(),
            });
        }
        Ok(())
    }

    async fn look_at_tag(
        &mut self,
        registry: &Registry,
        reference: &Reference,
    ) -> Result<(), Failure> {
        let Some(name) = reference.tag().cloned() else {
            return Ok(());
        };
        let found = registry.find_manifest(&Selector::Tag(name.clone())).await;
        let points_to = match found {
            Err(error) if remote::decision(&error).is_some() => {
                self.unknown.push(Unknown {
                    what: format!("what `{name}` is on so far"),
                    why: "the registry refuses to give it out".to_owned(),
                });
                None
            }
            found => found.map_err(remote::failed("look at the tag"))?,
        };
        let points_to = points_to.map(|manifest| manifest.digest());
        self.tags.push(TagFacts { name, points_to });
        Ok(())
    }

    fn take(&mut self, before: Before) {
        match before {
            Before::Known(previous) => self.previous = previous,
            Before::Unknown(why) => self.unknown.push(Unknown {
                what: named(Surrounding::Previous).to_owned(),
                why,
            }),
        }
    }
}

fn named(surrounding: Surrounding) -> &'static str {
    match surrounding {
        Surrounding::Signatures => "signatures",
        Surrounding::Attestations => "attestations",
        Surrounding::Tag => "what its tag is on so far",
        Surrounding::Previous => "the version before it",
    }
}

fn versions<'a>(
    registry: &'a Registry,
    reference: &'a Reference,
    tag: Option<&'a Tag>,
    digest: &'a Digest,
    connection: &'a Connection,
) -> Versions<'a> {
    Versions {
        registry,
        reference,
        tag,
        connection,
        digest,
    }
}

impl Unknown {
    /// One line for people.
    pub(crate) fn to_text(&self) -> String {
        format!("not looked at: {} ({})", self.what, self.why)
    }
}
