//! Is there an order of these operations, each at one moment between its call and its answer,
//! in which a single register would have answered as it did? (Wing and Gong, with the visited
//! states remembered, as Lowe does it.)

use std::collections::HashSet;

/// What a register holds.
pub(super) type Value = Option<u32>;

/// An operation, and what was answered.
#[derive(Clone, Copy, Debug)]
pub(super) enum Operation {
    Read(Value),
    Write(u32),
    /// True when there was something.
    Delete(bool),
    Swap {
        from: Value,
        to: u32,
        done: bool,
    },
}

/// An operation and when it was under way, on one clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) operation: Operation,
    pub(super) called: u64,
    pub(super) answered: u64,
}

/// True when the calls to one register are linearizable, beginning with nothing in it.
pub(super) fn is_linearizable(calls: &[Call]) -> bool {
    let mut seen = HashSet::new();
    let mut ways = vec![(vec![false; calls.len()], None)];
    while let Some((done, value)) = ways.pop() {
        if done.iter().all(|done| *done) {
            return true;
        }
        if !seen.insert((done.clone(), value)) {
            continue;
        }
        let open = || calls.iter().enumerate().filter(|(at, _)| !done[*at]);
        let first_answer = open().map(|(_, call)| call.answered).min().unwrap();
        // Only what was called before any other of the rest was answered can come next.
        for (at, call) in open().filter(|(_, call)| call.called <= first_answer) {
            if let Some(next) = call.operation.apply(value) {
                let mut done = done.clone();
                done[at] = true;
                ways.push((done, next));
            }
        }
    }
    false
}

impl Operation {
    /// What the register holds afterwards, if it would have answered like this.
    fn apply(self, value: Value) -> Option<Value> {
        match self {
            Self::Read(read) => (read == value).then_some(value),
            Self::Write(to) => Some(Some(to)),
            Self::Delete(found) => (found == value.is_some()).then_some(None),
            Self::Swap { from, to, done } if done => (from == value).then_some(Some(to)),
            Self::Swap { from, .. } => (from != value).then_some(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Operation::{Delete, Read, Swap, Write};
    use super::*;

    fn check(calls: &[(u64, u64, Operation)]) -> bool {
        let calls: Vec<Call> = calls
            .iter()
            .map(|(called, answered, operation)| Call {
                operation: *operation,
                called: *called,
                answered: *answered,
            })
            .collect();
        is_linearizable(&calls)
    }

    #[test]
    fn a_read_sees_the_last_write() {
        assert!(check(&[(0, 1, Write(1)), (2, 3, Read(Some(1)))]));
        assert!(!check(&[(0, 1, Write(1)), (2, 3, Read(None))]));
        assert!(!check(&[
            (0, 1, Write(1)),
            (2, 3, Write(2)),
            (4, 5, Read(Some(1)))
        ]));
    }

    #[test]
    fn a_read_beside_a_write_sees_either() {
        for seen in [None, Some(1)] {
            assert!(check(&[(0, 9, Write(1)), (2, 3, Read(seen))]));
        }
        assert!(!check(&[(0, 9, Write(1)), (2, 3, Read(Some(2)))]));
    }

    #[test]
    fn what_was_seen_is_not_unseen() {
        let seen =
            |first, second| check(&[(0, 9, Write(1)), (1, 2, Read(first)), (3, 4, Read(second))]);
        assert!(seen(None, Some(1)));
        assert!(!seen(Some(1), None));
    }

    #[test]
    fn of_two_swaps_from_the_same_value_one_is_done() {
        let swaps = |first, second| {
            let swap = |to, done| Swap {
                from: Some(1),
                to,
                done,
            };
            check(&[
                (0, 1, Write(1)),
                (2, 9, swap(2, first)),
                (2, 9, swap(3, second)),
            ])
        };
        assert!(swaps(true, false) && swaps(false, true));
        assert!(!swaps(true, true) && !swaps(false, false));
    }

    #[test]
    fn what_was_deleted_is_gone() {
        assert!(check(&[
            (0, 1, Write(1)),
            (2, 3, Delete(true)),
            (4, 5, Read(None)),
            (6, 7, Delete(false)),
        ]));
        assert!(!check(&[(0, 1, Write(1)), (2, 3, Delete(false))]));
        assert!(!check(&[
            (0, 1, Write(1)),
            (2, 3, Delete(true)),
            (4, 5, Read(Some(1)))
        ]));
    }
}
