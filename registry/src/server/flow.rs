//! What a connection or a stream has moved, and whether it is the client who is waited for.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;

/// Bytes in one direction.
#[derive(Debug, Default)]
pub(super) struct Flow {
    moved: AtomicU64,
    waiting: AtomicBool,
}

/// What a connection has done so far. The parts of the connection write it; they mostly run
/// in one task, so that relaxed atomics cost next to nothing.
#[derive(Debug, Default)]
pub(super) struct Activity {
    /// From the client. It is waited for when a request's body is wanted and not there.
    pub(super) read: Flow,
    /// To the client. It is waited for when the socket takes no more.
    pub(super) written: Flow,
    /// Requests that began.
    pub(super) started: AtomicU64,
    /// Requests whose answer is not handed over yet.
    pub(super) under_way: AtomicUsize,
    /// What had been read when the last request ended. On a connection that carries many
    /// requests at a time this says nothing, and is not kept.
    read_before: AtomicU64,
}

/// The span in which a client that is waited for has to move something.
#[derive(Debug)]
pub(super) struct Window {
    since: Instant,
    moved: u64,
}

impl Activity {
    /// A request has come.
    pub(super) fn begin(&self) {
        self.started.fetch_add(1, Relaxed);
        self.under_way.fetch_add(1, Relaxed);
    }

    /// Its answer is handed over.
    pub(super) fn end(&self) {
        self.under_way.fetch_sub(1, Relaxed);
        self.read_before.store(self.read.moved(), Relaxed);
    }

    /// Whether there is a beginning of the next request.
    pub(super) fn has_begun_to_ask(&self) -> bool {
        self.read.moved() != self.read_before.load(Relaxed)
    }
}

impl Flow {
    pub(super) fn add(&self, bytes: usize) {
        self.moved.fetch_add(bytes as u64, Relaxed);
        self.waiting.store(false, Relaxed);
    }

    pub(super) fn wait(&self, waiting: bool) {
        self.waiting.store(waiting, Relaxed);
    }

    pub(super) fn moved(&self) -> u64 {
        self.moved.load(Relaxed)
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.waiting.load(Relaxed)
    }
}

impl Window {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            since: now,
            moved: 0,
        }
    }

    /// Whether the client was waited for during a whole `timeout` and moved less than `least`.
    pub(super) fn has_stalled(
        &mut self,
        flow: &Flow,
        now: Instant,
        timeout: Duration,
        least: u64,
    ) -> bool {
        let moved = flow.moved();
        if flow.is_waiting() {
            if now.duration_since(self.since) < timeout {
                return false;
            }
            if moved.saturating_sub(self.moved) < least {
                return true;
            }
        }
        *self = Self { since: now, moved };
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(30);

    fn after(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[test]
    fn who_is_not_waited_for_never_stalls() {
        let (start, flow) = (Instant::now(), Flow::default());
        let mut window = Window::new(start);
        for seconds in [10, 100, 1000] {
            assert!(!window.has_stalled(&flow, after(start, seconds), TIMEOUT, 1));
        }
    }

    #[test]
    fn who_moves_too_little_in_a_window_has_stalled() {
        let (start, flow) = (Instant::now(), Flow::default());
        let mut window = Window::new(start);
        flow.wait(true);
        assert!(!window.has_stalled(&flow, after(start, 29), TIMEOUT, 100));
        flow.add(100);
        flow.wait(true);
        assert!(!window.has_stalled(&flow, after(start, 30), TIMEOUT, 100));
        flow.add(99);
        flow.wait(true);
        assert!(!window.has_stalled(&flow, after(start, 59), TIMEOUT, 100));
        assert!(window.has_stalled(&flow, after(start, 60), TIMEOUT, 100));
    }

    #[test]
    fn the_window_begins_when_the_wait_does() {
        let (start, flow) = (Instant::now(), Flow::default());
        let mut window = Window::new(start);
        assert!(!window.has_stalled(&flow, after(start, 100), TIMEOUT, 1));
        flow.wait(true);
        assert!(!window.has_stalled(&flow, after(start, 129), TIMEOUT, 1));
        assert!(window.has_stalled(&flow, after(start, 130), TIMEOUT, 1));
    }
}
