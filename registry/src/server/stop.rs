//! How everything that runs learns that the server stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// The wish to stop. Cheap to clone, and cheap to ask.
#[derive(Clone, Debug, Default)]
pub(super) struct Stop {
    // The token takes a lock to be asked, and connections ask all the time.
    is_stopping: Arc<AtomicBool>,
    token: CancellationToken,
}

impl Stop {
    pub(super) fn stop(&self) {
        self.is_stopping.store(true, Ordering::Release);
        self.token.cancel();
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Acquire)
    }

    /// Done when the server stops.
    pub(super) fn stopped(&self) -> WaitForCancellationFutureOwned {
        self.token.clone().cancelled_owned()
    }
}
