//! Tags: names that point to manifests, and move.
//!
//! A tag moves by compare-and-swap only: its terms are checked against the record that the
//! batch then expects to be unchanged, and each move has the next turn in its history.

use serde::{Deserialize, Serialize};
use thiserror::Error;
use wasmport_artifact::{Digest, RepositoryName, Tag};

use super::decisions::Compared;
use super::error::StorageError;
use super::history::{Event, recorded};
use super::keys::{Key, Prefix};
use super::records::{Batch, CommitError, Version};
use super::store::{ATTEMPTS, Store, decode, encode, now};
use crate::admission::Judged;

/// Where a tag points. The digest is kept as it was used, so that what was pushed by a
/// sha512 digest answers with it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Pointer {
    digest: Digest,
    moved: u64,
    /// How many moves there were.
    #[serde(default)]
    turn: u64,
    /// Which versions the manifest was compared with, to have this tag.
    #[serde(default, skip_serializing_if = "Compared::is_empty")]
    compared: Compared,
}

/// A tag, and on what terms it may move or go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TagTerms {
    pub(crate) tag: Tag,
    pub(crate) condition: Condition,
    /// Once it points somewhere it stays.
    pub(crate) immutable: bool,
}

/// What the sender of a request wants to be true of a tag before it is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// Nothing.
    Anything,
    /// The tag exists.
    Exists,
    /// The tag does not exist.
    Absent,
    /// The tag points to one of these.
    PointsTo(Vec<Digest>),
    /// The tag points to none of these, or does not exist.
    PointsElsewhere(Vec<Digest>),
}

/// Why a tag was not changed.
#[derive(Debug, Error)]
pub(crate) enum TagError {
    /// The condition of the request is not met.
    #[error("the tag `{tag}` points to {}, which the request's condition excludes", place(.current.as_ref()))]
    Condition { tag: Tag, current: Option<Digest> },
    /// The tag is there and may not be moved.
    #[error("the tag `{tag}` points to `{current}` and is immutable")]
    Immutable { tag: Tag, current: Digest },
    /// Other requests changed the tag again and again.
    #[error("too many requests change the tag `{0}` at once")]
    Contended(Tag),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl TagTerms {
    /// Checks the terms of pointing the tag from `current` to `next`, or of deleting it.
    pub(super) fn check(
        &self,
        current: Option<&Digest>,
        next: Option<&Digest>,
    ) -> Result<(), TagError> {
        if !self.condition.is_met_by(current) {
            return Err(TagError::Condition {
                tag: self.tag.clone(),
                current: current.cloned(),
            });
        }
        match current {
            Some(current) if self.immutable && Some(current) != next => Err(TagError::Immutable {
                tag: self.tag.clone(),
                current: current.clone(),
            }),
            _ => Ok(()),
        }
    }
}

impl Condition {
    fn is_met_by(&self, current: Option<&Digest>) -> bool {
        match self {
            Self::Anything => true,
            Self::Exists => current.is_some(),
            Self::Absent => current.is_none(),
            Self::PointsTo(digests) => current.is_some_and(|digest| digests.contains(digest)),
            Self::PointsElsewhere(digests) => {
                current.is_none_or(|digest| !digests.contains(digest))
            }
        }
    }
}

/// What the collector needs to know of a tag, and of the wish for one.
#[derive(Deserialize)]
pub(super) struct PointsTo {
    pub(super) digest: Digest,
    /// When it came to point there, in seconds since 1970.
    #[serde(alias = "since")]
    pub(super) moved: u64,
}

impl Store {
    /// The manifest that a tag points to.
    pub(crate) async fn tag(
        &self,
        repository: &RepositoryName,
        tag: &Tag,
    ) -> Result<Option<Digest>, StorageError> {
        let found = self.pointer(repository, tag).await?;
        Ok(found.map(|(pointer, _)| pointer.digest))
    }

    /// The same, and what it was compared with to have the tag.
    pub(crate) async fn compared_tag(
        &self,
        repository: &RepositoryName,
        tag: &Tag,
    ) -> Result<Option<(Digest, Compared)>, StorageError> {
        let found = self.pointer(repository, tag).await?;
        Ok(found.map(|(pointer, _)| (pointer.digest, pointer.compared)))
    }

    /// At most `limit` tags in the order of their bytes, those strictly after `last`.
    pub(crate) async fn tags(
        &self,
        repository: &RepositoryName,
        last: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Tag>, StorageError> {
        let after = last.map(|last| Key::tag_position(repository, last));
        let prefix = Prefix::tags(repository);
        let found = self.records.list(&prefix, after.as_ref(), limit).await?;
        Ok(found.iter().filter_map(|(key, _)| key.as_tag()).collect())
    }

    /// Takes a tag away, and the wish of a held manifest for it. False when there is neither.
    pub(crate) async fn delete_tag(
        &self,
        repository: &RepositoryName,
        terms: &TagTerms,
    ) -> Result<bool, TagError> {
        let wish = Key::pending(repository, &terms.tag);
        for _ in 0..ATTEMPTS {
            let found = self.pointer(repository, &terms.tag).await?;
            terms.check(found.as_ref().map(|(pointer, _)| &pointer.digest), None)?;
            if found.is_none() && self.records.get(&wish).await?.is_none() {
                return Ok(false);
            }
            let batch = match found {
                Some((pointer, version)) => {
                    removed(Batch::new(), repository, &terms.tag, &pointer, version)
                }
                None => Batch::new(),
            };
            match self.commit(batch.delete(wish.clone())).await {
                Ok(()) => return Ok(true),
                Err(CommitError::Changed(_)) => {}
                Err(CommitError::Storage(error)) => return Err(error.into()),
            }
        }
        Err(TagError::Contended(terms.tag.clone()))
    }

    /// Checks that a tag may be pointed to `digest`, without doing so.
    pub(super) async fn check_terms(
        &self,
        repository: &RepositoryName,
        terms: &TagTerms,
        digest: &Digest,
    ) -> Result<(), TagError> {
        let current = self.tag(repository, &terms.tag).await?;
        terms.check(current.as_ref(), Some(digest))
    }

    /// Adds to `batch` that the tag points to what was judged. The batch fails when the tag
    /// changes in the meantime.
    pub(super) async fn point(
        &self,
        batch: Batch,
        judged: &Judged,
        terms: &TagTerms,
    ) -> Result<Batch, TagError> {
        let (repository, digest) = (judged.repository(), judged.digest());
        let next = |turn| Pointer {
            digest: digest.clone(),
            moved: now(),
            turn,
            compared: judged.compared_for(&terms.tag),
        };
        let key = Key::tag(repository, &terms.tag);
        let Some((current, version)) = self.pointer(repository, &terms.tag).await? else {
            terms.check(None, Some(digest))?;
            let turn = self.last_turn(repository, &terms.tag).await? + 1;
            let batch = batch.put_if_absent(key, encode(&next(turn)));
            let event = Event::moved_to(digest);
            return Ok(recorded(batch, repository, &terms.tag, turn, &event));
        };
        terms.check(Some(&current.digest), Some(digest))?;
        if current.digest == *digest {
            // Nothing moves, but it must still be there when the batch is applied.
            return Ok(batch.put_if_unchanged(key, version, encode(&current)));
        }
        let turn = current.turn + 1;
        let batch = batch.put_if_unchanged(key, version, encode(&next(turn)));
        let event = Event::moved_to(digest);
        Ok(recorded(batch, repository, &terms.tag, turn, &event))
    }

    /// Adds to `batch` that every tag which points to `digest` goes. The batch fails when one
    /// of them changes in the meantime.
    pub(super) async fn remove_tags_of(
        &self,
        mut batch: Batch,
        repository: &RepositoryName,
        digest: &Digest,
        terms: impl Fn(Tag) -> TagTerms,
    ) -> Result<Batch, TagError> {
        let prefix = Prefix::tags(repository);
        let mut after = None;
        loop {
            let page = self.records.list(&prefix, after.as_ref(), TAGS).await?;
            let Some((last, _)) = page.last() else {
                return Ok(batch);
            };
            after = Some(last.clone());
            for (key, record) in &page {
                let pointer: Pointer = decode(key, record)?;
                let Some(tag) = key.as_tag().filter(|_| pointer.digest == *digest) else {
                    continue;
                };
                terms(tag.clone()).check(Some(digest), None)?;
                batch = removed(batch, repository, &tag, &pointer, record.version.clone());
            }
        }
    }

    async fn pointer(
        &self,
        repository: &RepositoryName,
        tag: &Tag,
    ) -> Result<Option<(Pointer, Version)>, StorageError> {
        let key = Key::tag(repository, tag);
        let Some(record) = self.records.get(&key).await? else {
            return Ok(None);
        };
        Ok(Some((decode(&key, &record)?, record.version)))
    }
}

/// How many tags are read at a time when all of a repository are looked through.
const TAGS: usize = 1000;

fn removed(
    batch: Batch,
    repository: &RepositoryName,
    tag: &Tag,
    pointer: &Pointer,
    version: Version,
) -> Batch {
    let batch = batch.delete_if_unchanged(Key::tag(repository, tag), version);
    let event = Event::deleted(&pointer.digest);
    recorded(batch, repository, tag, pointer.turn + 1, &event)
}

fn place(current: Option<&Digest>) -> String {
    current.map_or("nothing".to_owned(), |digest| format!("`{digest}`"))
}
