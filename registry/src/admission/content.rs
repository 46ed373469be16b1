//! Reads the blobs of a manifest and finds out what they are.

use std::sync::Arc;

use tokio::runtime::Handle;
use wasmport_artifact::{Descriptor, Manifest, RepositoryName, limits};
use wasmport_policies::{Content, Part, Wasm};

use super::blocking_blob::BlockingBlob;
use super::{Admission, AdmissionError};
use crate::storage::StorageError;

/// What the beginnings of the blobs of a manifest told.
#[derive(Default)]
pub(super) struct Beginnings {
    /// A blob that is Wasm although nothing says so.
    disguised: Option<Content>,
    /// The config and the layers that are there, each once.
    pub(super) here: Vec<Descriptor>,
    /// Those that are not, which may still turn out to be Wasm.
    pub(super) absent: Vec<Descriptor>,
}

impl Admission {
    /// What `manifest` carries, and whether all of it was there to be looked at.
    pub(super) async fn inspect(
        &self,
        repository: &RepositoryName,
        manifest: &Manifest,
    ) -> Result<(Content, bool), AdmissionError> {
        if let Some(hiding) = self.embedded(repository, manifest).await? {
            return Ok((hiding, true));
        }
        if Content::is_single(manifest) {
            return Ok((self.inspect_wasm(repository, manifest).await?, true));
        }
        let beginnings = self.beginnings(repository, manifest).await?;
        match beginnings.disguised {
            Some(disguised) => Ok((disguised, true)),
            None => self.look_through(repository, manifest, beginnings).await,
        }
    }

    /// Wasm that stands in the manifest itself.
    async fn embedded(
        &self,
        repository: &RepositoryName,
        manifest: &Manifest,
    ) -> Result<Option<Content>, AdmissionError> {
        if manifest.embedded().is_empty() {
            return Ok(None);
        }
        let permit = self.inspections.permit(repository).await;
        let manifest = manifest.clone();
        let looked = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            Content::embedded(&manifest)
        });
        looked
            .await
            .map_err(|error| AdmissionError::Inspection(error.into()))
    }

    /// The blobs of `manifest` must be in the store. The layer is inspected as it is read, and
    /// when nobody waits for it any more, it is not read on.
    async fn inspect_wasm(
        &self,
        repository: &RepositoryName,
        manifest: &Manifest,
    ) -> Result<Content, AdmissionError> {
        let permit = self.inspections.permit(repository).await;
        let config = match manifest.config() {
            Some(config) => {
                let limit = limits::CONFIG_BYTES as u64;
                self.store.read_blob(&config.digest, limit).await?
            }
            None => None,
        };
        let mut layers = manifest.wasm_layers();
        let layer = match (layers.next(), layers.next()) {
            (Some(layer), None) => self.store.open_blob(&layer.digest).await?,
            // More than one is refused whatever they are.
            _ => None,
        };
        let asked = Arc::new(());
        let waits = Arc::downgrade(&asked);
        let blob = layer.map(|layer| BlockingBlob::new(layer, Handle::current(), waits));
        let manifest = manifest.clone();
        let gathered = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let mut blob = blob;
            let layer = blob.as_mut().map(|blob| Wasm::Stream(blob));
            let content = Content::gather(&manifest, config.as_deref(), layer);
            blob.map_or(Ok(()), BlockingBlob::finish)?;
            Ok(content)
        });
        let gathered = gathered.await;
        drop(asked);
        gathered.map_err(|error| AdmissionError::Inspection(error.into()))?
    }

    async fn beginnings(
        &self,
        repository: &RepositoryName,
        manifest: &Manifest,
    ) -> Result<Beginnings, StorageError> {
        let mut found = Beginnings::default();
        for part in Part::all(manifest) {
            let Some(beginning) = self.beginning(repository, part.described).await? else {
                found.absent.push(part.described.clone());
                continue;
            };
            found.here.push(part.described.clone());
            found.disguised = part.disguised(&beginning);
            if found.disguised.is_some() {
                break;
            }
        }
        Ok(found)
    }

    /// The first bytes of a blob that the repository has. What others have is not told.
    async fn beginning(
        &self,
        repository: &RepositoryName,
        blob: &Descriptor,
    ) -> Result<Option<Vec<u8>>, StorageError> {
        if self
            .store
            .granted(repository, &blob.digest)
            .await?
            .is_none()
        {
            return Ok(None);
        }
        let beginning = self
            .store
            .read_beginning(&blob.digest, Part::BEGINNING_BYTES);
        beginning.await
    }
}
