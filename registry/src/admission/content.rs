//! Reads the blobs of a manifest and finds out what they are.

use wasmport_artifact::{Descriptor, Manifest, RepositoryName, limits};
use wasmport_policies::Content;

use super::{Admission, AdmissionError};
use crate::storage::StorageError;

/// How much of a layer tells whether it is Wasm.
const BEGINNING_BYTES: u64 = 8;

impl Admission {
    /// What `manifest` carries, and whether all of it was there to be looked at.
    pub(super) async fn inspect(
        &self,
        repository: &RepositoryName,
        manifest: &Manifest,
    ) -> Result<(Content, bool), AdmissionError> {
        if manifest.is_wasm() {
            return Ok((self.inspect_wasm(manifest).await?, true));
        }
        let (disguised, is_whole) = self.find_disguised(repository, manifest).await?;
        let content = disguised.unwrap_or_else(|| Content::gather(manifest, None, None));
        Ok((content, is_whole))
    }

    /// The blobs of `manifest` must be in the store.
    async fn inspect_wasm(&self, manifest: &Manifest) -> Result<Content, AdmissionError> {
        // Never closed, and so an error cannot come; without a permit it still works.
        let _permit = self.inspections.acquire().await.ok();
        let config = self
            .read(manifest.config(), limits::CONFIG_BYTES as u64)
            .await?;
        let mut layers = manifest.wasm_layers();
        let layer = match (layers.next(), layers.next()) {
            (Some(layer), None) if layer.size > limits::WASM_BYTES => {
                return Ok(too_large(layer.size));
            }
            (Some(layer), None) => self.read(Some(layer), limits::WASM_BYTES).await?,
            // More than one is refused whatever they are.
            _ => None,
        };
        let manifest = manifest.clone();
        let gathered = tokio::task::spawn_blocking(move || {
            Content::gather(&manifest, config.as_deref(), layer.as_deref())
        });
        gathered
            .await
            .map_err(|error| AdmissionError::Inspection(error.into()))
    }

    /// A blob that is Wasm although nothing says so. False when there was none, and a blob that
    /// is not there may still turn out to be one.
    async fn find_disguised(
        &self,
        repository: &RepositoryName,
        manifest: &Manifest,
    ) -> Result<(Option<Content>, bool), StorageError> {
        let mut is_whole = true;
        if let Some(config) = manifest.config() {
            let beginning = self.beginning(repository, config).await?;
            is_whole &= beginning.is_some();
            let disguised = beginning.and_then(|bytes| Content::disguised_as_config(&bytes));
            if disguised.is_some() {
                return Ok((disguised, true));
            }
        }
        for layer in manifest.layers() {
            let beginning = self.beginning(repository, layer).await?;
            is_whole &= beginning.is_some();
            let disguised =
                beginning.and_then(|bytes| Content::disguised(&layer.media_type, &bytes));
            if disguised.is_some() {
                return Ok((disguised, true));
            }
        }
        Ok((None, is_whole))
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
        let beginning = self.store.read_beginning(&blob.digest, BEGINNING_BYTES);
        beginning.await
    }

    async fn read(
        &self,
        blob: Option<&Descriptor>,
        limit: u64,
    ) -> Result<Option<Vec<u8>>, StorageError> {
        match blob {
            Some(blob) => self.store.read_blob(&blob.digest, limit).await,
            None => Ok(None),
        }
    }
}

fn too_large(size: u64) -> Content {
    let reason = format!(
        "its layer has {size} bytes, and at most {} are inspected",
        limits::WASM_BYTES
    );
    Content::Unreadable { reason }
}
