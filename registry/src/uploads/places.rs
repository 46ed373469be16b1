//! How many uploads are recorded, of each sender and of all: every one holds room on the disk.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{UploadError, UploadSettings};

/// The places of all uploads that are recorded or about to be.
#[derive(Debug, Default)]
pub(super) struct Places(Mutex<Counts>);

/// The place of an upload that is about to be recorded. It is given back when this is dropped
/// before [`used`](Self::used).
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    sender: Arc<str>,
    is_used: bool,
}

/// How many uploads each sender has.
pub(super) type Senders = HashMap<Arc<str>, usize>;

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    senders: Senders,
    /// Grows with every change, so that who counts anew sees whether there was one meanwhile.
    changes: u64,
}

impl Places {
    /// A place for one more upload of `sender`.
    pub(super) fn take(
        self: &Arc<Self>,
        sender: &Arc<str>,
        settings: &UploadSettings,
    ) -> Result<Place, UploadError> {
        let mut counts = self.lock();
        let own = counts.senders.get(sender).copied().unwrap_or_default();
        if own >= settings.open_per_sender {
            let sender = sender.to_string();
            return Err(UploadError::TooManyOf(settings.open_per_sender, sender));
        }
        if counts.all >= settings.open {
            return Err(UploadError::TooMany(settings.open));
        }
        counts.all += 1;
        counts.changes += 1;
        counts.senders.insert(Arc::clone(sender), own + 1);
        Ok(Place {
            places: Arc::clone(self),
            sender: Arc::clone(sender),
            is_used: false,
        })
    }

    /// An upload of `sender` is recorded no more.
    pub(super) fn free(&self, sender: &str) {
        let mut counts = self.lock();
        counts.all = counts.all.saturating_sub(1);
        counts.changes += 1;
        match counts.senders.get_mut(sender) {
            Some(own) if *own > 1 => *own -= 1,
            _ => drop(counts.senders.remove(sender)),
        }
    }

    /// How many changes there were.
    pub(super) fn changes(&self) -> u64 {
        self.lock().changes
    }

    /// This is what was counted in the store. It is taken over unless something changed since
    /// there were so many `changes`: a write that failed may have been done all the same.
    pub(super) fn counted(&self, senders: Senders, changes: u64) {
        let mut counts = self.lock();
        if counts.changes == changes {
            counts.all = senders.values().sum();
            counts.senders = senders;
        }
    }

    /// How many there are.
    pub(super) fn all(&self) -> usize {
        self.lock().all
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// The upload is recorded.
    pub(super) fn used(mut self) {
        self.is_used = true;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.is_used {
            self.places.free(&self.sender);
        }
    }
}
