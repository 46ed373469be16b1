//! Manifests, stored and served exactly as they were received.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use wasmport_artifact::{Digest, Manifest, ManifestError, RepositoryName};

use super::error::StorageError;
use super::facts::with_facts;
use super::grants::{blobs, may_be_left_out};
use super::keys::{Key, Prefix};
use super::leases::Lease;
use super::quota::{Reservation, Usage};
use super::records::{Batch, CommitError, Record};
use super::referrers::referrer;
use super::store::{ATTEMPTS, Store, encode, now, unreadable};
use super::tags::TagError;
use crate::admission::{AdmittedManifest, HeldManifest, Judged};

/// A manifest out of the store.
#[derive(Clone, Debug)]
pub(crate) struct StoredManifest {
    pub(crate) media_type: String,
    pub(crate) bytes: Bytes,
}

/// Why a manifest was not stored.
#[derive(Debug, Error)]
pub(crate) enum PutManifestError {
    /// A blob that it names was not uploaded to this repository.
    #[error("the manifest names the blob `{0}`, which is not in this repository")]
    UnknownBlob(Digest),
    /// A blob has another size than the manifest says.
    #[error("the manifest says that the blob `{digest}` has {expected} bytes, but it has {got}")]
    BlobSize {
        digest: Digest,
        expected: u64,
        got: u64,
    },
    /// The same bytes were stored as something else, and a tag may point to them.
    #[error("the manifest is in this repository already, with the media type `{known}`")]
    MediaType { known: String },
    /// Other requests changed the same records again and again.
    #[error("too many requests push to `{0}` at once")]
    Contended(RepositoryName),
    /// A tag may not be moved.
    #[error(transparent)]
    Tag(#[from] TagError),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// What is done about the tags of a manifest.
#[derive(Clone, Copy)]
enum Point {
    /// They move.
    Tags,
    /// They shall move when the manifest is admitted.
    Wishes,
}

/// What stands before the bytes in a manifest's record, on a line of its own.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    media_type: String,
    received: u64,
}

impl Store {
    /// Stores a manifest and moves its tags, if it was pushed with any.
    pub(crate) async fn put_manifest(
        &self,
        admitted: &AdmittedManifest,
    ) -> Result<(), PutManifestError> {
        self.put(admitted.judged(), Point::Tags).await
    }

    /// Stores a manifest and leaves its tags where they are. The wish for them is recorded.
    pub(crate) async fn hold_manifest(&self, held: &HeldManifest) -> Result<(), PutManifestError> {
        self.put(held.judged(), Point::Wishes).await
    }

    /// A manifest, whether or not anyone may have it.
    pub(crate) async fn manifest(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Option<StoredManifest>, StorageError> {
        let key = Key::manifest(repository, digest);
        let record = self.records.get(&key).await?;
        record.map(|record| split(&key, &record)).transpose()
    }

    /// The digests of at most `limit` manifests, those after `after`.
    pub(crate) async fn manifests_after(
        &self,
        repository: &RepositoryName,
        after: Option<&Digest>,
        limit: usize,
    ) -> Result<Vec<Digest>, StorageError> {
        let after = after.map(|digest| Key::manifest(repository, digest));
        let prefix = Prefix::manifests(repository);
        let page = self.records.list(&prefix, after.as_ref(), limit).await?;
        let digests = page.iter().filter_map(|(key, _)| key.as_digest());
        Ok(digests.collect())
    }

    /// Checks the blobs of `manifest` that are in `repository`, and gives those that are not.
    pub(crate) async fn check_blobs(
        &self,
        repository: &RepositoryName,
        manifest: &Manifest,
    ) -> Result<Vec<Digest>, PutManifestError> {
        let mut missing = Vec::new();
        for blob in blobs(manifest) {
            let Some(grant) = self.read_grant(repository, &blob.digest).await? else {
                if !may_be_left_out(blob) {
                    missing.push(blob.digest.clone());
                }
                continue;
            };
            if grant.size != blob.size {
                return Err(PutManifestError::BlobSize {
                    digest: blob.digest.clone(),
                    expected: blob.size,
                    got: grant.size,
                });
            }
        }
        Ok(missing)
    }

    /// A lease on everything that a manifest relies on: its blobs, what it lists, what it is
    /// about, and itself.
    async fn lease(&self, judged: &Judged) -> Lease {
        let manifest = judged.manifest();
        let about = manifest.subject().into_iter();
        let named = blobs(manifest)
            .into_iter()
            .chain(manifest.manifests())
            .chain(about);
        let digests = named.map(|descriptor| &descriptor.digest);
        self.leases.share(digests.chain([judged.digest()])).await
    }

    /// Writes everything about a manifest in one batch, and what `point` adds to it. What is
    /// pointed at comes first.
    async fn put(&self, judged: &Judged, point: Point) -> Result<(), PutManifestError> {
        let (repository, digest) = (judged.repository(), judged.digest());
        let _lease = self.lease(judged).await;
        // What was there when it was judged must still be there.
        let missing = self.check_blobs(repository, judged.manifest()).await?;
        if let Some(missing) = missing.into_iter().find(|_| !judged.is_sparse()) {
            return Err(PutManifestError::UnknownBlob(missing));
        }
        let room = self.room_for(judged).await?;
        for _ in 0..ATTEMPTS {
            let mut batch = Batch::new();
            for blob in blobs(judged.manifest()) {
                batch = batch.put(Key::user(repository, &blob.digest, digest), Bytes::new());
            }
            if judged.is_whole() {
                batch = with_facts(batch, digest, judged.manifest(), judged.content());
            }
            batch = self.write_down(batch, judged).await?;
            batch = batch.put(Key::manifest(repository, digest), join(judged.manifest()));
            if let Some(subject) = judged.manifest().subject() {
                let key = Key::referrer(repository, &subject.digest, digest);
                batch = batch.put(key, encode(&referrer(judged)));
            }
            let batch = self.point_tags(batch, judged, point).await?;
            match self.commit(batch).await {
                Ok(()) => {
                    room.used();
                    return Ok(());
                }
                Err(CommitError::Changed(_)) => {}
                Err(CommitError::Storage(error)) => return Err(error.into()),
            }
        }
        Err(PutManifestError::Contended(repository.clone()))
    }

    /// Room for a manifest in the quota of its repository, unless it is there already.
    async fn room_for(&self, judged: &Judged) -> Result<Reservation, PutManifestError> {
        let key = Key::manifest(judged.repository(), judged.digest());
        let asked = match self.records.get(&key).await? {
            Some(record) => {
                let known = split(&key, &record)?.media_type;
                if known != judged.manifest().media_type() {
                    return Err(PutManifestError::MediaType { known });
                }
                Usage::default()
            }
            None => Usage {
                bytes: judged.manifest().bytes().len() as u64,
                artifacts: 1,
            },
        };
        Ok(self.reserve(judged.repository(), asked).await?)
    }

    /// Adds to `batch` what becomes of the tags. The terms of a wish are checked now, so that who
    /// pushes hears of it, and again when the tag moves.
    async fn point_tags(
        &self,
        mut batch: Batch,
        judged: &Judged,
        point: Point,
    ) -> Result<Batch, PutManifestError> {
        let (repository, digest) = (judged.repository(), judged.digest());
        for terms in judged.tags() {
            let wish = Key::pending(repository, &terms.tag);
            batch = match point {
                Point::Tags => {
                    let batch = self.point(batch, judged, terms).await?;
                    batch.delete(wish)
                }
                Point::Wishes => {
                    self.check_terms(repository, terms, digest).await?;
                    batch.put(wish, super::pending::wish_of(judged))
                }
            };
        }
        Ok(batch)
    }
}

impl StoredManifest {
    /// Reads it. It was read before it was stored, so that an error means a broken store.
    pub(crate) fn parse(&self) -> Result<Manifest, ManifestError> {
        Manifest::parse_unlimited(self.bytes.to_vec(), &self.media_type)
    }
}

fn join(manifest: &Manifest) -> Bytes {
    let head = Head {
        media_type: manifest.media_type().to_owned(),
        received: now(),
    };
    let mut record = encode(&head);
    record.push(b'\n');
    record.extend_from_slice(manifest.bytes());
    record.into()
}

/// When a manifest was received, in seconds since 1970.
pub(super) fn received(record: &Record) -> Option<u64> {
    let head = record.value.split(|byte| *byte == b'\n').next()?;
    let head: Head = serde_json::from_slice(head).ok()?;
    Some(head.received)
}

pub(super) fn split(key: &Key, record: &Record) -> Result<StoredManifest, StorageError> {
    let newline = record.value.iter().position(|byte| *byte == b'\n');
    let newline = newline.ok_or_else(|| unreadable(key, "it has no head".into()))?;
    let head = record.value.slice(..newline);
    let head: Head =
        serde_json::from_slice(&head).map_err(|error| unreadable(key, error.into()))?;
    Ok(StoredManifest {
        media_type: head.media_type,
        bytes: record.value.slice(newline + 1..),
    })
}
