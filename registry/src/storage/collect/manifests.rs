//! Manifests that nothing leads to: referrers without a subject, and untagged ones.

use wasmport_artifact::{Digest, RepositoryName};

use super::{Run, STEP};
use crate::storage::digest_set::DigestSet;
use crate::storage::error::StorageError;
use crate::storage::grants::blobs;
use crate::storage::keys::{Key, Kind, Named, Prefix};
use crate::storage::leases::{Claims, unhindered};
use crate::storage::manifests::{received, split};
use crate::storage::records::{Batch, CommitError};
use crate::storage::store::{Store, decode};
use crate::storage::tags::PointsTo;
use crate::storage::walk::{LARGE, SMALL, Walk};

/// How many manifests are remembered whose referrers have to go, too. Those of the others go
/// in the next run, which finds them without their subject.
const CASCADE: usize = 10_000;

/// What must stay in a repository, as far as the collector is concerned.
pub(super) struct Kept {
    pub(super) repository: RepositoryName,
    digests: DigestSet,
}

impl Kept {
    pub(super) fn contains(&self, digest: &Digest) -> bool {
        self.digests.contains(digest)
    }
}

impl Run<'_> {
    /// One repository after the other.
    pub(super) async fn manifests(&mut self) -> Result<(), StorageError> {
        let records = &*self.store.records;
        let mut walk = Walk::new(records, Prefix::all(Kind::Manifests), 1);
        while let Some((key, _)) = walk.next().await? {
            let Some(Named::Manifest(repository, _)) = key.named() else {
                continue;
            };
            walk.skip_to(Prefix::manifests(&repository).end());
            self.repository(repository).await?;
        }
        Ok(())
    }

    async fn repository(&mut self, repository: RepositoryName) -> Result<(), StorageError> {
        let mut kept = Kept {
            repository,
            digests: DigestSet::new(self.salt()),
        };
        let orphaned_tags = self.keep_tagged(&mut kept).await?;
        self.keep_held(&mut kept).await?;
        self.keep_listed(&mut kept).await?;
        if orphaned_tags > 0 {
            self.orphaned_tags(&kept).await?;
        }
        self.orphaned_referrers(&kept).await?;
        self.untagged(&kept).await
    }

    /// What a tag points to stays, unless the tag is only about something that is gone. Says
    /// how many of those there are.
    async fn keep_tagged(&mut self, kept: &mut Kept) -> Result<u64, StorageError> {
        let mut orphaned = 0;
        let prefix = Prefix::tags(&kept.repository);
        let mut tags = Walk::new(&*self.store.records, prefix, SMALL);
        while let Some((key, record)) = tags.next().await? {
            self.report.examined += 1;
            if self.is_orphaned_tag(&key, &record).await? {
                orphaned += 1;
            } else if let Ok(pointer) = decode::<PointsTo>(&key, &record) {
                kept.digests.insert(&pointer.digest);
            }
        }
        Ok(orphaned)
    }

    async fn keep_held(&mut self, kept: &mut Kept) -> Result<(), StorageError> {
        let prefix = Prefix::pending(&kept.repository);
        let mut wishes = Walk::new(&*self.store.records, prefix, SMALL);
        while let Some((key, record)) = wishes.next().await? {
            if let Ok(wish) = decode::<PointsTo>(&key, &record) {
                kept.digests.insert(&wish.digest);
            }
        }
        Ok(())
    }

    /// What an index lists stays as long as the index does.
    async fn keep_listed(&mut self, kept: &mut Kept) -> Result<(), StorageError> {
        let prefix = Prefix::manifests(&kept.repository);
        let mut manifests = Walk::new(&*self.store.records, prefix, LARGE);
        while let Some((key, record)) = manifests.next().await? {
            self.report.examined += 1;
            if let Some(Ok(manifest)) = split(&key, &record).ok().map(|stored| stored.parse()) {
                for child in manifest.manifests() {
                    kept.digests.insert(&child.digest);
                }
            }
        }
        Ok(())
    }

    async fn orphaned_referrers(&mut self, kept: &Kept) -> Result<(), StorageError> {
        let records = &*self.store.records;
        let prefix = Prefix::within(Kind::Referrers, &kept.repository);
        let mut referrers = Walk::new(records, prefix, SMALL);
        let mut subject_is_there: Option<(Digest, bool)> = None;
        let mut candidates = Vec::new();
        while let Some((key, _)) = referrers.next().await? {
            self.report.examined += 1;
            let Some(Named::Referrer(repository, subject, digest)) = key.named() else {
                continue;
            };
            // Those of one subject stand together.
            let is_there = match subject_is_there.take() {
                Some((known, is_there)) if known == subject => is_there,
                _ => self.has_manifest(&repository, &subject).await?,
            };
            subject_is_there = Some((subject, is_there));
            if !is_there && self.may_go(kept, &digest).await? {
                candidates.push(digest);
            }
            if candidates.len() >= STEP {
                let orphans = std::mem::take(&mut candidates);
                self.remove_manifests(kept, orphans, "its subject is not there")
                    .await?;
            }
        }
        self.remove_manifests(kept, candidates, "its subject is not there")
            .await
    }

    async fn untagged(&mut self, kept: &Kept) -> Result<(), StorageError> {
        let Some(age) = self.options.untagged_after else {
            return Ok(());
        };
        let prefix = Prefix::manifests(&kept.repository);
        let mut manifests = Walk::new(&*self.store.records, prefix, LARGE);
        let mut candidates = Vec::new();
        while let Some((key, record)) = manifests.next().await? {
            let Some(Named::Manifest(_, digest)) = key.named() else {
                continue;
            };
            // What is about something else lives and goes with that.
            let has_subject = || {
                let manifest = split(&key, &record).ok().map(|stored| stored.parse());
                manifest.is_none_or(|parsed| parsed.is_ok_and(|parsed| parsed.subject().is_some()))
            };
            let is_old =
                received(&record).is_some_and(|at| self.is_old(at) && self.is_older(at, age));
            let stays = !is_old || kept.contains(&digest) || self.is_renewed(&digest);
            if !stays && !has_subject() {
                candidates.push(digest);
            }
            if candidates.len() >= STEP {
                let untagged = std::mem::take(&mut candidates);
                self.remove_manifests(kept, untagged, "it has no tag")
                    .await?;
            }
        }
        self.remove_manifests(kept, candidates, "it has no tag")
            .await
    }

    /// Whether a manifest can go that has lost what it was about.
    pub(super) async fn may_go(&self, kept: &Kept, digest: &Digest) -> Result<bool, StorageError> {
        if kept.contains(digest) || self.is_renewed(digest) {
            return Ok(false);
        }
        let key = Key::manifest(&kept.repository, digest);
        let record = self.store.records.get(&key).await?;
        let received = record.as_ref().and_then(received);
        Ok(received.is_some_and(|received| self.is_old(received)))
    }

    pub(super) async fn has_manifest(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<bool, StorageError> {
        if self.doomed.contains("manifest", repository, digest) {
            return Ok(false);
        }
        let key = Key::manifest(repository, digest);
        Ok(self.store.records.get(&key).await?.is_some())
    }

    /// Removes manifests, and then those that are about them.
    pub(super) async fn remove_manifests(
        &mut self,
        kept: &Kept,
        candidates: Vec<Digest>,
        reason: &str,
    ) -> Result<(), StorageError> {
        let mut gone = self.remove_some(kept, candidates, reason).await?;
        while let Some(subject) = gone.pop() {
            let prefix = Prefix::referrers(&kept.repository, &subject);
            let mut referrers = Walk::new(&*self.store.records, prefix, STEP);
            let mut about = Vec::new();
            while let Some((key, _)) = referrers.next().await? {
                if let Some(digest) = key.as_digest()
                    && self.may_go(kept, &digest).await?
                {
                    about.push(digest);
                }
                if about.len() >= STEP {
                    let some = std::mem::take(&mut about);
                    gone.extend(self.remove_some(kept, some, "its subject went").await?);
                }
            }
            gone.extend(self.remove_some(kept, about, "its subject went").await?);
            gone.truncate(CASCADE);
        }
        Ok(())
    }

    async fn remove_some(
        &mut self,
        kept: &Kept,
        mut candidates: Vec<Digest>,
        reason: &str,
    ) -> Result<Vec<Digest>, StorageError> {
        let repository = &kept.repository;
        candidates.retain(|digest| !self.doomed.contains("manifest", repository, digest));
        let found = candidates.len();
        let removed = if self.options.dry_run {
            candidates
        } else {
            let (store, repository) = (self.store.clone(), repository.clone());
            unhindered(async move { remove_unused(&store, &repository, candidates).await }).await?
        };
        self.report.in_use += (found - removed.len()) as u64;
        self.report.manifests += removed.len() as u64;
        for digest in &removed {
            if self.options.dry_run {
                self.doomed.insert("manifest", repository, digest);
            }
            self.report
                .note_digest("manifest", repository, digest, reason);
        }
        Ok(removed)
    }
}

/// Removes those that no push relied on since the run began. Under the claim none can.
async fn remove_unused(
    store: &Store,
    repository: &RepositoryName,
    candidates: Vec<Digest>,
) -> Result<Vec<Digest>, StorageError> {
    let mut claims = Claims::default();
    let mut batch = Batch::new();
    let mut removed = Vec::new();
    for digest in candidates {
        if !store.leases.try_claim(&mut claims, &digest) || store.leases.used_since_begin(&digest) {
            continue;
        }
        let key = Key::manifest(repository, &digest);
        let Some(record) = store.records.get(&key).await? else {
            continue;
        };
        let Some(Ok(manifest)) = split(&key, &record).ok().map(|stored| stored.parse()) else {
            continue;
        };
        if let Some(subject) = manifest.subject() {
            let subject = &subject.digest;
            // Somebody may be pushing the subject, and be judged by what is about it.
            if !store.leases.try_claim(&mut claims, subject)
                || store.leases.used_since_begin(subject)
            {
                continue;
            }
            batch = batch.delete(Key::referrer(repository, subject, &digest));
        }
        batch = batch.delete(key).delete(Key::decision(repository, &digest));
        for blob in blobs(&manifest) {
            batch = batch.delete(Key::user(repository, &blob.digest, &digest));
        }
        removed.push(digest);
    }
    if removed.is_empty() {
        return Ok(removed);
    }
    match store.commit(batch).await {
        Ok(()) => {
            store.quotas.forget(repository);
            Ok(removed)
        }
        Err(CommitError::Changed(_)) => Ok(Vec::new()),
        Err(CommitError::Storage(error)) => Err(error),
    }
}
