//! Reads the blobs of a manifest and finds out what they are.

use std::collections::HashSet;
use std::sync::Arc;

use wasmport_artifact::{Descriptor, Manifest, RepositoryName, limits};
use wasmport_policies::Content;

use super::{Admission, AdmissionError};
use crate::storage::StorageError;

/// How much of a layer tells whether it is Wasm.
const BEGINNING_BYTES: u64 = 8;

/// What the beginnings of the blobs of a manifest told.
struct Beginnings {
    /// A blob that is Wasm although nothing says so.
    disguised: Option<Content>,
    /// The layers that are there, each once.
    layers: Vec<Descriptor>,
    /// What is not there may still turn out to be Wasm.
    is_whole: bool,
}

impl Admission {
    /// What `manifest` carries, and whether all of it was there to be looked at.
    pub(super) async fn inspect(
        &self,
        repository: &RepositoryName,
        manifest: &Manifest,
    ) -> Result<(Content, bool), AdmissionError> {
        if Content::is_single(manifest) {
            return Ok((self.inspect_wasm(manifest).await?, true));
        }
        let beginnings = self.beginnings(repository, manifest).await?;
        if let Some(disguised) = beginnings.disguised {
            return Ok((disguised, true));
        }
        let (carried, is_still_there) = self.look_through(manifest, beginnings.layers).await?;
        let is_whole = beginnings.is_whole && is_still_there;
        let is_nothing = matches!(&carried, Content::Image { wasm, unseen }
            if wasm.is_empty() && unseen.is_empty());
        if is_nothing && !is_whole {
            // Of what is not there nothing is known.
            return Ok((Content::gather(manifest, None, None), false));
        }
        Ok((carried, is_whole))
    }

    /// The blobs of `manifest` must be in the store.
    async fn inspect_wasm(&self, manifest: &Manifest) -> Result<Content, AdmissionError> {
        let permit = Arc::clone(&self.inspections).acquire_owned().await;
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
            // Whoever asked may go away, and the work goes on: it is what is counted.
            let _permit = permit;
            Content::gather(&manifest, config.as_deref(), layer.as_deref())
        });
        gathered
            .await
            .map_err(|error| AdmissionError::Inspection(error.into()))
    }

    async fn beginnings(
        &self,
        repository: &RepositoryName,
        manifest: &Manifest,
    ) -> Result<Beginnings, StorageError> {
        let mut found = Beginnings {
            disguised: None,
            layers: Vec::new(),
            is_whole: true,
        };
        if let Some(config) = manifest.config() {
            let beginning = self.beginning(repository, config).await?;
            found.is_whole &= beginning.is_some();
            found.disguised = beginning.and_then(|bytes| Content::disguised_as_config(&bytes));
        }
        let mut known = HashSet::new();
        let layers = manifest.layers().iter();
        for layer in layers.filter(|layer| known.insert((&layer.digest, &layer.media_type))) {
            if found.disguised.is_some() {
                break;
            }
            let Some(beginning) = self.beginning(repository, layer).await? else {
                found.is_whole = false;
                continue;
            };
            found.disguised = Content::disguised(&layer.media_type, &beginning);
            found.layers.push(layer.clone());
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
