//! All artifacts of a place, and what a policy decides on them.

mod place;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;
use wasmport_artifact::{Digest, Reference, RepositoryName, Selector, Tag};
use wasmport_client::Registry;
use wasmport_policies::{Date, Decision, Facts, Surrounding, TagFacts, decide};
use wasmport_registry::{LoadedPolicy, SurveyError, survey};

use crate::artifact::Artifact;
use crate::cases::read_facts;
use crate::error::{Failure, Kind};
use crate::evidence::Evidence;
use crate::facts::{Around, Unknown};
use crate::files;
use crate::remote::{self, Connection};
use crate::store;
pub(crate) use place::Place;

/// An artifact, and who has signed it.
#[derive(Debug)]
pub(crate) struct Surveyed {
    facts: Facts,
    signers: Signers,
    /// How people name it.
    pub(crate) name: String,
}

/// The policies that are held against each other.
#[derive(Debug)]
pub(crate) struct Policies {
    pub(crate) old: LoadedPolicy,
    pub(crate) new: LoadedPolicy,
}

/// Who has signed an artifact.
#[derive(Debug)]
enum Signers {
    /// Whom the facts name, for both policies.
    InFacts,
    /// Whom the facts name for the old policy, and these for the new.
    OfNew(Box<Facts>),
    /// Who has made these signatures and attestations, by the keys of each policy.
    Made(Evidence),
}

/// What could not be looked at.
#[derive(Debug, Serialize)]
pub(crate) struct Skipped {
    /// How people name it.
    pub(crate) name: String,
    /// Why not.
    pub(crate) reason: String,
    /// The registry's own policy gives it to nobody. Of anything else it is not known what
    /// a policy would say.
    #[serde(skip)]
    pub(crate) is_refused: bool,
}

/// What was found in a place.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    pub(crate) artifacts: Vec<Surveyed>,
    pub(crate) skipped: Vec<Skipped>,
    /// What decisions depend on, and could not be looked at.
    pub(crate) unknown: Vec<Unknown>,
}

/// What is looked at, and for whom.
#[derive(Clone, Copy, Debug)]
struct Search<'a> {
    policies: &'a Policies,
    connection: &'a Connection,
}

impl Surveyed {
    /// What two policies decide on it.
    pub(crate) fn decide(&self, policies: &Policies, today: Date) -> (Decision, Decision) {
        let Policies { old, new } = policies;
        match &self.signers {
            Signers::InFacts => (
                decide(&old.policy, &self.facts, today),
                decide(&new.policy, &self.facts, today),
            ),
            Signers::OfNew(facts) => (
                decide(&old.policy, &self.facts, today),
                decide(&new.policy, facts, today),
            ),
            Signers::Made(evidence) => {
                let by = |loaded: &LoadedPolicy| {
                    let (signed_by, attestations) = evidence.verify(&self.facts.digest, loaded);
                    let facts = Facts {
                        signed_by,
                        attestations,
                        ..self.facts.clone()
                    };
                    decide(&loaded.policy, &facts, today)
                };
                (by(old), by(new))
            }
        }
    }

    /// What is known of it, but for signatures.
    pub(crate) fn facts(&self) -> &Facts {
        &self.facts
    }

    pub(crate) fn repository(&self) -> &RepositoryName {
        &self.facts.repository
    }

    pub(crate) fn digest(&self) -> &Digest {
        &self.facts.digest
    }
}

impl Policies {
    /// What either of them asks for.
    fn surroundings(&self, repository: &RepositoryName) -> BTreeSet<Surrounding> {
        let mut wanted = self.old.policy.surroundings(repository);
        wanted.extend(self.new.policy.surroundings(repository));
        wanted
    }
}

impl Survey {
    /// Looks at everything in `place`.
    pub(crate) async fn of(
        place: &Place,
        policies: &Policies,
        connection: &Connection,
    ) -> Result<Self, Failure> {
        let mut found = Self::default();
        let search = Search {
            policies,
            connection,
        };
        match place {
            Place::Facts(path) => found.read_facts(path)?,
            Place::Store(path) => found.read_store(path, policies).await?,
            Place::Registry(any) => {
                let registry = connection.open(any).await?;
                let repositories = registry.catalog().await;
                let repositories = repositories.map_err(remote::failed("list the repositories"))?;
                for repository in repositories {
                    found
                        .pull_repository(any.registry(), &repository, search)
                        .await?;
                }
            }
            Place::Repository(any) => {
                found
                    .pull_repository(any.registry(), any.repository(), search)
                    .await?;
            }
            Place::Artifact(reference) => found.pull(reference, Vec::new(), search).await,
        }
        Ok(found)
    }

    /// Everything in a store, also what has no tag.
    async fn read_store(&mut self, path: &Path, policies: &Policies) -> Result<(), Failure> {
        let store = store::open(path).await?;
        let mut by_place: BTreeMap<(RepositoryName, Digest), Facts> = BTreeMap::new();
        let failed = |error: SurveyError| {
            Failure::caused(Kind::Io, "failed to look through the store", &error)
        };
        let of_new = survey(&store, &policies.new, |facts| {
            by_place.insert((facts.repository.clone(), facts.digest.clone()), facts);
        });
        of_new.await.map_err(failed)?;
        let artifacts = &mut self.artifacts;
        let of_old = survey(&store, &policies.old, |facts| {
            let place = (facts.repository.clone(), facts.digest.clone());
            let name = match facts.tags.first() {
                Some(tag) => format!("{}:{}", place.0, tag.name),
                None => format!("{}@{}", place.0, place.1),
            };
            artifacts.extend(by_place.remove(&place).map(|new| Surveyed {
                facts,
                signers: Signers::OfNew(new.into()),
                name,
            }));
        });
        let unreadable = of_old.await.map_err(failed)?;
        if unreadable > 0 {
            self.skipped.push(Skipped {
                name: path.display().to_string(),
                reason: format!("{unreadable} manifests could not be looked at"),
                is_refused: false,
            });
        }
        Ok(())
    }

    fn read_facts(&mut self, path: &Path) -> Result<(), Failure> {
        if !path.is_dir() {
            let facts = read_facts(path)?;
            self.artifacts.push(Surveyed {
                name: format!("{} ({})", facts.repository, path.display()),
                facts,
                signers: Signers::InFacts,
            });
            return Ok(());
        }
        let mut files = files::list(path)?;
        files.retain(|file| {
            file.extension()
                .is_some_and(|extension| extension == "json")
        });
        files.iter().try_for_each(|file| self.read_facts(file))
    }

    /// Every artifact that a tag of the repository points to, once.
    async fn pull_repository(
        &mut self,
        host: &str,
        repository: &RepositoryName,
        search: Search<'_>,
    ) -> Result<(), Failure> {
        let at = |selector| {
            let reference = Reference::new(host, repository.clone(), selector);
            reference
                .map_err(|error| Failure::caused(Kind::Usage, "failed to name an artifact", &error))
        };
        let latest = "latest"
            .parse::<Tag>()
            .map_err(|error| Failure::caused(Kind::Usage, "failed to name an artifact", &error))?;
        let repository_at = at(Selector::Tag(latest))?;
        let registry = search.connection.open(&repository_at).await?;
        let tags = registry
            .tags()
            .await
            .map_err(remote::failed("list the tags"))?;
        for (digest, tags) in self.resolve(&registry, tags).await {
            let reference = at(Selector::Digest(digest))?;
            self.pull(&reference, tags, search).await;
        }
        Ok(())
    }

    /// What the tags point to. Those that clients derive from digests are no artifacts of
    /// their own.
    async fn resolve(&mut self, registry: &Registry, tags: Vec<Tag>) -> BTreeMap<Digest, Vec<Tag>> {
        let mut artifacts: BTreeMap<Digest, Vec<Tag>> = BTreeMap::new();
        for tag in tags.into_iter().filter(|tag| !tag.is_derived()) {
            match registry.get_manifest(&Selector::Tag(tag.clone())).await {
                Ok(manifest) => artifacts.entry(manifest.digest()).or_default().push(tag),
                Err(error) => self.skipped.push(Skipped {
                    name: format!("{}:{tag}", registry.repository()),
                    is_refused: remote::decision(&error).is_some(),
                    reason: remote::failed("get it")(error).message(),
                }),
            }
        }
        artifacts
    }

    async fn pull(&mut self, reference: &Reference, tags: Vec<Tag>, search: Search<'_>) {
        let repository = reference.repository();
        let name = match tags.first().or(reference.tag()) {
            Some(tag) => format!("{repository}:{tag}"),
            None => reference.to_string(),
        };
        match search.look_at(reference, tags.first()).await {
            Ok((artifact, around)) => {
                let digest = artifact.manifest().digest();
                let tag = |name: &Tag| TagFacts {
                    name: name.clone(),
                    points_to: Some(digest.clone()),
                };
                let tags = tags.iter().map(tag).chain(around.tags).collect();
                let unknown = around.unknown.into_iter().map(|unknown| Unknown {
                    what: format!("{name}: {}", unknown.what),
                    ..unknown
                });
                self.unknown.extend(unknown);
                let facts = Facts::of(repository.clone(), artifact.manifest(), artifact.content());
                let previous = around.previous;
                self.artifacts.push(Surveyed {
                    facts: Facts {
                        tags,
                        previous,
                        ..facts
                    },
                    signers: Signers::Made(around.evidence),
                    name,
                });
            }
            Err(failure) => self.skipped.push(Skipped {
                name,
                reason: failure.message(),
                is_refused: remote::is_refused(&failure),
            }),
        }
    }
}

impl Search<'_> {
    async fn look_at(
        &self,
        reference: &Reference,
        tag: Option<&Tag>,
    ) -> Result<(Artifact, Around), Failure> {
        let artifact = Artifact::pull(reference, self.connection).await?;
        let digest = artifact.manifest().digest();
        let wanted = self.policies.surroundings(reference.repository());
        let around = Around::stored(reference, tag, &digest, &wanted, self.connection).await?;
        Ok((artifact, around))
    }
}
