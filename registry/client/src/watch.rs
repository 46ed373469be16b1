//! A watch over an upload: it may take long, but something must move.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{Stream, StreamExt as _};

use crate::error::Failure;

/// Counts the pieces that leave, and ends what does not move.
pub(crate) struct Watch {
    pieces: Arc<AtomicU64>,
    limit: Duration,
}

impl Watch {
    pub(crate) fn new(limit: Duration) -> Self {
        Self {
            pieces: Arc::default(),
            limit,
        }
    }

    /// The same stream, counted.
    pub(crate) fn count<S>(&self, content: S) -> impl Stream<Item = S::Item> + Send + use<S>
    where
        S: Stream + Send,
    {
        let pieces = Arc::clone(&self.pieces);
        content.inspect(move |_| {
            pieces.fetch_add(1, Ordering::Relaxed);
        })
    }

    /// Runs `upload` as long as pieces leave, and at most the limit after the last one.
    pub(crate) async fn over<T>(&self, upload: impl Future<Output = T>) -> Result<T, Failure> {
        tokio::select! {
            result = upload => Ok(result),
            () = self.still() => Err(Failure::stalled(self.limit)),
        }
    }

    async fn still(&self) {
        loop {
            let before = self.pieces.load(Ordering::Relaxed);
            tokio::time::sleep(self.limit).await;
            if self.pieces.load(Ordering::Relaxed) == before {
                return;
            }
        }
    }
}
