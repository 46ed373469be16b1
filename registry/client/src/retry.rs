//! When to try again, and how long to wait before.

use std::time::Duration;

use crate::error::Failure;

/// Tries again what failed for a reason that passes: no connection, `429`, `5xx`.
///
/// Everything that this crate asks of a registry may be asked twice: reads, uploads in a
/// session of their own, and manifests, whose name is their content.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// How often to try in all; at least one.
    pub attempts: u32,
    /// The first wait. Each wait after it is twice as long.
    pub first: Duration,
    /// The longest wait. A registry that asks for more (`Retry-After`) is not waited for.
    pub longest: Duration,
}

impl Default for Backoff {
    /// Four attempts within about four seconds.
    fn default() -> Self {
        Self {
            attempts: 4,
            first: Duration::from_millis(500),
            longest: Duration::from_secs(30),
        }
    }
}

impl Backoff {
    /// How long to wait after `failure` of the attempt `attempt`, which counts from one;
    /// `None` when trying again is of no use.
    pub(crate) fn wait(&self, attempt: u32, failure: &Failure) -> Option<Duration> {
        if attempt >= self.attempts || !failure.is_transient() {
            return None;
        }
        let doubled = self.first.saturating_mul(1 << (attempt - 1).min(16));
        match failure.retry_after() {
            Some(asked) if asked > self.longest => None,
            Some(asked) => Some(asked),
            None => Some(doubled.min(self.longest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff {
        attempts: 4,
        first: Duration::from_secs(1),
        longest: Duration::from_secs(3),
    };

    fn busy(retry_after: Option<u64>) -> Failure {
        Failure::Busy {
            status: 429,
            message: String::new(),
            retry_after: retry_after.map(Duration::from_secs),
        }
    }

    #[test]
    fn waits_double_up_to_the_longest_and_attempts_are_bounded() {
        let waits: Vec<_> = (1..=4).map(|n| BACKOFF.wait(n, &busy(None))).collect();
        let seconds = |n| Some(Duration::from_secs(n));
        assert_eq!(waits, [seconds(1), seconds(2), seconds(3), None]);
    }

    #[test]
    fn the_registry_may_say_how_long_but_not_too_long() {
        assert_eq!(
            BACKOFF.wait(1, &busy(Some(2))),
            Some(Duration::from_secs(2))
        );
        assert_eq!(BACKOFF.wait(1, &busy(Some(4))), None);
    }

    #[test]
    fn what_will_not_pass_is_not_tried_again() {
        let failure = Failure::NotFound {
            message: String::new(),
            errors: serde_json::Value::Null,
        };
        assert_eq!(BACKOFF.wait(1, &failure), None);
    }
}
