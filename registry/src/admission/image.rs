//! Images that are looked through for Wasm, layer by layer.

use std::io::{self, Read};
use std::sync::Arc;

use bytes::{Buf, Bytes};
use futures_util::StreamExt;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tokio::runtime::Handle;
use wasmport_artifact::{Descriptor, Digest, Manifest};
use wasmport_policies::{Content, ImageSurvey, LayerFacts};

use super::content::Beginnings;
use super::{Admission, AdmissionError};
use crate::storage::{OpenBlob, Pieces, Store};

/// How much memory what was found in layers may take, in bytes: most images of a company
/// have the same lowest layers.
const REMEMBERED_BYTES: u64 = 4 << 20;

/// What was found in layers before.
pub(super) type Layers = Cache<Digest, Arc<LayerFacts>, Weight>;

/// What an entry costs.
#[derive(Clone, Debug)]
pub(super) struct Weight;

/// A blob that is read where it may block.
struct BlockingBlob {
    pieces: Pieces,
    piece: Bytes,
    runtime: Handle,
}

pub(super) fn layers() -> Arc<Layers> {
    // A layer without Wasm takes 400 bytes.
    Arc::new(Cache::with_weighter(4096, REMEMBERED_BYTES, Weight))
}

impl Admission {
    /// What the manifest carries by its config and its layers, and whether all of them were
    /// still there.
    pub(super) async fn look_through(
        &self,
        manifest: &Manifest,
        Beginnings { here, absent, .. }: Beginnings,
    ) -> Result<(Content, bool), AdmissionError> {
        let permit = Arc::clone(&self.inspections).acquire_owned().await;
        let (store, known, manifest) = (
            self.store.clone(),
            Arc::clone(&self.layers),
            manifest.clone(),
        );
        let runtime = Handle::current();
        let looked = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let mut survey = ImageSurvey::default();
            let mut is_whole = absent.is_empty();
            for blob in &here {
                is_whole &= look_through(&store, &known, &runtime, &mut survey, blob)?;
            }
            for blob in &absent {
                survey.miss(blob);
            }
            Ok((survey.finish(&manifest), is_whole))
        });
        looked
            .await
            .map_err(|error| AdmissionError::Inspection(error.into()))?
    }
}

/// False when the layer was collected since it was asked for.
fn look_through(
    store: &Store,
    known: &Layers,
    runtime: &Handle,
    survey: &mut ImageSurvey,
    layer: &Descriptor,
) -> Result<bool, AdmissionError> {
    // By its type, too, which says what it should be.
    let name = Digest::of(format!("{} {}", layer.media_type, layer.digest).as_bytes());
    if let Some(found) = known.get(&name) {
        survey.take_up(&found);
        return Ok(true);
    }
    let Some(blob) = runtime.block_on(store.open_blob(&layer.digest))? else {
        survey.miss(layer);
        return Ok(false);
    };
    let found = survey.look_through(layer, &mut BlockingBlob::new(blob, runtime));
    if found.is_complete() {
        known.insert(name, Arc::new(found));
    }
    Ok(true)
}

impl BlockingBlob {
    fn new(blob: Box<dyn OpenBlob>, runtime: &Handle) -> Self {
        let size = blob.size();
        Self {
            pieces: blob.stream(0..size),
            piece: Bytes::new(),
            runtime: runtime.clone(),
        }
    }
}

impl Read for BlockingBlob {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.runtime.block_on(self.pieces.next()) {
                Some(piece) => self.piece = piece?,
                None => return Ok(0),
            }
        }
        let count = buffer.len().min(self.piece.len());
        if let Some(buffer) = buffer.get_mut(..count) {
            self.piece.copy_to_slice(buffer);
        }
        Ok(count)
    }
}

impl Weighter<Digest, Arc<LayerFacts>> for Weight {
    fn weight(&self, _: &Digest, found: &Arc<LayerFacts>) -> u64 {
        found.weight() as u64
    }
}
