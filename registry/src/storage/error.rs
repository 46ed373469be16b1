//! Why a store could not do what it was asked.

use std::error::Error as StdError;
use std::io;
use std::path::Path;

use thiserror::Error;

use super::quota::QuotaExceeded;

/// A failure of the storage itself. What is simply not there is no error.
#[derive(Debug, Error)]
pub enum StorageError {
    /// No space left, or a quota of the file system reached.
    #[error("the storage is full")]
    Full(#[source] Box<dyn StdError + Send + Sync>),
    /// Another process has the store open.
    #[error("the store `{0}` is in use by another process")]
    InUse(String),
    /// An engine failed.
    #[error("failed to {action}")]
    Engine {
        /// What was tried, and on what.
        action: String,
        /// What went wrong.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// A repository would hold more than it may.
    #[error(transparent)]
    Quota(Box<QuotaExceeded>),
    /// A newer version wrote the store.
    #[error(
        "the store has the format {found}, and this version knows formats up to {known}: use \
         the version that wrote it or a newer one, or restore a backup"
    )]
    Format {
        /// The store's.
        found: u32,
        /// The newest that is known.
        known: u32,
    },
    /// A record that is not what this version writes.
    #[error("the record `{key}` cannot be read")]
    Record {
        /// The record's name.
        key: String,
        /// What is wrong with it.
        source: Box<dyn StdError + Send + Sync>,
    },
}

impl StorageError {
    /// A failed file operation; a full disk is told apart.
    pub fn file(action: &str, path: &Path, source: io::Error) -> Self {
        Self::io(format!("{action} `{}`", path.display()), source)
    }

    /// A failed operation; a full disk is told apart.
    pub fn io(action: String, source: io::Error) -> Self {
        if Self::is_full(&source) {
            return Self::Full(source.into());
        }
        Self::Engine {
            action,
            source: source.into(),
        }
    }

    /// True when there was no room.
    pub(super) fn is_full(error: &io::Error) -> bool {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
    }
}
