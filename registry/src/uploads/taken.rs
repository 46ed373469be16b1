//! An upload that one request has for itself.

use std::sync::Arc;

use bytes::Bytes;
use tokio::runtime::Handle;
use wasmport_artifact::Digest;

use super::places::Place;
use super::{UploadError, Uploads};
use crate::storage::{
    BlobWriter, StorageError, UploadName, UploadRecord, VerifiedBlob, WriteBlobError, unhindered,
};

/// An upload that no other request can write to meanwhile.
///
/// When this is dropped because the request was given up, what arrived is kept as far as it
/// can be, and nobody can take the upload before that is done.
#[derive(Debug)]
pub(crate) struct TakenUpload(Option<Taken>);

#[derive(Debug)]
pub(super) struct Taken {
    pub(super) uploads: Arc<Uploads>,
    pub(super) name: UploadName,
    /// Whose it is when it comes to be recorded.
    pub(super) sender: Arc<str>,
    /// `None` as long as nothing was acknowledged.
    pub(super) before: Option<UploadRecord>,
    /// Where it will be counted, once that is sure.
    pub(super) place: Option<Place>,
    pub(super) writer: BlobWriter,
    /// Dropped last.
    pub(super) turn: Turn,
}

/// The right to write to an upload.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) uploads: Arc<Uploads>,
    pub(super) number: u128,
}

impl TakenUpload {
    pub(super) fn new(taken: Taken) -> Self {
        Self(Some(taken))
    }

    /// How many bytes have arrived.
    pub(crate) fn size(&self) -> u64 {
        self.0.as_ref().map_or(0, |taken| taken.writer.size())
    }

    /// Keeps a place for one more upload that is to be recorded, or says that there are too many.
    pub(crate) fn reserve(&mut self) -> Result<(), UploadError> {
        self.0.as_mut().map_or(Ok(()), Taken::reserve)
    }

    /// Adds `bytes` at the end.
    pub(crate) async fn write(&mut self, bytes: Bytes) -> Result<(), StorageError> {
        match &mut self.0 {
            Some(taken) => taken.writer.write(bytes).await,
            None => Ok(()),
        }
    }

    /// Makes what arrived survive. Whoever is told so may rely on it.
    pub(crate) async fn keep(mut self) -> Result<(), UploadError> {
        match self.0.take() {
            Some(taken) => unhindered(taken.keep()).await,
            None => Ok(()),
        }
    }

    /// Keeps what arrived as far as it can be, and there is a place for it. Nobody was told that
    /// it would be.
    pub(crate) async fn break_off(mut self) {
        if let Some(taken) = self.0.take() {
            let _ = tokio::spawn(taken.break_off()).await;
        }
    }

    /// Forgets what arrived since the upload was taken.
    pub(crate) async fn forget(mut self) {
        if let Some(taken) = self.0.take() {
            let _ = tokio::spawn(taken.settle()).await;
        }
    }

    /// Ends the upload: what arrived becomes the blob `digest`. When it is something else, the
    /// upload ends too; when the store fails, it is where it was.
    pub(crate) async fn finish(mut self, digest: &Digest) -> Result<VerifiedBlob, WriteBlobError> {
        let digest = digest.clone();
        match self.0.take() {
            Some(taken) => unhindered(taken.finish(digest)).await,
            None => Err(StorageError::io(
                "finish an upload".to_owned(),
                std::io::ErrorKind::NotFound.into(),
            )
            .into()),
        }
    }
}

impl Drop for TakenUpload {
    fn drop(&mut self) {
        let Some(taken) = self.0.take() else {
            return;
        };
        // Without a runtime there is nobody either who could take the upload.
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        runtime.spawn(taken.break_off());
    }
}

impl Taken {
    fn reserve(&mut self) -> Result<(), UploadError> {
        if self.before.is_none() && self.place.is_none() {
            let settings = self.uploads.settings.load();
            self.place = Some(self.uploads.places.take(&self.sender, &settings)?);
        }
        Ok(())
    }

    async fn keep(mut self) -> Result<(), UploadError> {
        let acknowledged = self.before.as_ref().map(UploadRecord::size);
        // Nothing arrived that is not acknowledged already.
        if self.writer.size() == acknowledged.unwrap_or_default() {
            return Ok(());
        }
        self.reserve()?;
        let store = &self.uploads.store;
        let before = self.before.as_ref();
        store
            .keep_upload(&self.name, &self.sender, before, &mut self.writer)
            .await?;
        if let Some(place) = self.place {
            place.used();
        }
        Ok(())
    }

    async fn break_off(self) {
        if !self.writer.is_intact() {
            return self.settle().await;
        }
        if let Err(error) = self.keep().await {
            tracing::debug!(%error, "failed to keep what arrived of an upload");
        }
    }

    async fn settle(mut self) {
        let is_resumed = self
            .before
            .as_ref()
            .is_some_and(|before| before.stage().is_some());
        if is_resumed {
            self.writer.settle().await;
        }
    }

    async fn finish(self, digest: Digest) -> Result<VerifiedBlob, WriteBlobError> {
        let uploads = &self.uploads;
        let recorded = self
            .before
            .clone()
            .map(|before| (self.name.clone(), before));
        let repository = &self.name.repository;
        let stored = uploads
            .store
            .put_blob(repository, self.writer, &digest, recorded)
            .await;
        if matches!(stored, Err(WriteBlobError::Storage(_))) {
            return stored;
        }
        uploads.end(self.turn.number);
        match &self.before {
            Some(before) if stored.is_err() => uploads.remove(&self.name, before).await?,
            Some(before) => uploads.places.free(before.sender()),
            None => {}
        }
        stored
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.uploads.lock().taken.remove(&self.number);
    }
}
