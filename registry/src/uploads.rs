//! Uploads that are under way.
//!
//! They live in memory, and their bytes in a stage of the store: when the registry stops,
//! they are gone, and a client that goes on with one is told that it is unknown.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use thiserror::Error;
use wasmport_artifact::RepositoryName;

use crate::storage::{BlobWriter, StorageError};

/// How many uploads may be open at once. Each has a file open.
const OPEN: usize = 500;

/// How long an upload may lie idle before it is given up.
const IDLE: Duration = Duration::from_hours(1);

/// All uploads that are under way.
#[derive(Debug, Default)]
pub(crate) struct Uploads(Mutex<HashMap<String, Session>>);

/// An upload that one request has taken, so that no other can write to it. When this is
/// dropped it can be taken again.
#[derive(Debug)]
pub(crate) struct TakenUpload {
    uploads: Arc<Uploads>,
    id: String,
    writer: Option<BlobWriter>,
}

/// Why an upload cannot be used.
#[derive(Debug, Error)]
pub(crate) enum UploadError {
    #[error("there is no upload `{0}` in this repository")]
    Unknown(String),
    #[error("the upload `{0}` is being written to by another request")]
    Busy(String),
    #[error("{OPEN} uploads are open already")]
    TooMany,
    #[error("failed to make an identifier for an upload: {0}")]
    Random(getrandom::Error),
}

#[derive(Debug)]
struct Session {
    repository: RepositoryName,
    /// `None` while a request has it.
    writer: Option<BlobWriter>,
    size: u64,
    touched: Instant,
}

impl Uploads {
    /// Opens an upload and gives its identifier, which cannot be guessed.
    pub(crate) fn open(
        &self,
        repository: RepositoryName,
        writer: BlobWriter,
    ) -> Result<String, UploadError> {
        let id = identifier()?;
        let mut sessions = self.lock();
        sessions.retain(|_, session| session.writer.is_none() || session.touched.elapsed() < IDLE);
        if sessions.len() >= OPEN {
            return Err(UploadError::TooMany);
        }
        let session = Session {
            repository,
            writer: Some(writer),
            size: 0,
            touched: Instant::now(),
        };
        sessions.insert(id.clone(), session);
        Ok(id)
    }

    /// Takes an upload to write to it.
    pub(crate) fn take(
        self: &Arc<Self>,
        repository: &RepositoryName,
        id: &str,
    ) -> Result<TakenUpload, UploadError> {
        let mut sessions = self.lock();
        let session = find(&mut sessions, repository, id)?;
        let writer = session.writer.take();
        let writer = writer.ok_or_else(|| UploadError::Busy(id.to_owned()))?;
        Ok(TakenUpload {
            uploads: Arc::clone(self),
            id: id.to_owned(),
            writer: Some(writer),
        })
    }

    /// How many bytes have arrived.
    pub(crate) fn size(&self, repository: &RepositoryName, id: &str) -> Result<u64, UploadError> {
        Ok(find(&mut self.lock(), repository, id)?.size)
    }

    /// Gives an upload up.
    pub(crate) fn cancel(&self, repository: &RepositoryName, id: &str) -> Result<(), UploadError> {
        let mut sessions = self.lock();
        find(&mut sessions, repository, id)?;
        sessions.remove(id);
        Ok(())
    }

    fn put_back(&self, id: &str, writer: Option<BlobWriter>) {
        let mut sessions = self.lock();
        let Some(writer) = writer.filter(BlobWriter::is_intact) else {
            sessions.remove(id);
            return;
        };
        if let Some(session) = sessions.get_mut(id) {
            session.size = writer.size();
            session.touched = Instant::now();
            session.writer = Some(writer);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TakenUpload {
    /// How many bytes have arrived.
    pub(crate) fn size(&self) -> u64 {
        self.writer.as_ref().map_or(0, BlobWriter::size)
    }

    /// Adds `bytes` at the end.
    pub(crate) async fn write(&mut self, bytes: Bytes) -> Result<(), StorageError> {
        match &mut self.writer {
            Some(writer) => writer.write(bytes).await,
            None => Ok(()),
        }
    }

    /// Ends the upload. Whatever comes of the writer, the upload is no more.
    pub(crate) fn finish(mut self) -> Result<BlobWriter, UploadError> {
        let writer = self.writer.take();
        writer.ok_or_else(|| UploadError::Unknown(self.id.clone()))
    }
}

impl Drop for TakenUpload {
    fn drop(&mut self) {
        self.uploads.put_back(&self.id, self.writer.take());
    }
}

fn find<'a>(
    sessions: &'a mut HashMap<String, Session>,
    repository: &RepositoryName,
    id: &str,
) -> Result<&'a mut Session, UploadError> {
    let session = sessions.get_mut(id);
    session
        .filter(|session| session.repository == *repository)
        .ok_or_else(|| UploadError::Unknown(id.to_owned()))
}

fn identifier() -> Result<String, UploadError> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(UploadError::Random)?;
    Ok(format!("{:032x}", u128::from_be_bytes(random)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Store;

    fn name(text: &str) -> RepositoryName {
        text.parse().unwrap()
    }

    fn opened() -> (Arc<Uploads>, String) {
        let uploads: Arc<Uploads> = Arc::default();
        let writer = Store::in_memory().blob_writer(wasmport_artifact::Algorithm::Sha256);
        let id = uploads.open(name("app"), writer).unwrap();
        (uploads, id)
    }

    #[tokio::test]
    async fn an_upload_belongs_to_its_repository() {
        let (uploads, id) = opened();
        let other = uploads.take(&name("other"), &id);
        assert!(matches!(other, Err(UploadError::Unknown(_))));
        assert_eq!(uploads.size(&name("app"), &id).unwrap(), 0);
    }

    #[tokio::test]
    async fn one_request_at_a_time_has_it_and_gives_it_back() {
        let (uploads, id) = opened();
        let mut taken = uploads.take(&name("app"), &id).unwrap();
        let second = uploads.take(&name("app"), &id);
        assert!(matches!(second, Err(UploadError::Busy(_))));
        taken.write(Bytes::from_static(b"abc")).await.unwrap();
        drop(taken);
        assert_eq!(uploads.take(&name("app"), &id).unwrap().size(), 3);
    }

    #[tokio::test]
    async fn a_finished_or_cancelled_upload_is_unknown() {
        let (uploads, id) = opened();
        uploads.take(&name("app"), &id).unwrap().finish().unwrap();
        assert!(uploads.size(&name("app"), &id).is_err());
        let (uploads, id) = opened();
        uploads.cancel(&name("app"), &id).unwrap();
        assert!(uploads.take(&name("app"), &id).is_err());
    }
}
