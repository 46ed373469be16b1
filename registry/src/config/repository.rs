//! `[[repository]]`: what holds for some repositories only.

use serde::{Deserialize, Serialize};
use wasmport_artifact::RepositoryName;
use wasmport_policies::RepositoryPattern;

use crate::settings::patterns;
use crate::storage::QuotaSettings;

/// What holds for the repositories that fit a pattern. Of several entries that fit, the first
/// that sets a field gives it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RepositorySettings {
    /// Patterns: `*` stands for anything within one part of a name, `**` for any number of
    /// parts. Default: none, and then the entry is for nothing.
    #[serde(with = "patterns")]
    pub repositories: Vec<RepositoryPattern>,
    /// How much each of them may hold. Default: no limit.
    pub quota: Option<QuotaSettings>,
}

impl RepositorySettings {
    /// The first that `field` gives for `repository`.
    pub fn find<'a, T>(
        entries: &'a [Self],
        repository: &RepositoryName,
        field: impl Fn(&'a Self) -> Option<T>,
    ) -> Option<T> {
        let fits = |entry: &&Self| entry.repositories.iter().any(|it| it.matches(repository));
        entries.iter().filter(fits).find_map(field)
    }
}
