//! What a repository holds, counted in memory, and room that is kept for pushes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wasmport_artifact::RepositoryName;

use super::{Amount, QuotaExceeded, QuotaSettings, Usage};
use crate::settings::ByteSize;

/// What a repository holds, and is about to hold.
#[derive(Debug, Default)]
pub(super) struct Count {
    /// `None` until somebody has counted, and when something was deleted since.
    pub(super) used: Option<Usage>,
    reserved: Usage,
    /// Grows with every write and deletion, so that who counts sees whether there was one
    /// meanwhile.
    pub(super) changes: u64,
    /// All that was ever written by reservations.
    pub(super) written: Usage,
}

/// Room for what a push is about to add. It is given back when this is dropped before
/// [`used`](Self::used).
#[derive(Debug)]
pub(in crate::storage) struct Reservation(pub(super) Option<(Arc<Mutex<Count>>, Usage)>);

impl Usage {
    pub(super) fn add(&mut self, more: Self) {
        self.bytes = self.bytes.saturating_add(more.bytes);
        self.artifacts = self.artifacts.saturating_add(more.artifacts);
    }

    pub(super) fn since(self, earlier: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_sub(earlier.bytes),
            artifacts: self.artifacts.saturating_sub(earlier.artifacts),
        }
    }
}

impl Reservation {
    /// What was reserved is written.
    pub(in crate::storage) fn used(self) {
        if let Some((count, asked)) = &self.0 {
            let mut count = lock(count);
            count.changes += 1;
            count.written.add(*asked);
            if let Some(used) = &mut count.used {
                used.add(*asked);
            }
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if let Some((count, asked)) = &self.0 {
            let mut count = lock(count);
            count.reserved.bytes = count.reserved.bytes.saturating_sub(asked.bytes);
            count.reserved.artifacts = count.reserved.artifacts.saturating_sub(asked.artifacts);
        }
    }
}

/// Keeps room for `asked`, or says that there is none.
pub(super) fn take(
    count: &Mutex<Count>,
    quota: QuotaSettings,
    repository: &RepositoryName,
    asked: Usage,
) -> Result<(), QuotaExceeded> {
    let mut count = lock(count);
    let used = count.used.unwrap_or_default();
    let exceeded = |limit, used, asked| QuotaExceeded {
        repository: repository.clone(),
        limit,
        used,
        asked,
    };
    let bytes = used.bytes.saturating_add(count.reserved.bytes);
    if let Some(ByteSize(limit)) = quota.bytes
        && asked.bytes > 0
        && bytes.saturating_add(asked.bytes) > limit
    {
        let (limit, used) = (Amount::Bytes(limit), Amount::Bytes(bytes));
        return Err(exceeded(limit, used, asked.bytes));
    }
    let artifacts = used.artifacts + count.reserved.artifacts;
    if let Some(limit) = quota.artifacts
        && asked.artifacts > 0
        && artifacts + asked.artifacts > limit
    {
        let (limit, used) = (Amount::Artifacts(limit), Amount::Artifacts(artifacts));
        return Err(exceeded(limit, used, asked.artifacts));
    }
    count.reserved.bytes += asked.bytes;
    count.reserved.artifacts += asked.artifacts;
    Ok(())
}

/// Every change under these locks is whole when a thread panics.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
