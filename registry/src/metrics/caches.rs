//! What was found in the caches, and what was not.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;

/// Looks into each cache.
#[derive(Debug, Default)]
pub(crate) struct CacheCounts {
    /// Manifests that may be pulled.
    pub(crate) manifests: Looks,
    /// Which blobs may be pulled.
    pub(crate) grants: Looks,
    /// The bytes of blobs.
    pub(crate) blobs: Looks,
}

/// Looks into one cache.
#[derive(Debug, Default)]
pub(crate) struct Looks {
    hits: AtomicU64,
    misses: AtomicU64,
}

impl Looks {
    /// Counts a look, which found this.
    pub(crate) fn count(&self, is_hit: bool) {
        let count = if is_hit { &self.hits } else { &self.misses };
        count.fetch_add(1, Relaxed);
    }
}

impl CacheCounts {
    pub(super) fn encode(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let help = "Looks into the caches in memory";
        let mut looks =
            encoder.encode_descriptor("cache_looks", help, None, MetricType::Counter)?;
        for (cache, counts) in [
            ("manifests", &self.manifests),
            ("grants", &self.grants),
            ("blobs", &self.blobs),
        ] {
            for (result, count) in [("hit", &counts.hits), ("miss", &counts.misses)] {
                let labels = [("cache", cache), ("result", result)];
                let family = looks.encode_family(&labels)?;
                ConstCounter::new(count.load(Relaxed)).encode(family)?;
            }
        }
        Ok(())
    }
}
