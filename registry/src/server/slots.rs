//! How many connections there are, in all and from each address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use super::settings::LimitsSettings;

/// Counts connections. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Slots {
    counts: Arc<Mutex<Counts>>,
    limit: usize,
    /// 0 is no limit.
    limit_per_address: usize,
}

/// A connection's place, until it is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    slots: Slots,
    address: IpAddr,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    // Only those that have some, and only when they are limited.
    addresses: HashMap<IpAddr, usize>,
}

impl Slots {
    pub(super) fn new(limits: &LimitsSettings) -> Self {
        Self {
            counts: Arc::default(),
            limit: limits.connections,
            limit_per_address: limits.connections_per_address,
        }
    }

    /// `None` when there are too many.
    pub(super) fn take(&self, address: IpAddr) -> Option<Slot> {
        let address = network(address);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.all >= self.limit {
            return None;
        }
        if self.limit_per_address > 0 {
            let count = counts.addresses.entry(address).or_default();
            if *count >= self.limit_per_address {
                return None;
            }
            *count += 1;
        }
        counts.all += 1;
        let slots = self.clone();
        Some(Slot { slots, address })
    }

    fn give_back(&self, address: IpAddr) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.all = counts.all.saturating_sub(1);
        if let Some(count) = counts.addresses.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                counts.addresses.remove(&address);
            }
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.slots.give_back(self.address);
    }
}

/// What one client has to itself: an IPv4 address, or a /64 of IPv6, of which it may have any
/// number of addresses.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(connections: usize, connections_per_address: usize) -> Slots {
        Slots::new(&LimitsSettings {
            connections,
            connections_per_address,
            ..LimitsSettings::default()
        })
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_place_that_is_given_back_can_be_taken_again() {
        let slots = slots(2, 0);
        let first = slots.take(address("10.0.0.1")).unwrap();
        let _second = slots.take(address("10.0.0.1")).unwrap();
        assert!(slots.take(address("10.0.0.2")).is_none());
        drop(first);
        assert!(slots.take(address("10.0.0.2")).is_some());
    }

    #[test]
    fn an_address_and_a_network_of_ipv6_have_limits_of_their_own() {
        let slots = slots(100, 1);
        let _a = slots.take(address("10.0.0.1")).unwrap();
        assert!(slots.take(address("10.0.0.1")).is_none());
        assert!(slots.take(address("::ffff:10.0.0.1")).is_none());
        let b = slots.take(address("2001:db8::1")).unwrap();
        assert!(slots.take(address("2001:db8::2")).is_none());
        assert!(slots.take(address("2001:db8:0:1::2")).is_some());
        drop(b);
        assert!(slots.take(address("2001:db8::2")).is_some());
        assert_eq!(slots.counts.lock().unwrap().addresses.len(), 1);
    }
}
