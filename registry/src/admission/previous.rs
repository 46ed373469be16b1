//! The versions before an artifact, which `new-capabilities` compares it with.
//!
//! Each tag has its own. They are looked for once, when the artifact comes in, and written down:
//! with the wish while it waits, with the tag when it moves, and with the decision for who asks
//! by digest. What is pulled later is compared with the same.

use semver::Version;
use wasmport_artifact::{Digest, RepositoryName, Tag};
use wasmport_policies::Previous;

use super::{Admission, AdmissionError};
use crate::storage::{Compared, DecisionRecord, Pending, StorageError, TagTerms};

/// How many tags of a repository are looked at for the newest version.
const TAGS: usize = 10_000;

/// A tag that an artifact shall have or is asked for by, if there is one, and a version that it
/// is compared with, if there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Comparison {
    pub(super) tag: Option<Tag>,
    pub(super) previous: Option<Previous>,
}

/// An artifact that is pushed, and what was known of it before.
struct Newcomer<'a> {
    repository: &'a RepositoryName,
    digest: &'a Digest,
    record: Option<DecisionRecord>,
    /// The version that the tags of the push name.
    version: Option<Version>,
}

impl Comparison {
    pub(super) fn digest(&self) -> Option<&Digest> {
        self.previous.as_ref().map(|previous| &previous.digest)
    }

    /// With each of the versions; one comparison also where there are none.
    fn with(tag: Option<&Tag>, versions: Vec<Previous>) -> Vec<Self> {
        let comparison = |previous| Self {
            tag: tag.cloned(),
            previous,
        };
        if versions.is_empty() {
            return vec![comparison(None)];
        }
        versions.into_iter().map(Some).map(comparison).collect()
    }
}

impl Admission {
    /// What an artifact that is pushed with these tags is compared with: for each tag what it
    /// points to until now.
    pub(super) async fn comparisons(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        tags: &[TagTerms],
    ) -> Result<Vec<Comparison>, AdmissionError> {
        let names: Vec<Option<&Tag>> = match tags {
            [] => vec![None],
            tags => tags.iter().map(|terms| Some(&terms.tag)).collect(),
        };
        if !self.compares_versions(repository) {
            let names = names.into_iter();
            return Ok(names
                .flat_map(|tag| Comparison::with(tag, Vec::new()))
                .collect());
        }
        let newcomer = Newcomer {
            repository,
            digest,
            record: self.store.decision(repository, digest).await?,
            version: tags.iter().find_map(|terms| version(&terms.tag)),
        };
        let mut comparisons = Vec::new();
        for tag in names {
            let versions = self.versions_before(&newcomer, tag).await?;
            comparisons.extend(Comparison::with(tag, versions));
        }
        Ok(comparisons)
    }

    /// What a held artifact was compared with when it was pushed: it is let out by what was asked
    /// of it then, for all of its tags, and not by what somebody pushed since.
    pub(super) async fn comparisons_of_wish(
        &self,
        pending: &Pending,
        terms: &TagTerms,
    ) -> Result<Vec<Comparison>, AdmissionError> {
        let Pending {
            repository, digest, ..
        } = pending;
        let Some(compared) = &pending.compared else {
            let terms = std::slice::from_ref(terms);
            return self.comparisons(repository, digest, terms).await;
        };
        let versions = self.versions(repository, digest, compared).await?;
        Ok(Comparison::with(Some(&pending.tag), versions))
    }

    /// What a stored artifact is compared with when it is asked for. It may be had when it passes
    /// one of them in full: by a tag what it was compared with to have that tag; by digest what
    /// any push compared it with, as who was given a tag asks for its digest then.
    pub(super) async fn ways(
        &self,
        repository: &RepositoryName,
        tag: Option<&Tag>,
        digest: &Digest,
    ) -> Result<Vec<Vec<Comparison>>, AdmissionError> {
        if !self.compares_versions(repository) {
            return Ok(vec![Comparison::with(tag, Vec::new())]);
        }
        if let Some(tag) = tag {
            let pointed = self.store.compared_tag(repository, tag).await?;
            if let Some((_, compared)) = pointed.filter(|(at, _)| at == digest) {
                let versions = self.versions(repository, digest, &compared).await?;
                return Ok(vec![Comparison::with(Some(tag), versions)]);
            }
        }
        let record = self.store.decision(repository, digest).await?;
        let ways = record.iter().flat_map(|record| {
            let pushes = record.pushes.iter();
            pushes.map(|compared| Comparison::with(tag, known(&record.previous, compared)))
        });
        let ways: Vec<_> = ways.collect();
        if ways.is_empty() {
            return Ok(vec![Comparison::with(tag, Vec::new())]);
        }
        Ok(ways)
    }

    pub(super) fn compares_versions(&self, repository: &RepositoryName) -> bool {
        let policy = &self.policy.get().loaded.policy;
        policy.compares_versions(repository)
    }

    /// What was written down of the versions with these digests.
    async fn versions(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        compared: &Compared,
    ) -> Result<Vec<Previous>, AdmissionError> {
        if compared.is_empty() || !self.compares_versions(repository) {
            return Ok(Vec::new());
        }
        let record = self.store.decision(repository, digest).await?;
        let versions = record.map(|record| record.previous).unwrap_or_default();
        Ok(known(&versions, compared))
    }

    /// What the tag points to until now. Of a new tag that is a version, the newest version below
    /// it; of another one, what the artifact was compared with before. Else the newest of all,
    /// `latest`, or whatever has a tag.
    async fn versions_before(
        &self,
        newcomer: &Newcomer<'_>,
        tag: Option<&Tag>,
    ) -> Result<Vec<Previous>, AdmissionError> {
        let Newcomer {
            repository,
            digest,
            record,
            version: of_push,
        } = newcomer;
        if let Some(tag) = tag {
            match self.store.compared_tag(repository, tag).await? {
                Some((at, compared)) if at == **digest => {
                    return self.versions(repository, digest, &compared).await;
                }
                Some(_) => {
                    let former = self.former(repository, digest, tag).await?;
                    if let Some(former) = former {
                        return Ok(vec![former]);
                    }
                }
                None => {}
            }
        }
        let own = tag.and_then(version);
        if let (None, Some(record)) = (&own, record) {
            return Ok(record.previous.clone());
        }
        let own = own.as_ref().or(of_push.as_ref());
        for tag in by_precedence(self.some_tags(repository).await?, own) {
            let former = self.former(repository, digest, &tag).await?;
            if let Some(former) = former {
                return Ok(vec![former]);
            }
        }
        Ok(Vec::new())
    }

    /// What a tag points to, if that is another artifact. A tag only ever points to what was
    /// admitted.
    async fn former(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        tag: &Tag,
    ) -> Result<Option<Previous>, AdmissionError> {
        let Some(former) = self.store.tag(repository, tag).await? else {
            return Ok(None);
        };
        let Some(stored) = self.store.manifest(repository, &former).await? else {
            return Ok(None);
        };
        if former == *digest {
            return Ok(None);
        }
        let judged = self.recall(repository, &former, &stored).await?;
        Ok(Some(Previous {
            tag: Some(tag.clone()),
            digest: former,
            imports: judged.content.imports().cloned().collect(),
        }))
    }

    async fn some_tags(&self, repository: &RepositoryName) -> Result<Vec<Tag>, StorageError> {
        let mut tags = self.store.tags(repository, None, TAGS).await?;
        tags.retain(|tag| !tag.is_derived());
        Ok(tags)
    }
}

/// The versions with these digests. Of one that was not written down nothing is known, so that
/// all that an artifact asks for is new.
fn known(versions: &[Previous], compared: &Compared) -> Vec<Previous> {
    let version = |digest: &Digest| {
        let known = versions.iter().find(|version| version.digest == *digest);
        known.cloned().unwrap_or_else(|| Previous {
            tag: None,
            digest: digest.clone(),
            imports: Vec::new(),
        })
    };
    compared.iter().map(version).collect()
}

/// Tags in the order in which the version before `own` is looked for: versions below it, the
/// newest first; then the other versions; then `latest`, and what else there is.
pub fn by_precedence(tags: Vec<Tag>, own: Option<&Version>) -> Vec<Tag> {
    let rank = |tag: &Tag| {
        let version = version(tag);
        let is_below = version
            .as_ref()
            .is_some_and(|version| own.is_some_and(|own| version < own));
        (is_below, version, tag.as_str() == "latest")
    };
    let mut ranked: Vec<_> = tags.into_iter().map(|tag| (rank(&tag), tag)).collect();
    ranked.sort_by(|(one, _), (other, _)| other.cmp(one));
    ranked.into_iter().map(|(_, tag)| tag).collect()
}

/// The version that a tag names: `1.2.3`, `v1.2.3`, and `1.2.3_build` for `1.2.3+build`, as Helm
/// writes it.
pub fn version(tag: &Tag) -> Option<Version> {
    let text = tag.as_str();
    let text = text.strip_prefix('v').unwrap_or(text);
    Version::parse(&text.replace('_', "+")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(tags: &[&str], own: Option<&str>) -> Vec<String> {
        let tags = tags.iter().map(|tag| tag.parse().unwrap()).collect();
        let own = own.map(|own| own.parse().unwrap());
        let ordered = by_precedence(tags, own.as_ref());
        ordered.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_newest_version_below_comes_first() {
        let tags = ["latest", "1.10.0", "v1.9.0", "2.0.0", "main", "1.10.0-rc.1"];
        assert_eq!(
            order(&tags, Some("1.11.0")),
            ["1.10.0", "1.10.0-rc.1", "v1.9.0", "2.0.0", "latest", "main"]
        );
        assert_eq!(
            order(&tags, None),
            ["2.0.0", "1.10.0", "1.10.0-rc.1", "v1.9.0", "latest", "main"]
        );
    }
}
