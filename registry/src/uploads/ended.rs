//! Uploads that have ended. Their identifiers still prove themselves, and so they are
//! remembered for a while.

use std::collections::{HashSet, VecDeque};

/// How many are remembered: a few megabytes. One that is forgotten, here or at a restart, is
/// an upload of which nothing has arrived, which does no harm.
const REMEMBERED: usize = 65_536;

/// The last uploads that ended.
#[derive(Debug, Default)]
pub(super) struct Ended {
    numbers: HashSet<u128>,
    order: VecDeque<u128>,
}

impl Ended {
    pub(super) fn insert(&mut self, number: u128) {
        if !self.numbers.insert(number) {
            return;
        }
        self.order.push_back(number);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.numbers.remove(&oldest);
        }
    }

    pub(super) fn contains(&self, number: u128) -> bool {
        self.numbers.contains(&number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_forgotten_first() {
        let mut ended = Ended::default();
        for number in 0..=REMEMBERED as u128 {
            ended.insert(number);
            ended.insert(number);
        }
        assert!(!ended.contains(0));
        assert!(ended.contains(1) && ended.contains(REMEMBERED as u128));
        assert_eq!(ended.numbers.len(), REMEMBERED);
    }
}
