//! What the store does: its commits, and how long they take.

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Unit;

use super::place::Place;
use super::{CacheCounts, Durations};
use crate::storage::{Collected, CommitWatch, now};

/// Commits of batches of records.
#[derive(Debug, Default)]
pub(crate) struct StoreCounts {
    /// From when a batch was handed over until it was on disk.
    commits: Durations,
    records: AtomicU64,
    failed: AtomicU64,
    /// Transactions of the records, in which batches share a sync.
    transactions: Durations,
    batches: Sizes,
    syncs: Durations,
    file_bytes: AtomicU64,
    record_bytes: AtomicU64,
    place: Place,
    /// Looks into the caches.
    pub(crate) caches: CacheCounts,
    gc_runs: Durations,
    /// When the last run ended, in seconds since 1970.
    gc_last: AtomicU64,
    gc_manifests: AtomicU64,
    gc_blobs: AtomicU64,
    gc_bytes: AtomicU64,
}

/// How many batches transactions have.
#[derive(Debug)]
struct Sizes(Histogram);

impl Default for Sizes {
    fn default() -> Self {
        // Up to the most that one transaction takes.
        Self(Histogram::new(
            [1, 2, 4, 8, 16, 32, 64, 128, 256].map(f64::from),
        ))
    }
}

impl CommitWatch for StoreCounts {
    fn written(&self, batches: usize, duration: Duration) {
        self.transactions.observe(duration);
        let batches = u32::try_from(batches).unwrap_or(u32::MAX);
        self.batches.0.observe(f64::from(batches));
    }

    fn synced(&self, duration: Duration) {
        self.syncs.observe(duration);
    }
}

impl StoreCounts {
    /// The store is in this directory, and its records are in this file.
    pub(crate) fn is_at(&self, directory: PathBuf, records: PathBuf) {
        self.place.set(directory, records);
    }

    /// A blob was stored: as a record, or as a file.
    pub(crate) fn stored(&self, bytes: u64, is_record: bool) {
        let count = if is_record {
            &self.record_bytes
        } else {
            &self.file_bytes
        };
        count.fetch_add(bytes, Relaxed);
    }

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
        self.gc_last.store(now(), Relaxed);
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
        let help = "Time that a transaction of the records took";
        let written = encoder.encode_descriptor("store_transaction", help, Some(&unit), kind)?;
        self.transactions.encode(written)?;
        let help = "Batches that shared a transaction";
        let batches = encoder.encode_descriptor("store_transaction_batches", help, None, kind)?;
        self.batches.0.encode(batches)?;
        let help = "Time that a sync of the records took";
        let syncs = encoder.encode_descriptor("store_sync", help, Some(&unit), kind)?;
        self.syncs.encode(syncs)?;
        let help = "Bytes of the blobs that were stored since the start";
        let bytes = Unit::Bytes;
        let mut stored =
            encoder.encode_descriptor("store_written", help, Some(&bytes), MetricType::Counter)?;
        for (place, count) in [("file", &self.file_bytes), ("record", &self.record_bytes)] {
            let labels = [("place", place)];
            let family = stored.encode_family(&labels)?;
            ConstCounter::new(count.load(Relaxed)).encode(family)?;
        }
        self.place.encode(&mut encoder)?;
        self.caches.encode(&mut encoder)?;
        let last = self.gc_last.load(Relaxed);
        if last > 0 {
            let help = "When the last run of the collector ended, since 1970";
            let (name, kind) = ("gc_last_run_timestamp", MetricType::Gauge);
            let gauge = encoder.encode_descriptor(name, help, Some(&unit), kind)?;
            ConstGauge::new(i64::try_from(last).unwrap_or(i64::MAX)).encode(gauge)?;
        }
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
