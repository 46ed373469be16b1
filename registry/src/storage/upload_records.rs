//! Uploads that are under way, as records: what was acknowledged survives a restart.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tracing::warn;
use wasmport_artifact::{Algorithm, Hasher, RepositoryName, with_causes};

use super::blob_writer::{BlobWriter, Staged};
use super::error::StorageError;
use super::keys::{Key, Prefix};
use super::records::{Batch, CommitError, Record, Version};
use super::stage_id::StageId;
use super::store::{PAGE, Store, decode, encode, now};

/// An upload: its repository and its identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UploadName {
    pub(crate) repository: RepositoryName,
    pub(crate) id: String,
}

/// What is recorded of an upload that has acknowledged bytes.
#[derive(Clone, Debug)]
pub(crate) struct UploadRecord {
    state: State,
    version: Version,
}

/// Why what arrived could not be kept.
#[derive(Debug, Error)]
pub(crate) enum KeepUploadError {
    /// Another process wrote to it.
    #[error("the upload `{0}` was written to by another request")]
    Changed(String),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct State {
    /// How many bytes were acknowledged.
    size: u64,
    started: u64,
    touched: u64,
    /// Who began it. Uploads from before this was recorded are nobody's.
    #[serde(default)]
    sender: String,
    /// Where they are, unless they are in a record of their own.
    staged: Option<StagedState>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct StagedState {
    stage: StageId,
    algorithm: String,
    /// What the hasher knows of them, so that they need not be read again.
    hash: Vec<u8>,
}

impl UploadRecord {
    /// How many bytes were acknowledged.
    pub(crate) fn size(&self) -> u64 {
        self.state.size
    }

    /// Who began it.
    pub(crate) fn sender(&self) -> &str {
        &self.state.sender
    }

    /// When that was last done, in seconds since 1970.
    pub(crate) fn touched(&self) -> u64 {
        self.state.touched
    }

    /// Where the bytes are, if they are in a stage.
    pub(crate) fn stage(&self) -> Option<&StageId> {
        self.state.staged.as_ref().map(|staged| &staged.stage)
    }
}

impl Store {
    /// What is recorded of an upload. Nothing is until a byte was acknowledged.
    pub(crate) async fn upload(
        &self,
        name: &UploadName,
    ) -> Result<Option<UploadRecord>, StorageError> {
        let key = Key::upload(&name.repository, &name.id);
        let record = self.records.get(&key).await?;
        record.map(|record| read(&key, &record)).transpose()
    }

    /// At most a page of uploads, those after `after`.
    pub(crate) async fn uploads(
        &self,
        after: Option<&UploadName>,
    ) -> Result<Vec<(UploadName, UploadRecord)>, StorageError> {
        let after = after.map(|name| Key::upload(&name.repository, &name.id));
        let prefix = Prefix::uploads();
        let found = self.records.list(&prefix, after.as_ref(), PAGE).await?;
        let mut uploads = Vec::with_capacity(found.len());
        for (key, record) in &found {
            if let Some((repository, id)) = key.as_upload() {
                let id = id.to_owned();
                uploads.push((UploadName { repository, id }, read(key, record)?));
            }
        }
        Ok(uploads)
    }

    /// A writer that goes on where the upload was acknowledged. `None` when its bytes are gone.
    pub(crate) async fn resume_upload(
        &self,
        name: &UploadName,
        upload: &UploadRecord,
    ) -> Result<Option<BlobWriter>, StorageError> {
        let size = upload.state.size;
        let writer = self.blob_writer(Algorithm::Sha256);
        let Some(staged) = &upload.state.staged else {
            let key = Key::chunk(&name.repository, &name.id);
            let bytes = self.records.get(&key).await?.map(|record| record.value);
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            let bytes = bytes.as_deref().and_then(|bytes| bytes.get(..size));
            return Ok(bytes.map(|bytes| writer.resume(None, bytes)));
        };
        let hasher = staged.algorithm.parse().ok();
        let hasher = hasher.and_then(|algorithm| Hasher::restore(algorithm, &staged.hash));
        let stage = self.blobs.resume(&staged.stage, size).await?;
        Ok(hasher.zip(stage).map(|(hasher, stage)| {
            let staged = Staged {
                stage,
                hasher,
                size,
            };
            writer.resume(Some(staged), &[])
        }))
    }

    /// Makes what was written survive, and with it how far the upload has come. The first
    /// `sender` is remembered.
    pub(crate) async fn keep_upload(
        &self,
        name: &UploadName,
        sender: &str,
        before: Option<&UploadRecord>,
        writer: &mut BlobWriter,
    ) -> Result<(), KeepUploadError> {
        let chunk = Key::chunk(&name.repository, &name.id);
        let batch = match writer.keep().await? {
            Some(bytes) => Batch::new().put(chunk, bytes),
            None => Batch::new().delete(chunk),
        };
        let touched = now();
        let state = encode(&State {
            size: writer.size(),
            started: before.map_or(touched, |before| before.state.started),
            touched,
            sender: before.map_or(sender, UploadRecord::sender).to_owned(),
            staged: writer.staged().map(|staged| StagedState {
                stage: staged.stage.id().clone(),
                algorithm: staged.hasher.algorithm().name().to_owned(),
                hash: staged.hasher.save(),
            }),
        });
        let key = Key::upload(&name.repository, &name.id);
        let batch = match before {
            Some(before) => batch.put_if_unchanged(key, before.version.clone(), state),
            None => batch.put_if_absent(key, state),
        };
        self.commit(batch).await.map_err(|error| match error {
            CommitError::Changed(_) => KeepUploadError::Changed(name.id.clone()),
            CommitError::Storage(error) => error.into(),
        })
    }

    /// Removes an upload and its bytes, unless it was written to since `upload` was read. True
    /// when its record went: a stage that stays behind is nobody's, and the sweep discards it.
    pub(crate) async fn remove_upload(
        &self,
        name: &UploadName,
        upload: &UploadRecord,
    ) -> Result<bool, StorageError> {
        let batch = Batch::new()
            .delete_if_unchanged(
                Key::upload(&name.repository, &name.id),
                upload.version.clone(),
            )
            .delete(Key::chunk(&name.repository, &name.id));
        match self.commit(batch).await {
            Ok(()) => {
                self.leave_stage(upload.stage()).await;
                Ok(true)
            }
            Err(CommitError::Changed(_)) => Ok(false),
            Err(CommitError::Storage(error)) => Err(error),
        }
    }

    /// Removes the stage of an upload whose record is gone. When that fails nothing is lost but
    /// room on the disk: trying again could not help the client, and the sweep discards the
    /// stage later.
    pub(super) async fn leave_stage(&self, stage: Option<&StageId>) {
        if let Err(error) = self.discard_stage(stage).await {
            warn!(error = %with_causes(&error), "failed to discard the stage of an upload");
        }
    }

    /// Removes a stage that no record names any more.
    pub(crate) async fn discard_stage(&self, stage: Option<&StageId>) -> Result<(), StorageError> {
        match stage {
            Some(stage) => self.blobs.discard(stage).await,
            None => Ok(()),
        }
    }

    /// At most a page of stages, those after `after`, with the time of the last write to each.
    pub(crate) async fn stages(
        &self,
        after: Option<&StageId>,
    ) -> Result<Vec<(StageId, u64)>, StorageError> {
        let listed = self.blobs.stages(after, PAGE).await?;
        Ok(listed
            .into_iter()
            .map(|stage| (stage.id, stage.written))
            .collect())
    }

    /// A key that this store made for itself, for the purpose `name`. It is made once, and
    /// every process over this store has the same.
    pub(crate) async fn secret(&self, name: &str) -> Result<Bytes, StorageError> {
        let key = Key::secret(name);
        if let Some(found) = self.records.get(&key).await? {
            return Ok(found.value);
        }
        let mut secret = [0; SECRET_BYTES];
        getrandom::fill(&mut secret).map_err(|error| {
            let action = "make a secret key".to_owned();
            StorageError::io(action, std::io::Error::other(error))
        })?;
        let secret = Bytes::copy_from_slice(&secret);
        let batch = Batch::new().put_if_absent(key.clone(), secret.clone());
        match self.commit(batch).await {
            Ok(()) => Ok(secret),
            Err(CommitError::Changed(_)) => {
                let found = self.records.get(&key).await?;
                Ok(found.map_or(secret, |found| found.value))
            }
            Err(CommitError::Storage(error)) => Err(error),
        }
    }
}

/// As many as the hash has that it keys.
const SECRET_BYTES: usize = 32;

/// Adds to `batch` that an upload has ended.
pub(super) fn end(batch: Batch, name: &UploadName) -> Batch {
    batch
        .delete(Key::upload(&name.repository, &name.id))
        .delete(Key::chunk(&name.repository, &name.id))
}

fn read(key: &Key, record: &Record) -> Result<UploadRecord, StorageError> {
    Ok(UploadRecord {
        state: decode(key, record)?,
        version: record.version.clone(),
    })
}
