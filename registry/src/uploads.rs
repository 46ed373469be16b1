//! Uploads that are under way.
//!
//! Opening one writes nothing: its identifier proves itself. What is acknowledged later is
//! recorded in the store with the bytes, so that an upload goes on after a restart, in this
//! process or in another one over the same store.

mod ended;
mod identifier;
mod places;
mod settings;
mod sweep;
mod taken;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use thiserror::Error;
use wasmport_artifact::{Algorithm, RepositoryName};

use self::ended::Ended;
use self::identifier::{Identifier, Identifiers};
use self::places::{Places, Senders};
use self::taken::{Taken, Turn};
use crate::storage::{
    BlobWriter, KeepUploadError, StorageError, Store, UploadName, UploadRecord, now, unhindered,
};

pub use self::settings::UploadSettings;
pub(crate) use self::taken::TakenUpload;

/// All uploads that are under way.
#[derive(Debug)]
pub(crate) struct Uploads {
    store: Store,
    identifiers: Identifiers,
    settings: ArcSwap<UploadSettings>,
    /// Those that are recorded.
    places: Arc<Places>,
    sessions: Mutex<Sessions>,
}

#[derive(Debug, Default)]
struct Sessions {
    /// Those that a request writes to.
    taken: HashSet<u128>,
    ended: Ended,
}

/// Why an upload cannot be used.
#[derive(Debug, Error)]
pub(crate) enum UploadError {
    #[error("there is no upload `{0}` in this repository")]
    Unknown(String),
    #[error("the upload `{0}` is being written to by another request")]
    Busy(String),
    #[error("{0} uploads are open already")]
    TooMany(usize),
    #[error("`{1}` has {0} open uploads already")]
    TooManyOf(usize, String),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Uploads {
    /// The uploads of `store`, those of an earlier process among them.
    pub(crate) async fn open_store(
        store: Store,
        settings: UploadSettings,
    ) -> Result<Self, StorageError> {
        let secret = store.secret("uploads").await?;
        let places = Arc::new(Places::default());
        places.counted(count(&store).await?, places.changes());
        Ok(Self {
            store,
            identifiers: Identifiers::new(&secret),
            settings: ArcSwap::from_pointee(settings),
            places,
            sessions: Mutex::default(),
        })
    }

    /// Uses these settings from now on.
    pub(crate) fn set(&self, settings: UploadSettings) {
        self.settings.store(Arc::new(settings));
    }

    /// How many have begun to arrive and have not ended, here and in other processes.
    pub(crate) fn open_count(&self) -> usize {
        self.places.all()
    }

    /// Largest blob, in bytes.
    pub(crate) fn blob_bytes(&self) -> u64 {
        self.settings.load().blob_bytes.0
    }

    /// Opens an upload and gives its identifier, which cannot be guessed. The digest will
    /// probably be of `algorithm`.
    pub(crate) fn open(
        &self,
        repository: &RepositoryName,
        algorithm: Algorithm,
    ) -> Result<String, UploadError> {
        let mut number = [0; 16];
        getrandom::fill(&mut number).map_err(|error| {
            let action = "make an identifier for an upload".to_owned();
            StorageError::io(action, std::io::Error::other(error))
        })?;
        let identifier = Identifier {
            opened: now(),
            number: u128::from_be_bytes(number),
            algorithm,
        };
        Ok(self.identifiers.write(repository, &identifier))
    }

    /// Takes an upload to write to it. If it comes to be recorded, it is `sender`'s.
    pub(crate) async fn take(
        self: &Arc<Self>,
        repository: &RepositoryName,
        id: &str,
        sender: &str,
    ) -> Result<TakenUpload, UploadError> {
        let identifier = self.identify(repository, id)?;
        let turn = self.turn(&identifier, id)?;
        let (uploads, repository, id) = (Arc::clone(self), repository.clone(), id.to_owned());
        let sender = Arc::from(sender);
        // The engine cuts a stage to size and may copy it, and goes on with that when the
        // request is given up. The turn waits for it: whoever has it next writes to the stage.
        unhindered(async move {
            let (name, before) = uploads.find(&repository, &id, &identifier).await?;
            let writer = uploads.writer(&name, before.as_ref(), &identifier).await?;
            Ok(TakenUpload::new(Taken {
                uploads,
                name,
                sender,
                before,
                place: None,
                writer,
                turn,
            }))
        })
        .await
    }

    async fn writer(
        &self,
        name: &UploadName,
        before: Option<&UploadRecord>,
        identifier: &Identifier,
    ) -> Result<BlobWriter, UploadError> {
        let Some(before) = before else {
            return Ok(self.store.blob_writer(identifier.algorithm));
        };
        if let Some(writer) = self.store.resume_upload(name, before).await? {
            return Ok(writer.of(identifier.algorithm));
        }
        tracing::error!(upload = name.id, "the bytes of an upload are gone");
        self.remove(name, before).await?;
        Err(UploadError::Unknown(name.id.clone()))
    }

    /// How many bytes were acknowledged.
    pub(crate) async fn size(
        &self,
        repository: &RepositoryName,
        id: &str,
    ) -> Result<u64, UploadError> {
        let identifier = self.identify(repository, id)?;
        let (_, upload) = self.find(repository, id, &identifier).await?;
        Ok(upload.as_ref().map_or(0, UploadRecord::size))
    }

    /// Gives an upload up.
    pub(crate) async fn cancel(
        self: &Arc<Self>,
        repository: &RepositoryName,
        id: &str,
    ) -> Result<(), UploadError> {
        let identifier = self.identify(repository, id)?;
        let turn = self.turn(&identifier, id)?;
        let (uploads, repository, id) = (Arc::clone(self), repository.clone(), id.to_owned());
        // What is removed is counted, even when the request is given up meanwhile.
        unhindered(async move {
            let _turn = turn;
            let (name, upload) = uploads.find(&repository, &id, &identifier).await?;
            uploads.end(identifier.number);
            if let Some(upload) = upload {
                uploads.remove(&name, &upload).await?;
            }
            Ok(())
        })
        .await
    }

    /// Removes what is recorded of an upload, unless another process wrote to it.
    async fn remove(&self, name: &UploadName, upload: &UploadRecord) -> Result<(), StorageError> {
        if self.store.remove_upload(name, upload).await? {
            self.places.free(upload.sender());
        }
        Ok(())
    }

    /// Reads an identifier, of an upload that did not end as far as we remember.
    fn identify(&self, repository: &RepositoryName, id: &str) -> Result<Identifier, UploadError> {
        let identifier = self.identifiers.read(repository, id);
        identifier
            .filter(|identifier| !self.lock().ended.contains(identifier.number))
            .ok_or_else(|| UploadError::Unknown(id.to_owned()))
    }

    fn turn(self: &Arc<Self>, identifier: &Identifier, id: &str) -> Result<Turn, UploadError> {
        let mut sessions = self.lock();
        let number = identifier.number;
        if sessions.ended.contains(number) {
            return Err(UploadError::Unknown(id.to_owned()));
        }
        if !sessions.taken.insert(number) {
            return Err(UploadError::Busy(id.to_owned()));
        }
        Ok(Turn {
            uploads: Arc::clone(self),
            number,
        })
    }

    /// What is recorded of an upload, unless it lay idle for too long.
    async fn find(
        &self,
        repository: &RepositoryName,
        id: &str,
        identifier: &Identifier,
    ) -> Result<(UploadName, Option<UploadRecord>), UploadError> {
        let name = UploadName {
            repository: repository.clone(),
            id: id.to_owned(),
        };
        let upload = self.store.upload(&name).await?;
        let touched = upload.as_ref().map(UploadRecord::touched);
        if self.is_expired(touched.unwrap_or(identifier.opened)) {
            return Err(UploadError::Unknown(id.to_owned()));
        }
        Ok((name, upload))
    }

    fn is_expired(&self, touched: u64) -> bool {
        let idle = self.settings.load().idle.duration().as_secs();
        touched.saturating_add(idle) < now()
    }

    fn end(&self, number: u128) {
        self.lock().ended.insert(number);
    }

    fn lock(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<KeepUploadError> for UploadError {
    fn from(error: KeepUploadError) -> Self {
        match error {
            KeepUploadError::Changed(id) => Self::Busy(id),
            KeepUploadError::Storage(error) => Self::Storage(error),
        }
    }
}

async fn count(store: &Store) -> Result<Senders, StorageError> {
    let (mut senders, mut after) = (Senders::new(), None);
    loop {
        let page = store.uploads(after.as_ref()).await?;
        for (_, upload) in &page {
            *senders.entry(upload.sender().into()).or_default() += 1;
        }
        match page.into_iter().next_back() {
            Some((last, _)) => after = Some(last),
            None => return Ok(senders),
        }
    }
}

#[cfg(test)]
mod tests;
