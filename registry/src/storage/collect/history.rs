//! The history of tags that were deleted long ago.

use wasmport_artifact::{RepositoryName, Tag};

use super::Run;
use crate::storage::error::StorageError;
use crate::storage::history::{Event, MOVES};
use crate::storage::keys::{Key, Prefix};
use crate::storage::records::{Batch, CommitError};
use crate::storage::store::{Store, decode};
use crate::storage::walk::Walk;

impl Run<'_> {
    /// One tag after the other. The newest of its moves comes first and tells how long ago it
    /// was deleted.
    pub(super) async fn history(&mut self) -> Result<(), StorageError> {
        let mut walk = Walk::new(&*self.store.records, Prefix::all_history(), 1);
        while let Some((key, record)) = walk.next().await? {
            let Some((repository, tag)) = key.as_history() else {
                continue;
            };
            self.report.examined += 1;
            walk.skip_to(Prefix::history(&repository, &tag).end());
            // What cannot be read is for `fsck`.
            let Ok(newest) = decode::<Event>(&key, &record) else {
                continue;
            };
            if self.is_older(newest.at / 1000, self.options.deleted_history)
                && self.store.tag(&repository, &tag).await?.is_none()
            {
                self.forget_tag(&repository, &tag).await?;
            }
        }
        Ok(())
    }

    async fn forget_tag(
        &mut self,
        repository: &RepositoryName,
        tag: &Tag,
    ) -> Result<(), StorageError> {
        let moves = moves(self.store, repository, tag).await?;
        let count = moves.len() as u64;
        // The oldest first, so that what is left of it when an engine stops half way is
        // collected, too.
        let forgotten = moves.into_iter().rev().fold(Batch::new(), Batch::delete);
        // Unless the tag is pushed meanwhile: its history then goes on.
        let forgotten = Batch::new()
            .only_without(Key::tag(repository, tag))
            .and(forgotten);
        if !self.options.dry_run {
            match self.store.commit(forgotten).await {
                Ok(()) => {}
                Err(CommitError::Changed(_)) => return Ok(()),
                Err(CommitError::Storage(error)) => return Err(error),
            }
        }
        self.report.history += count;
        let reason = "the tag was deleted long ago";
        self.report.note("history", Some(repository), tag, reason);
        Ok(())
    }
}

async fn moves(
    store: &Store,
    repository: &RepositoryName,
    tag: &Tag,
) -> Result<Vec<Key>, StorageError> {
    // One more may be there than is remembered, while another process writes.
    let limit = usize::try_from(MOVES).unwrap_or(usize::MAX) + 1;
    let prefix = Prefix::history(repository, tag);
    let found = store.records.list(&prefix, None, limit).await?;
    Ok(found.into_iter().map(|(key, _)| key).collect())
}
