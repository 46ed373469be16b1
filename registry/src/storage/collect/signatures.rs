//! Tags that clients derive from a digest, whose manifest is gone: cosign's `.sig`, `.att`
//! and `.sbom`, and the referrers fallback.

use wasmport_artifact::{Digest, RepositoryName, Tag};

use super::Run;
use super::manifests::Kept;
use crate::storage::error::StorageError;
use crate::storage::keys::{Key, Named, Prefix};
use crate::storage::leases::{Claims, unhindered};
use crate::storage::records::Record;
use crate::storage::store::{Store, decode};
use crate::storage::tags::{Condition, PointsTo, TagError, TagTerms};
use crate::storage::walk::{LARGE, SMALL, Walk};

impl Run<'_> {
    /// Whether a tag is derived from a manifest that is gone, or did not come within the grace.
    pub(super) async fn is_orphaned_tag(
        &self,
        key: &Key,
        record: &Record,
    ) -> Result<bool, StorageError> {
        let Some(Named::Tag(repository, tag)) = key.named().filter(is_derived) else {
            return Ok(false);
        };
        let Ok(pointer) = decode::<PointsTo>(key, record) else {
            return Ok(false);
        };
        if !self.is_old(pointer.moved) || self.is_renewed(&pointer.digest) {
            return Ok(false);
        }
        let Some(subject) = Prefix::subject_of(&repository, &tag) else {
            return Ok(false);
        };
        let found = self.store.records.list(&subject, None, LARGE).await?;
        let is_there = |named| match named {
            Named::Manifest(at, digest) => !self.doomed.contains("manifest", &at, &digest),
            _ => false,
        };
        Ok(!found
            .iter()
            .filter_map(|(key, _)| key.named())
            .any(is_there))
    }

    /// Removes them, and what only they pointed to.
    pub(super) async fn orphaned_tags(&mut self, kept: &Kept) -> Result<(), StorageError> {
        let store = self.store;
        let prefix = Prefix::tags(&kept.repository);
        let mut tags = Walk::new(&*store.records, prefix, SMALL);
        while let Some((key, record)) = tags.next().await? {
            if !self.is_orphaned_tag(&key, &record).await? {
                continue;
            }
            let (Some(tag), Ok(pointer)) = (key.as_tag(), decode::<PointsTo>(&key, &record)) else {
                continue;
            };
            self.orphaned_tag(kept, tag, pointer.digest).await?;
        }
        Ok(())
    }

    async fn orphaned_tag(
        &mut self,
        kept: &Kept,
        tag: Tag,
        digest: Digest,
    ) -> Result<(), StorageError> {
        if !self.options.dry_run {
            let (store, repository) = (self.store.clone(), kept.repository.clone());
            let (tag, digest) = (tag.clone(), digest.clone());
            let removal = async move { remove_tag(&store, &repository, tag, digest).await };
            if !unhindered(removal).await? {
                self.report.in_use += 1;
                return Ok(());
            }
        }
        self.report.tags += 1;
        let reason = "the manifest that it is named after is not there";
        self.report
            .note("tag", Some(&kept.repository), &tag, reason);
        if self.may_go(kept, &digest).await? {
            self.remove_manifests(
                kept,
                vec![digest],
                "only a tag of something gone pointed to it",
            )
            .await?;
        }
        Ok(())
    }
}

/// Removes a tag, if it still points to `digest` and nobody pushes what it is about. Under
/// the claim nobody can. (Of a sha512 digest the tag does not have enough for a claim.)
async fn remove_tag(
    store: &Store,
    repository: &RepositoryName,
    tag: Tag,
    digest: Digest,
) -> Result<bool, StorageError> {
    let mut claims = Claims::default();
    if let Some(subject) = subject(&tag) {
        let is_ours = store.leases.try_claim(&mut claims, &subject)
            && !store.leases.used_since_begin(&subject);
        if !is_ours {
            return Ok(false);
        }
    }
    let terms = TagTerms {
        tag,
        condition: Condition::PointsTo(vec![digest]),
        immutable: false,
    };
    match store.delete_tag(repository, &terms).await {
        Ok(removed) => Ok(removed),
        Err(TagError::Storage(error)) => Err(error),
        Err(_) => Ok(false),
    }
}

fn subject(tag: &Tag) -> Option<Digest> {
    let stem = tag.as_str().split('.').next()?;
    stem.replacen('-', ":", 1).parse().ok()
}

fn is_derived(named: &Named) -> bool {
    matches!(named, Named::Tag(_, tag) if tag.is_derived())
}
