//! The one way for bytes into the store: a writer that hashes what it writes.

use bytes::Bytes;
use thiserror::Error;
use wasmport_artifact::{Algorithm, Digest, DigestError, Hasher};

use super::blobs::Stage;
use super::error::StorageError;

/// Writes a blob and knows its digest.
///
/// Clients say which digest they mean only when they are done (distribution specification,
/// "Pushing a blob in chunks"), and so both algorithms run along.
#[derive(Debug)]
pub struct BlobWriter {
    stage: Box<dyn Stage>,
    sha256: Hasher,
    sha512: Hasher,
    size: u64,
    intact: bool,
}

/// A blob that is stored, and whose bytes were seen to have this digest.
///
/// Only [`BlobWriter::commit`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedBlob {
    digest: Digest,
    size: u64,
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
    /// A writer into a new stage.
    pub fn new(stage: Box<dyn Stage>) -> Self {
        Self {
            stage,
            sha256: Hasher::new(Algorithm::Sha256),
            sha512: Hasher::new(Algorithm::Sha512),
            size: 0,
            intact: true,
        }
    }

    /// How many bytes were written.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// False after a write that failed or was given up half way. Such a writer does not
    /// know what is in its stage.
    pub fn is_intact(&self) -> bool {
        self.intact
    }

    /// Adds `bytes` at the end.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), StorageError> {
        self.intact = false;
        self.stage.append(bytes.clone()).await?;
        self.sha256.update(&bytes);
        self.sha512.update(&bytes);
        self.size += bytes.len() as u64;
        self.intact = true;
        Ok(())
    }

    /// Stores what was written, if its digest is `expected`.
    pub async fn commit(self, expected: &Digest) -> Result<VerifiedBlob, WriteBlobError> {
        let hasher = match expected.algorithm() {
            Algorithm::Sha256 => self.sha256,
            Algorithm::Sha512 => self.sha512,
        };
        expected.expect(&hasher.finish())?;
        self.stage.publish(expected.clone()).await?;
        Ok(VerifiedBlob {
            digest: expected.clone(),
            size: self.size,
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
