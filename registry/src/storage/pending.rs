//! Wishes of held manifests for a tag. A tag has at most one: the newest push has it.

use serde::{Deserialize, Serialize};
use wasmport_artifact::{Digest, RepositoryName, Tag};

use super::decisions::Compared;
use super::error::StorageError;
use super::keys::{Key, Prefix};
use super::records::{Batch, CommitError, Record, Version};
use super::store::{ATTEMPTS, PAGE, Store, decode, encode, now};
use super::tags::TagError;
use crate::admission::{AdmittedManifest, Judged};

/// A held manifest that shall have a tag.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) repository: RepositoryName,
    pub(crate) tag: Tag,
    pub(crate) digest: Digest,
    /// What it was compared with when it was pushed, under all of its tags. What an older
    /// version wrote does not say.
    pub(crate) compared: Option<Compared>,
    version: Version,
}

/// The wishes that there are.
#[derive(Debug, Default)]
pub(crate) struct Wishes {
    pub(crate) pending: Vec<Pending>,
    /// Why others could not be read. They keep nobody from going on with the readable ones.
    pub(crate) unreadable: Vec<StorageError>,
}

#[derive(Serialize, Deserialize)]
struct Wish {
    digest: Digest,
    since: u64,
    #[serde(default)]
    compared: Option<Compared>,
}

impl Store {
    /// All wishes in a repository.
    pub(crate) async fn pending(
        &self,
        repository: &RepositoryName,
    ) -> Result<Wishes, StorageError> {
        self.wishes(&Prefix::pending(repository)).await
    }

    /// The held manifest that shall have this tag, if there is one.
    pub(crate) async fn waits_for(
        &self,
        repository: &RepositoryName,
        tag: &Tag,
    ) -> Result<Option<Digest>, StorageError> {
        let key = Key::pending(repository, tag);
        let record = self.records.get(&key).await?;
        let wish = record.map(|record| read(&key, &record)).transpose()?;
        Ok(wish.flatten().map(|pending| pending.digest))
    }

    /// All wishes.
    pub(crate) async fn all_pending(&self) -> Result<Wishes, StorageError> {
        self.wishes(&Prefix::all_pending()).await
    }

    /// Fulfils a wish, unless a newer push took it over, or the manifest was deleted, in the
    /// meantime. True when it did.
    pub(crate) async fn fulfil(
        &self,
        pending: &Pending,
        admitted: &AdmittedManifest,
    ) -> Result<bool, TagError> {
        let (repository, digest) = (&pending.repository, &pending.digest);
        let _lease = self.leases.share([digest]).await;
        let manifest = Key::manifest(repository, digest);
        let wish = Key::pending(repository, &pending.tag);
        for _ in 0..ATTEMPTS {
            // Who deletes a manifest claims it, and so it stays while it is leased.
            if self.records.get(&manifest).await?.is_none() {
                return Ok(false);
            }
            let mut batch = Batch::new();
            for terms in admitted.judged().tags() {
                batch = self.point(batch, admitted.judged(), terms).await?;
            }
            batch = self.write_down(batch, admitted.judged()).await?;
            batch = batch.delete_if_unchanged(wish.clone(), pending.version.clone());
            match self.commit(batch).await {
                Ok(()) => return Ok(true),
                Err(CommitError::Changed(key)) if key == wish => return Ok(false),
                Err(CommitError::Changed(_)) => {}
                Err(CommitError::Storage(error)) => return Err(error.into()),
            }
        }
        Err(TagError::Contended(pending.tag.clone()))
    }

    /// Gives a wish up that cannot be fulfilled, unless a newer push took it over.
    pub(crate) async fn give_up(&self, pending: &Pending) -> Result<(), StorageError> {
        let wish = Key::pending(&pending.repository, &pending.tag);
        let batch = Batch::new().delete_if_unchanged(wish, pending.version.clone());
        match self.commit(batch).await {
            Ok(()) | Err(CommitError::Changed(_)) => Ok(()),
            Err(CommitError::Storage(error)) => Err(error),
        }
    }

    /// Adds to `batch` that a manifest wishes for no tag any more. The batch fails when one of
    /// its wishes changes in the meantime.
    pub(super) async fn remove_wishes_of(
        &self,
        mut batch: Batch,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Batch, StorageError> {
        for pending in self.pending(repository).await?.pending {
            if pending.digest == *digest {
                let key = Key::pending(repository, &pending.tag);
                batch = batch.delete_if_unchanged(key, pending.version);
            }
        }
        Ok(batch)
    }

    async fn wishes(&self, prefix: &Prefix) -> Result<Wishes, StorageError> {
        let mut found = Wishes::default();
        let mut after = None;
        loop {
            let page = self.records.list(prefix, after.as_ref(), PAGE).await?;
            let Some((last, _)) = page.last() else {
                return Ok(found);
            };
            after = Some(last.clone());
            for (key, record) in &page {
                match read(key, record) {
                    Ok(pending) => found.pending.extend(pending),
                    Err(error) => found.unreadable.push(error),
                }
            }
        }
    }
}

pub(super) fn wish_of(judged: &Judged) -> Vec<u8> {
    encode(&Wish {
        digest: judged.digest().clone(),
        since: now(),
        compared: Some(judged.compared()),
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
        compared: wish.compared,
        version: record.version.clone(),
    }))
}
