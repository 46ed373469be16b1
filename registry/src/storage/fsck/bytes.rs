//! Every blob is hashed, wherever its bytes are.

use bytes::Bytes;
use futures_util::StreamExt;
use wasmport_artifact::{Digest, Hasher};

use super::{Check, DefectKind, quarantine};
use crate::storage::blobs::OpenBlob;
use crate::storage::error::StorageError;
use crate::storage::keys::{Key, Kind, Prefix};
use crate::storage::records::Batch;
use crate::storage::small_blobs::{self, Measures, SmallBlob};
use crate::storage::store::decode;
use crate::storage::walk::{LARGE, SMALL, Walk};

impl Check<'_> {
    /// The small ones, in both of their records.
    pub(super) async fn small_blobs(&mut self) -> Result<(), StorageError> {
        let store = self.store;
        let mut walk = Walk::new(&*store.records, Prefix::all(Kind::Bytes), LARGE);
        while let Some((key, record)) = walk.next().await? {
            self.report.records += 1;
            let Ok(digest) = key.rest().parse::<Digest>() else {
                self.unreadable(DefectKind::BlobCorrupted, &key, &record)
                    .await?;
                continue;
            };
            if digest.check(&record.value).is_err() {
                let blob = Box::new(SmallBlob(record.value.clone()));
                self.quarantine(&digest, blob).await?;
                // Only the record: the engine for blobs may have a copy that is whole.
                let fix = small_blobs::delete(Batch::new(), &digest);
                self.found(DefectKind::BlobCorrupted, &digest, Some(fix))
                    .await?;
                continue;
            }
            self.hashed(&digest, record.value.len() as u64).await?;
            let measures = Key::small_blob(&digest);
            let found = store.records.get(&measures).await?;
            let size = found.and_then(|found| decode::<Measures>(&measures, &found).ok());
            if size.is_none_or(|measures| measures.size != record.value.len() as u64) {
                let fix = small_blobs::put(Batch::new(), &digest, record.value.clone());
                self.found(DefectKind::BlobMeasures, &measures, Some(fix))
                    .await?;
            }
        }
        self.flush().await?;
        self.measures_without_bytes().await
    }

    async fn measures_without_bytes(&mut self) -> Result<(), StorageError> {
        let store = self.store;
        let mut walk = Walk::new(&*store.records, Prefix::small_blobs(), SMALL);
        while let Some((key, _)) = walk.next().await? {
            self.report.records += 1;
            let bytes = match key.as_small_blob() {
                Some(digest) => store.records.get(&Key::bytes(&digest)).await?,
                None => None,
            };
            if bytes.is_none() {
                let fix = Batch::new().delete(key.clone());
                self.found(DefectKind::BlobMeasures, &key, Some(fix))
                    .await?;
            }
        }
        self.flush().await
    }

    /// Those that the engine for blobs has.
    pub(super) async fn large_blobs(&mut self) -> Result<(), StorageError> {
        let mut after: Option<Digest> = None;
        loop {
            let page = self.store.blobs.list(after.as_ref(), SMALL).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = Some(last.digest.clone());
            for listed in page {
                let Some(blob) = self.store.blobs.open(&listed.digest).await? else {
                    continue;
                };
                let size = blob.size();
                match hash(&listed.digest, blob).await {
                    Ok(digest) if digest == listed.digest => {
                        self.hashed(&digest, size).await?;
                    }
                    Ok(_) => {
                        if let Some(blob) = self.store.blobs.open(&listed.digest).await? {
                            self.corrupted_in_engine(&listed.digest, blob).await?;
                        }
                    }
                    Err(_) => {
                        self.found(DefectKind::BlobUnreadable, &listed.digest, None)
                            .await?;
                    }
                }
            }
        }
    }

    async fn hashed(&mut self, digest: &Digest, size: u64) -> Result<(), StorageError> {
        self.report.blobs += 1;
        self.report.bytes += size;
        let holders = Prefix::holders(digest);
        let is_held = !self.store.records.list(&holders, None, 1).await?.is_empty();
        self.report.garbage_blobs += u64::from(!is_held);
        Ok(())
    }

    /// Only the copy of the engine goes: there may be a record with the same bytes that is
    /// whole.
    async fn corrupted_in_engine(
        &mut self,
        digest: &Digest,
        blob: Box<dyn OpenBlob>,
    ) -> Result<(), StorageError> {
        if self.quarantine(digest, blob).await? {
            self.store.blobs.delete(digest).await?;
        }
        self.found(DefectKind::BlobCorrupted, digest, None).await
    }

    /// Keeps a copy of a corrupted blob. False when nothing shall be changed.
    async fn quarantine(
        &self,
        digest: &Digest,
        blob: Box<dyn OpenBlob>,
    ) -> Result<bool, StorageError> {
        let Some(directory) = self.quarantine else {
            return Ok(false);
        };
        quarantine::blob(directory, digest, blob).await?;
        Ok(true)
    }
}

async fn hash(digest: &Digest, blob: Box<dyn OpenBlob>) -> std::io::Result<Digest> {
    let mut hasher = Hasher::new(digest.algorithm());
    let size = blob.size();
    let mut pieces = blob.stream(0..size);
    while let Some(piece) = pieces.next().await {
        let piece: Bytes = piece?;
        hasher.update(&piece);
        tokio::task::yield_now().await;
    }
    Ok(hasher.finish())
}
