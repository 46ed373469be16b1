//! Generations of repositories: how a cache knows that what it kept is still true.
//!
//! A reader asks for the generation *before* it reads the records, and keeps what it found
//! together with it. What was kept may be served as long as the repository is still in that
//! generation; while something of the repository is being written it is in none, and the
//! records themselves must be asked. So nobody is served what was true before a write that
//! anybody has seen, and reads through a cache stay linearizable.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use wasmport_artifact::RepositoryName;

use super::records::Change;

/// How many counters there are. Repositories share them by chance; one that is written to
/// then only makes the others be read anew.
const STRIPES: usize = 1024;

/// The writes under way are counted in these bits, which more can never be: each has a
/// request in memory.
const WRITING_BITS: u32 = 24;
const WRITING: u64 = (1 << WRITING_BITS) - 1;

/// The generations of all repositories.
#[derive(Debug)]
pub struct Generations {
    /// Finished writes above, writes under way in the low bits.
    stripes: Box<[AtomicU64]>,
    hasher: RandomState,
}

/// A time in which nothing of a repository was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generation(u64);

/// A write under way. When this is dropped the repositories are in a new generation.
#[derive(Debug)]
pub(super) struct Writing {
    generations: Arc<Generations>,
    stripes: Vec<usize>,
}

impl Default for Generations {
    fn default() -> Self {
        Self {
            stripes: (0..STRIPES).map(|_| AtomicU64::new(0)).collect(),
            hasher: RandomState::new(),
        }
    }
}

impl Generations {
    /// The generation that a repository is in; none while something of it is being written.
    pub fn of(&self, repository: &RepositoryName) -> Option<Generation> {
        let stripe = self.stripes.get(self.stripe(repository.as_str()))?;
        let now = stripe.load(Ordering::SeqCst);
        (now & WRITING == 0).then_some(Generation(now))
    }

    /// Says that `changes` are being written.
    pub(super) fn writing(self: &Arc<Self>, changes: &[Change]) -> Writing {
        let repositories = changes.iter().filter_map(|change| change.key.repository());
        let mut stripes: Vec<usize> = repositories.map(|name| self.stripe(name)).collect();
        stripes.sort_unstable();
        stripes.dedup();
        for stripe in self.at(&stripes) {
            stripe.fetch_add(1, Ordering::SeqCst);
        }
        let generations = Arc::clone(self);
        Writing {
            generations,
            stripes,
        }
    }

    fn stripe(&self, repository: &str) -> usize {
        let hash = self.hasher.hash_one(repository);
        usize::try_from(hash % STRIPES as u64).unwrap_or_default()
    }

    fn at<'a>(&'a self, stripes: &'a [usize]) -> impl Iterator<Item = &'a AtomicU64> {
        stripes
            .iter()
            .filter_map(|stripe| self.stripes.get(*stripe))
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        for stripe in self.generations.at(&self.stripes) {
            // One more finished, one less under way, in one step.
            stripe.fetch_add(WRITING, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{Batch, Key};

    fn repository(name: &str) -> RepositoryName {
        name.parse().unwrap()
    }

    fn change(name: &str) -> Vec<Change> {
        let key = Key::tag(&repository(name), &"1.0".parse().unwrap());
        Batch::new().put(key, "x").into_changes()
    }

    #[test]
    fn a_repository_is_in_no_generation_while_it_is_written_and_then_in_a_new_one() {
        let generations = Arc::<Generations>::default();
        let app = repository("team/app");
        let before = generations.of(&app).unwrap();
        assert_eq!(generations.of(&app), Some(before));
        let first = generations.writing(&change("team/app"));
        let second = generations.writing(&change("team/app"));
        assert_eq!(generations.of(&app), None);
        drop(first);
        assert_eq!(generations.of(&app), None);
        drop(second);
        assert_ne!(generations.of(&app).unwrap(), before);
    }

    #[test]
    fn a_write_leaves_most_other_repositories_in_their_generation() {
        let generations = Arc::<Generations>::default();
        let others: Vec<_> = (0..100).map(|n| repository(&format!("r{n}"))).collect();
        let before: Vec<_> = others.iter().map(|name| generations.of(name)).collect();
        drop(generations.writing(&change("app")));
        let after: Vec<_> = others.iter().map(|name| generations.of(name)).collect();
        let same = before.iter().zip(&after).filter(|(a, b)| a == b).count();
        assert!(same > 90, "{same}");
    }
}
