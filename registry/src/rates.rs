//! How often somebody may ask: token buckets for each caller, and for all together.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use axum::extract::Request;
use axum::http::Method;
use serde::{Deserialize, Serialize};

use crate::access::{Caller, Peer};
use crate::server::network;
use crate::settings::Timespan;

/// How many callers a shard remembers. When there are more, those who have not asked for a
/// while are forgotten, which makes no difference to them. All shards take two megabytes.
const CALLERS: usize = 4096;

/// In how many parts the callers are kept, so that they seldom wait for each other.
const SHARDS: usize = 16;

/// `[limits.rates]`: how often somebody may ask. 0 is no limit, which is the default of all.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RateSettings {
    /// Requests by GET and HEAD in a second, for each caller: a user, a token, and where
    /// nobody is logged in an address (for IPv6, a /64). Default: 0.
    pub pulls: u32,
    /// Other requests in a second, for each caller. A push of an artifact takes about seven.
    /// Default: 0.
    pub pushes: u32,
    /// Requests of any kind in a second from one address (for IPv6, a /64), counted before it is
    /// known who sends them: also those without a login or with a wrong one, those for tokens and
    /// those to the admin API. Behind a proxy that is not trusted all clients have its address.
    /// Default: 0.
    pub per_address: u32,
    /// Requests by GET and HEAD in a second, of all callers together. Default: 0.
    pub all_pulls: u32,
    /// Other requests in a second, of all callers together. Default: 0.
    pub all_pushes: u32,
    /// What may be used at once after a while without requests, in seconds' worth of each
    /// limit: clients come in bursts. Default: `10s`.
    pub burst: Timespan,
}

/// Who asks.
#[derive(Clone, Copy, Debug, Hash)]
pub(crate) enum Asker<'a> {
    Named(&'a str),
    At(IpAddr),
    /// Nothing is known of them, as in tests.
    Anyone,
}

/// The buckets.
#[derive(Debug)]
pub(crate) struct Rates {
    settings: ArcSwap<RateSettings>,
    begun: Instant,
    hasher: RandomState,
    shards: [Mutex<Times>; SHARDS],
}

/// For each bucket, by its hash, when it is full again, in nanoseconds since the beginning.
type Times = HashMap<u64, u64>;

/// What is asked for.
#[derive(Clone, Copy, Hash)]
enum Class {
    Pull,
    Push,
    Any,
}

impl<'a> Asker<'a> {
    /// The sender of a request: callers without a name are told apart by their addresses.
    pub(crate) fn of(caller: &'a Caller, request: &Request) -> Self {
        match (caller.name(), request.extensions().get::<Peer>()) {
            ("anonymous", Some(peer)) => Self::At(network(peer.address.ip())),
            ("anonymous", None) => Self::Anyone,
            (name, _) => Self::Named(name),
        }
    }
}

impl fmt::Display for Asker<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => formatter.write_str(name),
            Self::At(address) => address.fmt(formatter),
            Self::Anyone => formatter.write_str("anonymous"),
        }
    }
}

impl Default for RateSettings {
    fn default() -> Self {
        Self {
            pulls: 0,
            pushes: 0,
            per_address: 0,
            all_pulls: 0,
            all_pushes: 0,
            burst: Timespan::seconds(10),
        }
    }
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            settings: ArcSwap::default(),
            begun: Instant::now(),
            hasher: RandomState::new(),
            shards: Default::default(),
        }
    }
}

impl Rates {
    /// Uses these limits from now on.
    pub(crate) fn set(&self, settings: RateSettings) {
        self.settings.store(settings.into());
    }

    /// Counts a request. An error is how long to wait with the next one.
    pub(crate) fn admit(&self, method: &Method, asker: Asker<'_>) -> Result<(), Duration> {
        let settings = self.settings.load();
        let (class, own, all) = match *method {
            Method::GET | Method::HEAD => (Class::Pull, settings.pulls, settings.all_pulls),
            _ => (Class::Push, settings.pushes, settings.all_pushes),
        };
        if own == 0 && all == 0 {
            return Ok(());
        }
        let (now, burst) = (self.begun.elapsed(), settings.burst.duration());
        // The caller first: who is refused takes nothing from the others.
        self.take(&(class, Some(asker)), own, burst, now)?;
        self.take(&(class, None), all, burst, now)
    }

    /// Counts a request of which nothing is known but where it comes from.
    pub(crate) fn admit_address(&self, address: IpAddr) -> Result<(), Duration> {
        let settings = self.settings.load();
        let (now, burst) = (self.begun.elapsed(), settings.burst.duration());
        let key = (Class::Any, Some(Asker::At(network(address))));
        self.take(&key, settings.per_address, burst, now)
    }

    fn take(
        &self,
        key: &(Class, Option<Asker<'_>>),
        rate: u32,
        burst: Duration,
        now: Duration,
    ) -> Result<(), Duration> {
        if rate == 0 {
            return Ok(());
        }
        let key = self.hasher.hash_one(key);
        let (now, burst) = (nanoseconds(now), nanoseconds(burst));
        let index = usize::try_from(key).unwrap_or_default() % SHARDS;
        let Some(shard) = self.shards.get(index) else {
            return Ok(());
        };
        let mut times = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if times.len() >= CALLERS && !times.contains_key(&key) {
            forget(&mut times, now);
        }
        let time = times.entry(key).or_insert(now);
        let one = 1_000_000_000 / u64::from(rate);
        let next = (*time).max(now) + one;
        if next > now + burst.max(one) {
            return Err(Duration::from_nanos(next - now - burst.max(one)));
        }
        *time = next;
        Ok(())
    }
}

/// Makes room. If all have asked just now, they begin anew.
fn forget(times: &mut Times, now: u64) {
    times.retain(|_, time| *time > now);
    if times.len() >= CALLERS {
        times.clear();
    }
}

fn nanoseconds(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn key(name: &'static str) -> (Class, Option<Asker<'static>>) {
        (Class::Pull, Some(Asker::Named(name)))
    }

    #[test]
    fn a_burst_is_let_in_and_then_the_rate() {
        let rates = Rates::default();
        let take = |now| rates.take(&key("a"), 10, SECOND, now);
        for _ in 0..10 {
            assert_eq!(take(SECOND), Ok(()));
        }
        assert_eq!(take(SECOND), Err(SECOND / 10));
        assert_eq!(take(SECOND + SECOND / 10), Ok(()));
        assert_eq!(take(SECOND + SECOND / 10), Err(SECOND / 10));
        assert_eq!(rates.take(&key("b"), 10, SECOND, SECOND), Ok(()));
    }

    #[test]
    fn many_callers_take_no_more_memory_and_who_asks_on_is_remembered() {
        let rates = Rates::default();
        for name in 0..200_000_u32 {
            let name = name.to_string();
            let key = (Class::Pull, Some(Asker::Named(&name)));
            rates
                .take(&key, 1, SECOND, Duration::from_secs(10))
                .unwrap();
        }
        let remembered = |shard: &Mutex<Times>| shard.lock().unwrap().len();
        let all: usize = rates.shards.iter().map(remembered).sum();
        assert!(all <= CALLERS * SHARDS);
    }

    #[test]
    fn what_is_no_limit_is_not_remembered() {
        let rates = Rates::default();
        for _ in 0..1000 {
            rates.admit(&Method::GET, Asker::Anyone).unwrap();
        }
        assert!(
            rates
                .shards
                .iter()
                .all(|shard| shard.lock().unwrap().is_empty())
        );
    }
}
