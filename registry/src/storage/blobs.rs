//! Bytes by digest.

use std::fmt::Debug;
use std::io;
use std::ops::Range;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use wasmport_artifact::Digest;

use super::error::StorageError;
use super::stage_id::StageId;

/// An engine for blobs.
///
/// It keeps bytes under the digest it is told and does not hash; that is what
/// [`BlobWriter`](super::BlobWriter) is for, the only one that calls [`Stage::publish`].
///
/// Every engine guarantees, and `tests/storage_contract` checks:
/// - **all or nothing**: a blob can be opened when it is complete and never before;
/// - **durable**: when `publish` has returned `Ok`, the blob survives the process, and on an
///   engine that has a disk also the loss of power (file and directory are synced);
/// - **idempotent**: publishing a digest that is there already is no error, and makes the
///   blob as young as a new one;
/// - **clean**: a stage that is dropped before its first [`Stage::sync`] leaves nothing
///   behind, and neither does a process that ends before it;
/// - **resumable**: from its first `sync` on a stage stays, over the end of the process, until
///   it is discarded. Publishing does not end it: whoever wrote down what the stage holds
///   takes the note away first, and discards it then.
///
/// An object store has a multipart upload for a stage. Parts that are too small for it are
/// kept by its engine in an object of their own until more comes; `resume` forgets the parts
/// after the size that it is told.
pub trait Blobs: Debug + Send + Sync {
    /// A place to write bytes to whose digest is not known yet.
    fn stage(&self) -> BoxFuture<'_, Result<Box<dyn Stage>, StorageError>>;

    /// Opens a stage again that was synced when it had `size` bytes, and forgets what was
    /// appended after them. `None` when it is not there, or does not have that many. What
    /// used the stage before must be done with it.
    fn resume<'a>(
        &'a self,
        id: &'a StageId,
        size: u64,
    ) -> BoxFuture<'a, Result<Option<Box<dyn Stage>>, StorageError>>;

    /// Removes a stage, if it is there.
    fn discard<'a>(&'a self, id: &'a StageId) -> BoxFuture<'a, Result<(), StorageError>>;

    /// At most `limit` of the stages that stay, in the order of their identifiers, those
    /// strictly after `after`.
    fn stages<'a>(
        &'a self,
        after: Option<&'a StageId>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<ListedStage>, StorageError>>;

    /// The blob with this digest, if it is there.
    fn open(
        &self,
        digest: &Digest,
    ) -> BoxFuture<'_, Result<Option<Box<dyn OpenBlob>>, StorageError>>;

    /// Removes a blob. True when it was there. It cannot be opened any more at once, and who
    /// has it open can read on. After a loss of power it may be there again, complete.
    fn delete(&self, digest: &Digest) -> BoxFuture<'_, Result<bool, StorageError>>;

    /// At most `limit` blobs in the order of their digests, those strictly after `after`.
    /// What is published or deleted meanwhile may be in it or not.
    fn list(
        &self,
        after: Option<&Digest>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<ListedBlob>, StorageError>>;
}

/// Bytes on their way in. Nobody sees them before they are published.
pub trait Stage: Debug + Send {
    /// What it can be resumed by.
    fn id(&self) -> &StageId;

    /// Adds `bytes` at the end. They may still be on their way when it returns: the error of
    /// one call can come out of the next. After an error, or when the future was dropped
    /// before it was done, the stage can only be synced, to wait for what is on its way, and
    /// dropped.
    fn append(&mut self, bytes: Bytes) -> BoxFuture<'_, Result<(), StorageError>>;

    /// Makes what was appended survive the process and the loss of power, as
    /// [`Blobs::resume`] finds it, and keeps the stage when it is dropped.
    fn sync(&mut self) -> BoxFuture<'_, Result<(), StorageError>>;

    /// What was appended, from its beginning, for the few who need it once more. Nothing may
    /// be appended afterwards.
    fn read(&mut self) -> BoxFuture<'_, Result<Pieces, StorageError>>;

    /// Makes what was appended the blob `digest`. A stage that was synced is still there
    /// then, and has to be discarded.
    fn publish(self: Box<Self>, digest: Digest) -> BoxFuture<'static, Result<(), StorageError>>;
}

/// A complete blob.
pub trait OpenBlob: Send {
    /// Its size in bytes.
    fn size(&self) -> u64;

    /// The bytes in `range`, which must lie within the size, in pieces of bounded size.
    fn stream(self: Box<Self>, range: Range<u64>) -> Pieces;

    /// The bytes in `range`, which must lie within the size, if they are few and can be had
    /// without waiting.
    fn bytes_now(&self, _range: &Range<u64>) -> Option<Bytes> {
        None
    }
}

/// Bytes in pieces of bounded size.
pub type Pieces = BoxStream<'static, io::Result<Bytes>>;

/// A blob in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedBlob {
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// When it was last published, in seconds since 1970.
    pub published: u64,
}

/// A stage in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedStage {
    /// What it can be resumed by.
    pub id: StageId,
    /// How many bytes it takes.
    pub size: u64,
    /// When it was last written to, in seconds since 1970.
    pub written: u64,
}
