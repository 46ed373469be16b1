//! Wishes of held manifests for a tag. A tag has at most one: the newest push has it.

use serde::{Deserialize, Serialize};
use wasmport_artifact::{Digest, RepositoryName, Tag};

use super::error::StorageError;
use super::keys::{Key, Prefix};
use super::records::{Batch, CommitError, Record, Version};
use super::store::{PAGE, Store, decode, encode, now};
use crate::admission::{AdmittedManifest, Judged};

/// A held manifest that shall have a tag.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) repository: RepositoryName,
    pub(crate) tag: Tag,
    pub(crate) digest: Digest,
    version: Version,
}

#[derive(Serialize, Deserialize)]
struct Wish {
    digest: Digest,
    since: u64,
}

impl Store {
    /// All wishes in a repository.
    pub(crate) async fn pending(
        &self,
        repository: &RepositoryName,
    ) -> Result<Vec<Pending>, StorageError> {
        self.wishes(&Prefix::pending(repository)).await
    }

    /// All wishes.
    pub(crate) async fn all_pending(&self) -> Result<Vec<Pending>, StorageError> {
        self.wishes(&Prefix::all_pending()).await
    }

    /// Fulfils a wish, unless a newer push took it over in the meantime. True when it did.
    pub(crate) async fn fulfil(
        &self,
        pending: &Pending,
        admitted: &AdmittedManifest,
    ) -> Result<bool, StorageError> {
        let _lease = self.leases.share([&pending.digest]).await;
        let tag = Key::tag(&pending.repository, &pending.tag);
        let wish = Key::pending(&pending.repository, &pending.tag);
        let batch = Batch::new()
            .put(tag, super::tags::pointing_at(admitted.judged()))
            .delete_if_unchanged(wish, pending.version.clone());
        match self.commit(batch).await {
            Ok(()) => Ok(true),
            Err(CommitError::Changed(_)) => Ok(false),
            Err(CommitError::Storage(error)) => Err(error),
        }
    }

    async fn wishes(&self, prefix: &Prefix) -> Result<Vec<Pending>, StorageError> {
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let page = self.records.list(prefix, after.as_ref(), PAGE).await?;
            let Some((last, _)) = page.last() else {
                return Ok(found);
            };
            after = Some(last.clone());
            for (key, record) in &page {
                found.extend(read(key, record)?);
            }
        }
    }
}

pub(super) fn wish_of(judged: &Judged) -> Vec<u8> {
    encode(&Wish {
        digest: judged.digest().clone(),
        since: now(),
    })
}

fn read(key: &Key, record: &Record) -> Result<Option<Pending>, StorageError> {
    let (Some(repository), Some(tag)) = (key.pending_repository(), key.as_tag()) else {
        return Ok(None);
    };
    let wish: Wish = decode(key, record)?;
    Ok(Some(Pending {
        repository,
        tag,
        digest: wish.digest,
        version: record.version.clone(),
    }))
}
