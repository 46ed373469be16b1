//! How much a repository may hold. Counted in memory, from the records when it is first asked
//! for, and kept by reservations: what a push is about to add counts from before it is written.

mod count;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use wasmport_artifact::RepositoryName;
use wasmport_policies::RepositoryPattern;

pub(super) use self::count::Reservation;
use self::count::{Count, lock, take};
use super::error::StorageError;
use super::grants::Grant;
use super::keys::{Kind, Prefix};
use super::manifests::split;
use super::store::{Store, decode};
use super::walk::{LARGE, SMALL, Walk};
use crate::settings::ByteSize;

/// How many repositories are counted in memory. With more, those that nobody pushes to are
/// forgotten, and counted anew when somebody does.
const COUNTED: usize = 10_000;

/// How often a repository is counted anew because it changed meanwhile.
const ATTEMPTS: usize = 3;

/// `quota` of a `[[repository]]`: what it may hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct QuotaSettings {
    /// The bytes of its blobs, each counted once, and of its manifests. Default: no limit.
    pub bytes: Option<ByteSize>,
    /// The number of its manifests. Default: no limit.
    pub artifacts: Option<u64>,
}

/// What a repository holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// The bytes of its blobs and manifests.
    pub bytes: u64,
    /// The number of its manifests.
    pub artifacts: u64,
}

/// A push would take a repository over its quota.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "the quota of `{repository}` is {limit}: it holds {used}, and {asked} more {} asked for",
    if *asked == 1 { "was" } else { "were" }
)]
pub struct QuotaExceeded {
    /// The repository.
    pub repository: RepositoryName,
    /// What it may hold.
    pub limit: Amount,
    /// What it holds, with what other pushes are about to add.
    pub used: Amount,
    /// What the push would add.
    pub asked: u64,
}

/// A number of bytes or of artifacts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// Bytes.
    Bytes(u64),
    /// Artifacts.
    Artifacts(u64),
}

/// The quotas of all repositories.
#[derive(Debug, Default)]
pub(crate) struct Quotas {
    rules: ArcSwap<Vec<(Vec<RepositoryPattern>, QuotaSettings)>>,
    counts: Mutex<HashMap<RepositoryName, Arc<Mutex<Count>>>>,
}

impl Quotas {
    /// Uses these rules from now on; the first whose pattern fits a repository counts.
    pub(crate) fn set(&self, rules: Vec<(Vec<RepositoryPattern>, QuotaSettings)>) {
        self.rules.store(Arc::new(rules));
    }

    /// The quota of a repository.
    pub(crate) fn of(&self, repository: &RepositoryName) -> Option<QuotaSettings> {
        let rules = self.rules.load();
        let mut rules = rules.iter();
        let fits =
            |patterns: &[RepositoryPattern]| patterns.iter().any(|it| it.matches(repository));
        rules
            .find(|(patterns, _)| fits(patterns))
            .map(|(_, quota)| *quota)
    }

    /// Something was deleted: it is counted anew before the next push.
    pub(super) fn forget(&self, repository: &RepositoryName) {
        if let Some(count) = lock(&self.counts).get(repository) {
            let mut count = lock(count);
            count.used = None;
            count.changes += 1;
        }
    }

    fn count(&self, repository: &RepositoryName) -> Arc<Mutex<Count>> {
        let mut counts = lock(&self.counts);
        if counts.len() >= COUNTED {
            // Whoever has a reservation has the count, too.
            counts.retain(|_, count| Arc::strong_count(count) > 1);
        }
        Arc::clone(counts.entry(repository.clone()).or_default())
    }
}

impl Store {
    /// Uses these quotas from now on.
    pub(crate) fn set_quotas(&self, rules: Vec<(Vec<RepositoryPattern>, QuotaSettings)>) {
        self.quotas.set(rules);
    }

    /// The quota of a repository, if it has one.
    pub(crate) fn quota(&self, repository: &RepositoryName) -> Option<QuotaSettings> {
        self.quotas.of(repository)
    }

    /// What a repository holds, counted from its records.
    pub(crate) async fn usage(&self, repository: &RepositoryName) -> Result<Usage, StorageError> {
        let mut usage = Usage::default();
        let prefix = Prefix::within(Kind::Grants, repository);
        let mut grants = Walk::new(&*self.records, prefix, SMALL);
        while let Some((key, record)) = grants.next().await? {
            let grant: Grant = decode(&key, &record)?;
            usage.bytes = usage.bytes.saturating_add(grant.size);
        }
        let prefix = Prefix::within(Kind::Manifests, repository);
        let mut manifests = Walk::new(&*self.records, prefix, LARGE);
        while let Some((key, record)) = manifests.next().await? {
            usage.bytes += split(&key, &record)?.bytes.len() as u64;
            usage.artifacts += 1;
        }
        Ok(usage)
    }

    /// Keeps room for `asked`, or says that there is none.
    pub(super) async fn reserve(
        &self,
        repository: &RepositoryName,
        asked: Usage,
    ) -> Result<Reservation, StorageError> {
        let Some(quota) = self.quotas.of(repository) else {
            return Ok(Reservation(None));
        };
        let count = self.quotas.count(repository);
        if lock(&count).used.is_some() && take(&count, quota, repository, asked).is_ok() {
            return Ok(Reservation(Some((count, asked))));
        }
        // Nobody has counted since something was deleted; or two pushes of one blob were
        // counted twice.
        self.recount(repository, &count).await?;
        match take(&count, quota, repository, asked) {
            Ok(()) => Ok(Reservation(Some((count, asked)))),
            Err(exceeded) => Err(StorageError::Quota(Box::new(exceeded))),
        }
    }

    /// Counts from the records, and again when something was written or deleted meanwhile: the
    /// walk may have seen it or not. When that never ends, what was written meanwhile is added,
    /// and counts twice at worst, until a push is refused for it and counts once more.
    async fn recount(
        &self,
        repository: &RepositoryName,
        count: &Mutex<Count>,
    ) -> Result<(), StorageError> {
        for attempt in 1..=ATTEMPTS {
            let (changes, written) = {
                let count = lock(count);
                (count.changes, count.written)
            };
            let mut used = self.usage(repository).await?;
            let mut count = lock(count);
            if count.changes == changes || attempt == ATTEMPTS {
                used.add(count.written.since(written));
                count.used = Some(used);
                break;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(formatter, "{bytes} bytes"),
            Self::Artifacts(artifacts) => write!(formatter, "{artifacts} artifacts"),
        }
    }
}

#[cfg(test)]
mod tests;
