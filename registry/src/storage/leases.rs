//! Leases: what an open push relies on is not taken away under it.
//!
//! A push shares the digests that it relies on, from before it looks until its records are
//! committed. Who takes something away claims its digest alone, looks, and takes it away
//! before letting go. There is no lock that all pushes need: digests are spread over stripes,
//! and pushes share a stripe with each other.
//!
//! A lease must live as long as the commit that it covers. A request's future can be dropped
//! while the engine is still at work, and so both run in a task of their own
//! ([`unhindered`]).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};
use wasmport_artifact::Digest;

use super::error::StorageError;
use super::filter::{DigestFilter, numbers};
use crate::traces;

/// How many stripes there are. The collector claims some dozens at a time, so that a push
/// seldom waits for it.
const STRIPES: usize = 4_096;

/// The memory for digests that were used lately, in bytes, three times over. It is enough
/// for a million; with more, garbage may be kept longer.
const RECENT_BYTES: usize = 1024 * 1024;

/// The leases of a store.
#[derive(Debug)]
pub(crate) struct Leases {
    stripes: Box<[Arc<RwLock<()>>]>,
    recent: Arc<Recent>,
}

/// Digests that a push relies on. They count as used when this is dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    digests: Vec<Digest>,
    recent: Arc<Recent>,
    _guards: Vec<OwnedRwLockReadGuard<()>>,
}

/// Digests that somebody has for themselves.
#[derive(Debug, Default)]
pub(crate) struct Claims(BTreeMap<usize, OwnedRwLockWriteGuard<()>>);

/// What was used lately: since the collector last began, and in the last two periods of
/// grace, the older of which is forgotten when a third one begins.
#[derive(Debug)]
struct Recent {
    since_begin: DigestFilter,
    periods: [DigestFilter; 2],
    current: AtomicUsize,
}

impl Leases {
    /// Shares digests with other pushes, and waits for whoever has claimed one.
    pub(crate) async fn share<'a>(&self, digests: impl IntoIterator<Item = &'a Digest>) -> Lease {
        let digests: Vec<Digest> = digests.into_iter().cloned().collect();
        // In their order, so that nobody waits for somebody who waits for him.
        let stripes: BTreeSet<usize> = digests.iter().map(stripe_of).collect();
        let mut guards = Vec::with_capacity(stripes.len());
        for lock in stripes.into_iter().filter_map(|at| self.stripes.get(at)) {
            guards.push(Arc::clone(lock).read_owned().await);
        }
        Lease {
            digests,
            recent: Arc::clone(&self.recent),
            _guards: guards,
        }
    }

    /// Claims a digest, and waits for the pushes that share it.
    pub(crate) async fn claim(&self, digest: &Digest) -> Claims {
        let at = stripe_of(digest);
        let mut claims = Claims::default();
        if let Some(lock) = self.stripes.get(at) {
            claims.0.insert(at, Arc::clone(lock).write_owned().await);
        }
        claims
    }

    /// Adds a digest to `claims`, unless a push shares it now.
    pub(crate) fn try_claim(&self, claims: &mut Claims, digest: &Digest) -> bool {
        let at = stripe_of(digest);
        if claims.0.contains_key(&at) {
            return true;
        }
        let guard = self
            .stripes
            .get(at)
            .map(|lock| Arc::clone(lock).try_write_owned());
        let Some(Ok(guard)) = guard else {
            return false;
        };
        claims.0.insert(at, guard);
        true
    }

    /// The collector begins: what is used from now on counts as used since.
    pub(crate) fn begin(&self) {
        self.recent.since_begin.clear();
    }

    /// A new period of grace begins; what was used before the last one is forgotten.
    pub(crate) fn next_period(&self) {
        self.recent.next_period();
    }

    /// True when the digest was used since the collector began. Under a claim this stays so.
    pub(crate) fn used_since_begin(&self, digest: &Digest) -> bool {
        self.recent.since_begin.contains(digest)
    }

    /// True when the digest was used in this period of grace or the one before.
    pub(crate) fn used_lately(&self, digest: &Digest) -> bool {
        self.recent
            .periods
            .iter()
            .any(|period| period.contains(digest))
    }
}

impl Default for Leases {
    fn default() -> Self {
        let stripes = (0..STRIPES).map(|_| Arc::default()).collect();
        Self {
            stripes,
            recent: Arc::new(Recent {
                since_begin: DigestFilter::new(RECENT_BYTES, 0),
                periods: [1, 2].map(|salt| DigestFilter::new(RECENT_BYTES, salt)),
                current: AtomicUsize::new(0),
            }),
        }
    }
}

/// Before the guards go: whoever claims the digest next sees that it was used.
impl Drop for Lease {
    fn drop(&mut self) {
        for digest in &self.digests {
            self.recent.insert(digest);
        }
    }
}

impl Recent {
    fn insert(&self, digest: &Digest) {
        self.since_begin.insert(digest);
        let current = self.current.load(Ordering::SeqCst);
        if let Some(period) = self.periods.get(current) {
            period.insert(digest);
        }
    }

    fn next_period(&self) {
        let next = 1 - self.current.load(Ordering::SeqCst).min(1);
        if let Some(period) = self.periods.get(next) {
            period.clear();
        }
        self.current.store(next, Ordering::SeqCst);
    }
}

/// Runs `work` to its end, even if nobody waits for it any longer.
pub(crate) async fn unhindered<T, E>(
    work: impl Future<Output = Result<T, E>> + Send + 'static,
) -> Result<T, E>
where
    T: Send + 'static,
    E: From<StorageError> + Send + 'static,
{
    let done = tokio::spawn(traces::carried(work)).await;
    done.unwrap_or_else(|error| {
        Err(E::from(StorageError::Engine {
            action: "finish a change of the store".to_owned(),
            source: error.into(),
        }))
    })
}

fn stripe_of(digest: &Digest) -> usize {
    let (number, _) = numbers(digest);
    usize::try_from(number % STRIPES as u64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(text: &str) -> Digest {
        Digest::of(text.as_bytes())
    }

    #[tokio::test]
    async fn pushes_share_a_digest_and_a_claim_has_it_alone() {
        let leases = Leases::default();
        let (config, layer) = (digest("config"), digest("layer"));
        let first = leases.share([&config, &layer]).await;
        let second = leases.share([&layer, &config, &layer]).await;
        assert!(!leases.try_claim(&mut Claims::default(), &config));
        drop((first, second));
        let mut claims = Claims::default();
        assert!(leases.try_claim(&mut claims, &config));
        assert!(leases.try_claim(&mut claims, &config), "it is ours already");
        assert!(!leases.try_claim(&mut Claims::default(), &config));
        assert!(leases.try_claim(&mut Claims::default(), &layer));
    }

    #[tokio::test]
    async fn a_push_waits_for_a_claim() {
        let leases = Leases::default();
        let layer = digest("layer");
        let claims = leases.claim(&layer).await;
        let mut push = Box::pin(leases.share([&layer]));
        assert!(futures_util::poll!(&mut push).is_pending());
        drop(claims);
        drop(push.await);
    }

    #[tokio::test]
    async fn a_digest_counts_as_used_once_its_lease_has_ended() {
        let leases = Leases::default();
        let layer = digest("layer");
        let lease = leases.share([&layer]).await;
        leases.begin();
        drop(lease);
        assert!(leases.used_since_begin(&layer));
        leases.begin();
        assert!(!leases.used_since_begin(&layer));
        assert!(leases.used_lately(&layer));
    }

    #[tokio::test]
    async fn a_use_is_remembered_for_the_rest_of_its_period_and_the_next_one() {
        let leases = Leases::default();
        let layer = digest("layer");
        drop(leases.share([&layer]).await);
        leases.next_period();
        assert!(leases.used_lately(&layer));
        leases.next_period();
        assert!(!leases.used_lately(&layer));
    }
}
