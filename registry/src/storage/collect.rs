//! The collector: takes away what nothing reaches any more, while the registry serves.
//!
//! It walks over the store in one pass for each kind of record, a page at a time, and takes
//! away from the outside to the inside, so that a crash leaves garbage and never a record
//! that points to nothing: manifests, then the grants that only they used, then the bytes
//! that no repository has, then facts of manifests that are nowhere. Whatever it takes away
//! it claims first ([`Leases`](super::leases::Leases)) and looks at once more; what a push
//! has used since the run began stays for the next one. Dropping the future stops a run
//! between two steps, and the next run starts over.

mod blobs;
mod facts;
mod grants;
mod history;
mod manifests;
mod report;
mod signatures;

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use wasmport_artifact::{Digest, RepositoryName};

use super::error::StorageError;
use super::store::{Store, now};
pub use report::{Collected, Removed};

/// How many things are claimed and taken away in one step, which is one batch of records.
/// Pushes that rely on one of them wait for it.
const STEP: usize = 64;

/// How many things a dry run remembers that it would have taken away, to tell what would go
/// next. A real run needs no memory for it.
const DOOMED: usize = 2_000_000;

/// What a run of the collector is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CollectOptions {
    /// What is younger stays: a blob whose manifest may follow, a signature whose subject may.
    pub grace: Duration,
    /// Untagged manifests that are older go, too. `None` keeps them.
    pub untagged_after: Option<Duration>,
    /// The history of a tag goes when it was deleted longer ago.
    pub deleted_history: Duration,
    /// Only say what would go.
    pub dry_run: bool,
}

/// One run.
struct Run<'a> {
    store: &'a Store,
    options: CollectOptions,
    /// Seconds since 1970 when it began.
    began: u64,
    report: Collected,
    doomed: Doomed,
}

/// What a dry run would have taken away so far.
struct Doomed {
    hasher: RandomState,
    hashes: HashSet<u64>,
}

impl Store {
    /// Takes away what nothing reaches. One run at a time; the collector and the offline
    /// command see to that.
    pub async fn collect(&self, options: CollectOptions) -> Result<Collected, StorageError> {
        let start = Instant::now();
        self.leases.begin();
        let mut run = Run {
            store: self,
            options,
            began: now(),
            report: Collected::new(&options),
            doomed: Doomed {
                hasher: RandomState::new(),
                hashes: HashSet::new(),
            },
        };
        // Before the run deletes tags itself, so that a dry run sees the same.
        run.history().await?;
        run.manifests().await?;
        run.grants().await?;
        run.bytes().await?;
        run.facts().await?;
        run.report.seconds = start.elapsed().as_secs_f64();
        Ok(run.report)
    }
}

impl Run<'_> {
    /// Whether something that came at this time, in seconds since 1970, has had its grace.
    fn is_old(&self, since: u64) -> bool {
        self.is_older(since, self.options.grace)
    }

    fn is_older(&self, since: u64, age: Duration) -> bool {
        since.saturating_add(age.as_secs()) <= self.began
    }

    /// Whether somebody has asked for it or relied on it so lately that it must stay.
    fn is_renewed(&self, digest: &Digest) -> bool {
        let leases = &self.store.leases;
        leases.used_since_begin(digest)
            || !self.options.grace.is_zero() && leases.used_lately(digest)
    }

    /// A salt for this run, so that what one run keeps by mistake the next one does not.
    fn salt(&self) -> u64 {
        self.doomed.hasher.hash_one(self.began)
    }
}

impl Doomed {
    fn insert(&mut self, kind: &str, repository: &RepositoryName, digest: &Digest) {
        if self.hashes.len() < DOOMED {
            let hash = self
                .hasher
                .hash_one((kind, repository.as_str(), digest.as_str()));
            self.hashes.insert(hash);
        }
    }

    fn contains(&self, kind: &str, repository: &RepositoryName, digest: &Digest) -> bool {
        let hash = || {
            self.hasher
                .hash_one((kind, repository.as_str(), digest.as_str()))
        };
        !self.hashes.is_empty() && self.hashes.contains(&hash())
    }
}
