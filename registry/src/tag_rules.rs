//! Which tags are created once and never moved.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use serde::{Deserialize, Serialize};
use wasmport_artifact::{RepositoryName, Tag};

use crate::storage::{Condition, TagTerms};

/// The settings of tags.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TagSettings {
    /// Tags that may be created and then neither moved nor deleted. Default: none.
    pub immutable: Vec<ImmutableTags>,
}

/// Tags of some repositories that stay where they were first put. Tags that clients derive
/// from digests, where signatures are kept, move all the same.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ImmutableTags {
    /// The repositories, as globs: `*` is one part of a name, `**` any number of them.
    pub repositories: Vec<String>,
    /// The tags, as globs, for example `v*`.
    pub tags: Vec<String>,
}

/// The settings, ready to be asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct TagRules(Vec<(GlobSet, GlobSet)>);

impl TagRules {
    /// An error when a glob is malformed.
    pub(crate) fn new(settings: &TagSettings) -> Result<Self, globset::Error> {
        let compile = |rule: &ImmutableTags| Ok((globs(&rule.repositories)?, globs(&rule.tags)?));
        let rules: Result<_, globset::Error> = settings.immutable.iter().map(compile).collect();
        rules.map(Self)
    }

    /// The terms on which this tag may be changed, if the request's condition is met.
    pub(crate) fn terms(
        &self,
        repository: &RepositoryName,
        tag: Tag,
        condition: Condition,
    ) -> TagTerms {
        TagTerms {
            immutable: self.is_immutable(repository, &tag),
            condition,
            tag,
        }
    }

    fn is_immutable(&self, repository: &RepositoryName, tag: &Tag) -> bool {
        let mut rules = self.0.iter();
        !tag.is_derived()
            && rules.any(|(repositories, tags)| {
                repositories.is_match(repository.as_str()) && tags.is_match(tag.as_str())
            })
    }
}

fn globs(patterns: &[String]) -> Result<GlobSet, globset::Error> {
    let mut globs = GlobSetBuilder::new();
    for pattern in patterns {
        globs.add(GlobBuilder::new(pattern).literal_separator(true).build()?);
    }
    globs.build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(repositories: &str, tags: &str) -> TagRules {
        let immutable = vec![ImmutableTags {
            repositories: vec![repositories.to_owned()],
            tags: vec![tags.to_owned()],
        }];
        TagRules::new(&TagSettings { immutable }).unwrap()
    }

    fn is_immutable(rules: &TagRules, repository: &str, tag: &str) -> bool {
        let (repository, tag) = (repository.parse().unwrap(), tag.parse().unwrap());
        rules.terms(&repository, tag, Condition::Anything).immutable
    }

    #[test]
    fn both_globs_must_match() {
        let rules = rules("prod/**", "v*");
        assert!(is_immutable(&rules, "prod/a/b", "v1.0"));
        assert!(!is_immutable(&rules, "prod/a/b", "latest"));
        assert!(!is_immutable(&rules, "dev/a", "v1.0"));
        assert!(!is_immutable(&TagRules::default(), "prod/a", "v1.0"));
    }

    #[test]
    fn signatures_can_be_added_to_what_is_immutable() {
        let signatures = format!("sha256-{}.sig", "0".repeat(64));
        assert!(!is_immutable(&rules("**", "*"), "app", &signatures));
    }
}
