use bytes::Bytes;
use wasmport_artifact::{Algorithm, media_type};

use super::*;
use crate::metrics::Metrics;
use crate::policy_file::LoadedPolicy;

fn repository() -> RepositoryName {
    "team/app".parse().unwrap()
}

/// A registry with one layer, and that layer.
async fn with_layer(bytes: Vec<u8>) -> (Admission, Descriptor) {
    let store = Store::in_memory();
    let layer = Descriptor::of(media_type::IMAGE_CONFIG, &bytes);
    let mut writer = store.blob_writer(Algorithm::Sha256);
    writer.write(Bytes::from(bytes)).await.unwrap();
    store
        .put_blob(&repository(), writer, &layer.digest, None)
        .await
        .unwrap();
    let policy = LoadedPolicy::load("preset:standard").unwrap();
    let metrics = Arc::new(Metrics::new(store.counts()));
    (Admission::new(store, policy, metrics), layer)
}

impl Admission {
    fn look(&self, layer: &Descriptor) -> Shared<Look> {
        self.layers
            .look(&self.store, &self.inspections, &repository(), layer)
    }
}

#[tokio::test]
async fn a_layer_is_looked_through_once_whatever_it_is_called() {
    let (admission, layer) = with_layer(vec![0; 1024]).await;
    let other = Descriptor {
        media_type: "text/plain".to_owned(),
        ..layer.clone()
    };
    let (one, two) = (admission.look(&layer), admission.look(&other));
    assert!(one.ptr_eq(&two), "who comes later waits for the same");
    let found = one.await.unwrap().unwrap();
    let again = admission.look(&other).await.unwrap().unwrap();
    assert!(Arc::ptr_eq(&found, &again), "what was found is kept");
    admission.set_layer_limits(LayerLimits { expanded_bytes: 7 });
    let anew = admission.look(&layer).await.unwrap().unwrap();
    assert!(!Arc::ptr_eq(&found, &anew), "within other limits it is not");
}

#[tokio::test]
async fn what_was_cut_at_a_limit_is_kept_too() {
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(&vec![0; 100_000]).unwrap();
    let (admission, layer) = with_layer(packed.finish().unwrap()).await;
    admission.set_layer_limits(LayerLimits {
        expanded_bytes: 1000,
    });
    let found = admission.look(&layer).await.unwrap().unwrap();
    let again = admission.look(&layer).await.unwrap().unwrap();
    assert!(Arc::ptr_eq(&found, &again));
}

#[tokio::test]
async fn nothing_is_looked_through_for_nobody() {
    let (admission, layer) = with_layer(vec![0; 1024]).await;
    let places = [
        admission.inspections.permit(&repository()).await,
        admission.inspections.permit(&repository()).await,
    ];
    let (mut one, mut two) = (admission.look(&layer), admission.look(&layer));
    assert!((&mut one).now_or_never().is_none());
    assert!((&mut two).now_or_never().is_none());
    drop(one);
    let third = admission.look(&layer);
    assert!(third.ptr_eq(&two), "somebody waits still");
    drop((two, third));
    drop(places);
    // The places are free, and nothing takes them.
    let places = [
        admission.inspections.permit(&repository()).now_or_never(),
        admission.inspections.permit(&repository()).now_or_never(),
    ];
    assert!(places.iter().all(Option::is_some));
}

#[tokio::test]
async fn reading_ends_when_nobody_waits_and_leaves_nothing() {
    let (admission, layer) = with_layer(vec![0; 1024]).await;
    let blob = admission.store.open_blob(&layer.digest).await.unwrap();
    let asked = Arc::new(());
    let waiting = Arc::downgrade(&asked);
    drop(asked);
    let mut blob = BlockingBlob::new(blob.unwrap(), Handle::current(), waiting);
    let read = std::io::Read::read(&mut blob, &mut [0; 16]);
    assert!(read.is_err());
    assert!(blob.finish().is_err(), "it is not taken for the end");
}
