//! What the store does: its commits, and how long they take.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::registry::Unit;

use super::Durations;
use crate::storage::Collected;

/// Commits of batches of records.
#[derive(Debug, Default)]
pub(crate) struct StoreCounts {
    /// From when a batch was handed over until it was on disk.
    commits: Durations,
    records: AtomicU64,
    failed: AtomicU64,
    gc_runs: Durations,
    gc_manifests: AtomicU64,
    gc_blobs: AtomicU64,
    gc_bytes: AtomicU64,
}

impl StoreCounts {
    /// A batch that changes so many records was committed, or was not.
    pub(crate) fn committed(&self, records: usize, duration: Duration, is_good: bool) {
        self.commits.observe(duration);
        if is_good {
            self.records.fetch_add(records as u64, Relaxed);
        } else {
            self.failed.fetch_add(1, Relaxed);
        }
    }

    /// A run of the collector took this away.
    pub(crate) fn collected(&self, run: &Collected) {
        self.gc_runs
            .observe(Duration::from_secs_f64(run.seconds.max(0.0)));
        if !run.dry_run {
            self.gc_manifests.fetch_add(run.manifests, Relaxed);
            self.gc_blobs.fetch_add(run.blobs, Relaxed);
            self.gc_bytes.fetch_add(run.bytes, Relaxed);
        }
    }
}

impl Collector for StoreCounts {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let (help, unit) = ("Time until a batch of records was on disk", Unit::Seconds);
        let kind = MetricType::Histogram;
        let commits = encoder.encode_descriptor("store_commit", help, Some(&unit), kind)?;
        self.commits.encode(commits)?;
        let help = "Time that runs of the collector took";
        let runs = encoder.encode_descriptor("gc_run", help, Some(&unit), kind)?;
        self.gc_runs.encode(runs)?;
        for (name, help, count) in [
            (
                "store_changed_records",
                "Records that were changed",
                &self.records,
            ),
            (
                "store_refused_batches",
                "Batches that were not committed, since others were faster or the disk failed",
                &self.failed,
            ),
            (
                "gc_manifests",
                "Manifests that were collected",
                &self.gc_manifests,
            ),
            ("gc_blobs", "Blobs that were collected", &self.gc_blobs),
            (
                "gc_bytes",
                "Bytes of the blobs that were collected",
                &self.gc_bytes,
            ),
        ] {
            let encoder = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            ConstCounter::new(count.load(Relaxed)).encode(encoder)?;
        }
        Ok(())
    }
}
