//! Small named values, changed together or not at all.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use thiserror::Error;

use super::error::StorageError;
use super::keys::{Key, Prefix};

/// An engine for records.
///
/// Every engine guarantees, and `tests/storage_contract` checks:
/// - **durable**: when [`commit`](Self::commit) has returned `Ok`, the changes survive the
///   process, and on an engine that has a disk also the loss of power;
/// - **atomic**: of a batch all changes are visible or none. An engine that cannot do this
///   (an object store) must apply them in their order and stop at the first that fails, and
///   so the callers put what is pointed at before what points;
/// - **isolated**: the expectations of a batch are checked against the same state that its
///   changes are applied to;
/// - **ordered**: [`list`](Self::list) gives keys in the order of their bytes.
pub trait Records: Debug + Send + Sync {
    /// The record named `key`, if there is one.
    fn get(&self, key: &Key) -> BoxFuture<'_, Result<Option<Record>, StorageError>>;

    /// At most `limit` records whose names begin with `prefix`, those strictly after
    /// `after` where it is given.
    fn list(
        &self,
        prefix: &Prefix,
        after: Option<&Key>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<(Key, Record)>, StorageError>>;

    /// Applies `batch`.
    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), CommitError>>;

    /// Tells `watch` of each transaction from now on, where the engine has any. Who is given
    /// first is told.
    fn watch(&self, watch: Arc<dyn CommitWatch>) {
        drop(watch);
    }
}

/// Who is told what an engine does for its commits.
pub trait CommitWatch: Debug + Send + Sync {
    /// So many batches were written in one transaction, which took so long.
    fn written(&self, batches: usize, duration: Duration);

    /// What was written was synced, which took so long.
    fn synced(&self, duration: Duration);
}

/// A value and the version that it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The bytes that were put.
    pub value: Bytes,
    /// Changes whenever the value does.
    pub version: Version,
}

/// What an engine tells versions of a record by: an entity tag, or the value itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version(pub Bytes);

/// What must be true of a record for a batch to be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Nothing.
    Anything,
    /// There is no such record.
    Absent,
    /// It is there and still has this version.
    Unchanged(Version),
}

/// One change in a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The record.
    pub key: Key,
    /// Its new value, or `None` to delete it.
    pub value: Option<Bytes>,
    /// What must be true before.
    pub expect: Expect,
}

/// Changes that belong together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch(Vec<Change>);

/// Why a batch was not applied.
#[derive(Debug, Error)]
pub enum CommitError {
    /// An expectation was not met; nothing was changed.
    #[error("the record `{0}` was changed by another request")]
    Changed(Key),
    /// The engine failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Batch {
    /// A batch without changes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a record, whatever was there.
    #[must_use]
    pub fn put(self, key: Key, value: impl Into<Bytes>) -> Self {
        self.change(key, Some(value.into()), Expect::Anything)
    }

    /// Puts a record that must not be there yet.
    #[must_use]
    pub fn put_if_absent(self, key: Key, value: impl Into<Bytes>) -> Self {
        self.change(key, Some(value.into()), Expect::Absent)
    }

    /// Puts a record that must still have the version that was read.
    #[must_use]
    pub fn put_if_unchanged(self, key: Key, version: Version, value: impl Into<Bytes>) -> Self {
        self.change(key, Some(value.into()), Expect::Unchanged(version))
    }

    /// Deletes a record, if it is there.
    #[must_use]
    pub fn delete(self, key: Key) -> Self {
        self.change(key, None, Expect::Anything)
    }

    /// Deletes a record that must still have the version that was read.
    #[must_use]
    pub fn delete_if_unchanged(self, key: Key, version: Version) -> Self {
        self.change(key, None, Expect::Unchanged(version))
    }

    /// Changes nothing, but fails the batch when there is such a record.
    #[must_use]
    pub fn only_without(self, key: Key) -> Self {
        self.change(key, None, Expect::Absent)
    }

    /// The changes in their order, to look at.
    pub fn changes(&self) -> &[Change] {
        &self.0
    }

    /// True when it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These changes, and then those of `other`.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// The changes in their order.
    pub fn into_changes(self) -> Vec<Change> {
        self.0
    }

    fn change(mut self, key: Key, value: Option<Bytes>, expect: Expect) -> Self {
        self.0.push(Change { key, value, expect });
        self
    }
}

impl Expect {
    /// True when a record that is now `current` is as expected.
    pub fn is_met_by(&self, current: Option<&Version>) -> bool {
        match self {
            Self::Anything => true,
            Self::Absent => current.is_none(),
            Self::Unchanged(version) => current == Some(version),
        }
    }
}
