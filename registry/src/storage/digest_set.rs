//! A set of digests, exact while it is small and in bounded memory when it is large.

use std::collections::HashSet;

use wasmport_artifact::Digest;

use super::filter::{DigestFilter, numbers};

/// How many digests are told apart exactly. They take about two megabytes.
const EXACT: usize = 65_536;

/// The memory for more of them, in bytes: four million with one error in forty.
const FILTER_BYTES: usize = 4 * 1024 * 1024;

/// The set. It may say yes too often, never no wrongly.
#[derive(Debug)]
pub(super) struct DigestSet {
    exact: HashSet<(u64, u64)>,
    rest: Option<DigestFilter>,
    salt: u64,
}

impl DigestSet {
    /// An empty set. Two with another salt err about other digests.
    pub(super) fn new(salt: u64) -> Self {
        Self {
            exact: HashSet::new(),
            rest: None,
            salt,
        }
    }

    pub(super) fn insert(&mut self, digest: &Digest) {
        if self.exact.len() < EXACT {
            self.exact.insert(numbers(digest));
            return;
        }
        let filter = || DigestFilter::new(FILTER_BYTES, self.salt);
        self.rest.get_or_insert_with(filter).insert(digest);
    }

    pub(super) fn contains(&self, digest: &Digest) -> bool {
        self.exact.contains(&numbers(digest))
            || self.rest.as_ref().is_some_and(|rest| rest.contains(digest))
    }
}
