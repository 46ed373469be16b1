//! Images that are looked through for Wasm, layer by layer.
//!
//! What is in a layer depends on its bytes alone, so it is kept by its digest. Who asks for what
//! is being looked through already waits for the same, and when nobody waits any more it ends.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tokio::runtime::Handle;
use wasmport_artifact::{Descriptor, Digest, Manifest, RepositoryName};
use wasmport_policies::{Content, ImageSurvey, LayerFacts, LayerLimits};

use super::blocking_blob::BlockingBlob;
use super::content::Beginnings;
use super::inspections::Inspections;
use super::{Admission, AdmissionError};
use crate::storage::Store;

/// How much memory what was found in layers may take, in bytes: most images of a company
/// have the same lowest layers.
const REMEMBERED_BYTES: u64 = 4 << 20;

/// What is in layers.
#[derive(Debug, Default)]
pub(super) struct Layers {
    known: ArcSwap<Known>,
}

/// What was found within these limits, and what is being looked for.
#[derive(Debug)]
struct Known {
    limits: LayerLimits,
    found: Cache<Digest, Arc<LayerFacts>, Weight>,
    looking: Mutex<HashMap<Digest, WeakShared<Look>>>,
}

/// Nothing when the layer was collected since it was asked for.
type Found = Result<Option<Arc<LayerFacts>>, Arc<AdmissionError>>;

type Look = BoxFuture<'static, Found>;

/// What an entry costs.
#[derive(Clone, Debug)]
struct Weight;

impl Admission {
    /// What the manifest carries by its config and its layers, and whether all of them were
    /// still there.
    pub(super) async fn look_through(
        &self,
        repository: &RepositoryName,
        manifest: &Manifest,
        Beginnings { here, absent, .. }: Beginnings,
    ) -> Result<(Content, bool), AdmissionError> {
        let mut survey = ImageSurvey::new(self.layers.limits());
        let mut is_whole = absent.is_empty();
        for layer in &here {
            if survey.is_spent() {
                survey.pass_over(layer);
                continue;
            }
            let look = self
                .layers
                .look(&self.store, &self.inspections, repository, layer);
            match look.await {
                Ok(Some(found)) => survey.take_up(layer, &found),
                Ok(None) => {
                    survey.miss(layer);
                    is_whole = false;
                }
                Err(error) => return Err(AdmissionError::Inspection(error.into())),
            }
        }
        for blob in &absent {
            survey.miss(blob);
        }
        Ok((survey.finish(manifest), is_whole))
    }
}

impl Layers {
    pub(super) fn set_limits(&self, limits: LayerLimits) {
        if limits != self.limits() {
            self.known.store(Arc::new(Known::within(limits)));
        }
    }

    fn limits(&self) -> LayerLimits {
        self.known.load().limits
    }

    /// What is in a layer: known before, being found out, or found out now.
    fn look(
        &self,
        store: &Store,
        inspections: &Arc<Inspections>,
        repository: &RepositoryName,
        layer: &Descriptor,
    ) -> Shared<Look> {
        let known = self.known.load_full();
        if let Some(found) = known.found.get(&layer.digest) {
            return std::future::ready(Ok(Some(found))).boxed().shared();
        }
        let looking = known.looking.lock();
        let mut looking = looking.unwrap_or_else(PoisonError::into_inner);
        if let Some(look) = looking.get(&layer.digest).and_then(WeakShared::upgrade) {
            return look;
        }
        looking.retain(|_, look| look.upgrade().is_some());
        let (store, digest) = (store.clone(), layer.digest.clone());
        let (inspections, repository) = (Arc::clone(inspections), repository.clone());
        let kept = Arc::clone(&known);
        let look = async move {
            let permit = inspections.permit(&repository).await;
            let found = look_through(&store, &kept, &digest, permit).await;
            found.map_err(Arc::new)
        };
        let look = look.boxed().shared();
        if let Some(weak) = look.downgrade() {
            looking.insert(layer.digest.clone(), weak);
        }
        look
    }
}

/// `permit` is held as long as the work goes on.
async fn look_through(
    store: &Store,
    known: &Arc<Known>,
    digest: &Digest,
    permit: impl Send + 'static,
) -> Result<Option<Arc<LayerFacts>>, AdmissionError> {
    let Some(blob) = store.open_blob(digest).await? else {
        return Ok(None);
    };
    let size = blob.size();
    // It is dropped with this future, when nobody waits for it.
    let asked = Arc::new(());
    let mut blob = BlockingBlob::new(blob, Handle::current(), Arc::downgrade(&asked));
    let (known, digest) = (Arc::clone(known), digest.clone());
    let looked = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let found = LayerFacts::of(&digest, size, &mut blob, known.limits);
        blob.finish()?;
        let found = Arc::new(found);
        known.found.insert(digest, Arc::clone(&found));
        Ok(Some(found))
    });
    let looked = looked.await;
    drop(asked);
    looked.map_err(|error| AdmissionError::Inspection(error.into()))?
}

impl Known {
    fn within(limits: LayerLimits) -> Self {
        Self {
            limits,
            // A layer without Wasm takes 400 bytes.
            found: Cache::with_weighter(4096, REMEMBERED_BYTES, Weight),
            looking: Mutex::default(),
        }
    }
}

impl Default for Known {
    fn default() -> Self {
        Self::within(LayerLimits::default())
    }
}

impl Weighter<Digest, Arc<LayerFacts>> for Weight {
    fn weight(&self, _: &Digest, found: &Arc<LayerFacts>) -> u64 {
        found.weight() as u64
    }
}

#[cfg(test)]
mod tests;
