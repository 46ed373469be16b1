//! The one way for bytes into the store: a writer that hashes what it writes.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use thiserror::Error;
use wasmport_artifact::{Algorithm, Digest, DigestError, Hasher};

use super::blobs::{Blobs, Stage};
use super::error::StorageError;

/// Largest blob that becomes a record unless it is set otherwise, in bytes. Up to here a commit
/// that carries the bytes is far faster than a file with two more syncs; a file is read faster,
/// and the database need not be read in whole for it after a crash.
pub(super) const SMALL_BYTES: usize = 32 * 1024;

/// How much is collected before it goes to the engine, in bytes: the network brings pieces of
/// some kilobytes, and each write costs a change of thread. An upload holds twice this much
/// memory at most, one piece that fills and one that is being written.
const PIECE_BYTES: usize = 256 * 1024;

/// Writes a blob and knows its digest.
///
/// What is small stays in memory until it is complete, and is hashed then. The rest goes to a
/// stage of the engine, and is hashed on its way.
#[derive(Debug)]
pub struct BlobWriter {
    blobs: Arc<dyn Blobs>,
    /// What has not gone to the stage yet.
    buffer: BytesMut,
    staged: Option<Staged>,
    /// What the client said, or sha256, which nearly all digests are. Should it say another
    /// one in the end, the bytes are read once more.
    algorithm: Algorithm,
    /// Up to how many bytes it stays in memory, to become a record.
    small: usize,
    intact: bool,
}

/// Bytes that went to a stage.
#[derive(Debug)]
pub(super) struct Staged {
    pub(super) stage: Box<dyn Stage>,
    pub(super) hasher: Hasher,
    pub(super) size: u64,
}

/// A blob that is stored, and whose bytes were seen to have this digest.
///
/// Only [`BlobWriter`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedBlob {
    digest: Digest,
    size: u64,
}

/// A blob whose bytes were seen to have its digest.
#[derive(Debug)]
pub(super) enum Finished {
    /// It was published.
    Stored(VerifiedBlob),
    /// It is small, and nowhere yet.
    Small(VerifiedBlob, Bytes),
}

/// Why a blob was not stored.
#[derive(Debug, Error)]
pub enum WriteBlobError {
    /// The bytes have another digest.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl BlobWriter {
    /// A writer of a new blob.
    pub fn new(blobs: Arc<dyn Blobs>, algorithm: Algorithm) -> Self {
        Self {
            blobs,
            buffer: BytesMut::new(),
            staged: None,
            algorithm,
            small: SMALL_BYTES,
            intact: true,
        }
    }

    /// Goes on where another one was.
    pub(super) fn resume(mut self, staged: Option<Staged>, small: &[u8]) -> Self {
        self.buffer.extend_from_slice(small);
        self.staged = staged;
        self
    }

    /// Makes a record of what has at most so many bytes. More than a piece goes to a stage in
    /// any case.
    pub(super) fn small(mut self, bytes: usize) -> Self {
        self.small = bytes;
        self
    }

    /// Expects a digest of `algorithm`, if nothing was hashed yet.
    pub(crate) fn of(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// How many bytes were written.
    pub fn size(&self) -> u64 {
        let staged = self.staged.as_ref().map_or(0, |staged| staged.size);
        staged + self.buffer.len() as u64
    }

    /// False after a write that failed or was given up half way. Such a writer does not
    /// know what is in its stage.
    pub fn is_intact(&self) -> bool {
        self.intact
    }

    /// Adds `bytes` at the end.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), StorageError> {
        if self.buffer.is_empty() && bytes.len() >= PIECE_BYTES {
            return self.append(bytes).await;
        }
        self.buffer.extend_from_slice(&bytes);
        if self.buffer.len() < PIECE_BYTES {
            return Ok(());
        }
        let piece = self.buffer.split().freeze();
        self.append(piece).await
    }

    /// Stores what was written, if its digest is `expected`, as a blob of the engine.
    pub async fn commit(mut self, expected: &Digest) -> Result<VerifiedBlob, WriteBlobError> {
        self.flush().await?;
        if self.staged.is_none() {
            self.append(Bytes::new()).await?;
        }
        self.publish(expected).await
    }

    /// Checks the digest, and stores what was written unless it is small.
    pub(super) async fn finish(mut self, expected: &Digest) -> Result<Finished, WriteBlobError> {
        if self.is_small() {
            expected.check(&self.buffer)?;
            let blob = VerifiedBlob {
                digest: expected.clone(),
                size: self.size(),
            };
            return Ok(Finished::Small(blob, self.buffer.freeze()));
        }
        self.flush().await?;
        self.publish(expected).await.map(Finished::Stored)
    }

    /// Makes what was written survive, and gives back where it is: small bytes, which the
    /// caller keeps, or else a stage.
    pub(super) async fn keep(&mut self) -> Result<Option<Bytes>, StorageError> {
        if self.is_small() {
            return Ok(Some(Bytes::copy_from_slice(&self.buffer)));
        }
        self.flush().await?;
        if let Some(staged) = &mut self.staged {
            staged.stage.sync().await?;
        }
        Ok(None)
    }

    /// What went to a stage.
    pub(super) fn staged(&self) -> Option<&Staged> {
        self.staged.as_ref()
    }

    /// Waits for what is on its way to the disk, whatever comes of it. For a stage that was
    /// resumed: another one is simply dropped.
    pub(crate) async fn settle(&mut self) {
        if let Some(staged) = &mut self.staged {
            let _ = staged.stage.sync().await;
        }
    }

    fn is_small(&self) -> bool {
        self.staged.is_none() && self.buffer.len() <= self.small
    }

    async fn flush(&mut self) -> Result<(), StorageError> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let rest = self.buffer.split().freeze();
        self.append(rest).await
    }

    async fn append(&mut self, bytes: Bytes) -> Result<(), StorageError> {
        self.intact = false;
        let staged = match &mut self.staged {
            Some(staged) => staged,
            none => none.insert(Staged {
                stage: self.blobs.stage().await?,
                hasher: Hasher::new(self.algorithm),
                size: 0,
            }),
        };
        staged.stage.append(bytes.clone()).await?;
        // The engine may still be writing them meanwhile.
        staged.hasher.update(&bytes);
        staged.size += bytes.len() as u64;
        self.intact = true;
        Ok(())
    }

    async fn publish(self, expected: &Digest) -> Result<VerifiedBlob, WriteBlobError> {
        let Some(mut staged) = self.staged else {
            return Err(no_stage().into());
        };
        let found = if expected.algorithm() == staged.hasher.algorithm() {
            staged.hasher.finish()
        } else {
            hash(&mut *staged.stage, expected.algorithm()).await?
        };
        expected.expect(&found)?;
        staged.stage.publish(expected.clone()).await?;
        Ok(VerifiedBlob {
            digest: expected.clone(),
            size: staged.size,
        })
    }
}

impl VerifiedBlob {
    /// The digest of the bytes.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Their number.
    pub fn size(&self) -> u64 {
        self.size
    }
}

async fn hash(stage: &mut dyn Stage, algorithm: Algorithm) -> Result<Digest, StorageError> {
    let mut hasher = Hasher::new(algorithm);
    let mut pieces = stage.read().await?;
    while let Some(piece) = pieces.next().await {
        let read = |error| StorageError::io("read an upload".to_owned(), error);
        hasher.update(&piece.map_err(read)?);
    }
    Ok(hasher.finish())
}

fn no_stage() -> StorageError {
    let error = std::io::Error::other("nothing was written");
    StorageError::io("publish a blob".to_owned(), error)
}
