//! Bytes by digest.

use std::fmt::Debug;
use std::io;
use std::ops::Range;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use wasmport_artifact::Digest;

use super::error::StorageError;

/// An engine for blobs.
///
/// It keeps bytes under the digest it is told and does not hash; that is what
/// [`BlobWriter`](super::BlobWriter) is for, the only one that calls [`Stage::publish`].
///
/// Every engine guarantees, and `tests/storage_contract.rs` checks:
/// - **all or nothing**: a blob can be opened when it is complete and never before;
/// - **durable**: when `publish` has returned `Ok`, the blob survives the process, and on an
///   engine that has a disk also the loss of power (file and directory are synced);
/// - **idempotent**: publishing a digest that is there already is no error;
/// - **clean**: a stage that is dropped leaves nothing behind.
pub trait Blobs: Debug + Send + Sync {
    /// A place to write bytes to whose digest is not known yet.
    fn stage(&self) -> BoxFuture<'_, Result<Box<dyn Stage>, StorageError>>;

    /// The blob with this digest, if it is there.
    fn open(
        &self,
        digest: &Digest,
    ) -> BoxFuture<'_, Result<Option<Box<dyn OpenBlob>>, StorageError>>;
}

/// Bytes on their way in. Nobody sees them before they are published.
pub trait Stage: Debug + Send {
    /// Adds `bytes` at the end. After an error, or when the future was dropped before it
    /// was done, the stage is good for nothing but being dropped.
    fn append(&mut self, bytes: Bytes) -> BoxFuture<'_, Result<(), StorageError>>;

    /// Makes what was appended the blob `digest`.
    fn publish(self: Box<Self>, digest: Digest) -> BoxFuture<'static, Result<(), StorageError>>;
}

/// A complete blob.
pub trait OpenBlob: Send {
    /// Its size in bytes.
    fn size(&self) -> u64;

    /// The bytes in `range`, which must lie within the size, in pieces of bounded size.
    fn stream(self: Box<Self>, range: Range<u64>) -> BoxStream<'static, io::Result<Bytes>>;
}
