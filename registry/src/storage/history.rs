//! Where a tag pointed before: one record for each move, the newest first.

use serde::{Deserialize, Serialize};
use wasmport_artifact::{Digest, RepositoryName, Tag};

use super::error::StorageError;
use super::keys::{Key, Prefix};
use super::records::Batch;
use super::store::{Store, decode, encode, now_ms};

/// How many moves of one tag are remembered. A tag that moves with every commit fills it in
/// weeks; the audit log has them all.
pub(crate) const MOVES: u64 = 1000;

/// A tag came to point somewhere, or went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Event {
    /// Where it points now, or pointed to until it was deleted.
    pub(crate) digest: Digest,
    /// Milliseconds since 1970.
    pub(crate) at: u64,
    /// It was deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) deleted: bool,
}

impl Event {
    pub(super) fn moved_to(digest: &Digest) -> Self {
        Self {
            digest: digest.clone(),
            at: now_ms(),
            deleted: false,
        }
    }

    pub(super) fn deleted(digest: &Digest) -> Self {
        Self {
            deleted: true,
            ..Self::moved_to(digest)
        }
    }
}

impl Store {
    /// What happened to a tag, the newest first, with the turn of each: at most `limit`, those
    /// before the turn `before` where it is given.
    pub(crate) async fn history(
        &self,
        repository: &RepositoryName,
        tag: &Tag,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, Event)>, StorageError> {
        let after = before.map(|turn| Key::history(repository, tag, turn));
        let prefix = Prefix::history(repository, tag);
        let found = self.records.list(&prefix, after.as_ref(), limit).await?;
        let read =
            |(key, record)| Ok((Key::as_turn(key).unwrap_or_default(), decode(key, record)?));
        found
            .iter()
            .map(|(key, record)| read((key, record)))
            .collect()
    }

    /// The turn of the last move of a tag that is not there. None was ever made: 0.
    pub(super) async fn last_turn(
        &self,
        repository: &RepositoryName,
        tag: &Tag,
    ) -> Result<u64, StorageError> {
        let newest = self.history(repository, tag, None, 1).await?;
        Ok(newest.first().map_or(0, |(turn, _)| *turn))
    }
}

/// Adds to `batch` what happened in this turn, and forgets what is too long ago.
pub(super) fn recorded(
    batch: Batch,
    repository: &RepositoryName,
    tag: &Tag,
    turn: u64,
    event: &Event,
) -> Batch {
    let batch = batch.put(Key::history(repository, tag, turn), encode(event));
    match turn.checked_sub(MOVES) {
        Some(old @ 1..) => batch.delete(Key::history(repository, tag, old)),
        _ => batch,
    }
}
