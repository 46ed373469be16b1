//! How often an address may send a wrong password.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use quick_cache::sync::Cache;

use crate::server::network;

/// How long an attempt counts.
const WINDOW: Duration = Duration::from_mins(1);

/// How many addresses are remembered. Those that are forgotten first begin anew.
const ADDRESSES: usize = 10_000;

/// Attempts of the last minute, by address; of IPv6 by /64, which one host has all of.
#[derive(Debug)]
pub(super) struct Attempts(Mutex<Cache<IpAddr, (Instant, u32)>>);

impl Attempts {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Cache::new(ADDRESSES)))
    }

    /// Counts an attempt before it is known how it ends, so that many at once count, too.
    /// An error is how long to wait.
    pub(super) fn begin(&self, address: IpAddr, limit: u32, now: Instant) -> Result<(), Duration> {
        let cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let address = network(address);
        let (since, count) = match cache.get(&address) {
            Some((since, count)) if now.duration_since(since) < WINDOW => (since, count),
            _ => (now, 0),
        };
        if count >= limit {
            return Err(WINDOW.saturating_sub(now.duration_since(since)));
        }
        cache.insert(address, (since, count + 1));
        Ok(())
    }

    /// It was right after all.
    pub(super) fn forgive(&self, address: IpAddr) {
        let cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let address = network(address);
        if let Some((since, count)) = cache.get(&address) {
            cache.insert(address, (since, count.saturating_sub(1)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_wrong_attempts_in_a_minute() {
        let attempts = Attempts::new();
        let (here, now) = ("10.0.0.1".parse().unwrap(), Instant::now());
        assert_eq!(attempts.begin(here, 2, now), Ok(()));
        attempts.forgive(here);
        assert_eq!(attempts.begin(here, 2, now), Ok(()));
        assert_eq!(attempts.begin(here, 2, now), Ok(()));
        assert_eq!(attempts.begin(here, 2, now), Err(WINDOW));
        assert_eq!(attempts.begin("10.0.0.2".parse().unwrap(), 2, now), Ok(()));
        assert_eq!(attempts.begin(here, 2, now + WINDOW), Ok(()));
    }

    #[test]
    fn one_host_of_ipv6_is_its_network() {
        let attempts = Attempts::new();
        let now = Instant::now();
        assert_eq!(
            attempts.begin("2001:db8::1".parse().unwrap(), 1, now),
            Ok(())
        );
        assert!(
            attempts
                .begin("2001:db8::2".parse().unwrap(), 1, now)
                .is_err()
        );
        assert_eq!(
            attempts.begin("2001:db8:0:1::1".parse().unwrap(), 1, now),
            Ok(())
        );
    }
}
