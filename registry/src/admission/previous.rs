//! The version before an artifact, which `new-capabilities` compares it with.
//!
//! It is looked for once, when the artifact comes in, and written down with the decision: what
//! is pulled later is compared with the same, by whatever tag or digest it is asked for.

use semver::Version;
use wasmport_artifact::{Digest, RepositoryName, Tag};
use wasmport_policies::Previous;

use super::{Admission, AdmissionError};
use crate::storage::{StorageError, TagTerms};

/// How many tags of a repository are looked at for the newest version.
const TAGS: usize = 10_000;

impl Admission {
    /// The version before the one that is pushed, where the policy wants to know: what one of
    /// its tags points to until now; else what it was compared with before; else the newest
    /// version below its own, the newest of all, `latest`, or whatever has a tag.
    pub(super) async fn previous(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        tags: &[TagTerms],
    ) -> Result<Option<Previous>, AdmissionError> {
        if !self.compares_versions(repository) {
            return Ok(None);
        }
        for terms in tags {
            let former = self.former(repository, digest, &terms.tag).await?;
            if former.is_some() {
                return Ok(former);
            }
        }
        if let Some(record) = self.store.decision(repository, digest).await? {
            return Ok(record.previous);
        }
        let own = tags.iter().find_map(|terms| version(&terms.tag));
        for tag in by_precedence(self.some_tags(repository).await?, own.as_ref()) {
            let former = self.former(repository, digest, &tag).await?;
            if former.is_some() {
                return Ok(former);
            }
        }
        Ok(None)
    }

    pub(super) fn compares_versions(&self, repository: &RepositoryName) -> bool {
        let policy = &self.policy.get().loaded.policy;
        policy.compares_versions(repository)
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
