//! A histogram of durations without a lock.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

/// The upper ends of the buckets, in microseconds: an answer from memory takes some ten
/// microseconds, a push that is synced some milliseconds, and a large upload minutes.
const BUCKETS: [u64; 12] = [
    100,
    250,
    1_000,
    2_500,
    10_000,
    25_000,
    100_000,
    250_000,
    1_000_000,
    5_000_000,
    30_000_000,
    300_000_000,
];

/// How long things took.
#[derive(Debug, Default)]
pub(crate) struct Durations {
    buckets: [AtomicU64; BUCKETS.len()],
    longer: AtomicU64,
    microseconds: AtomicU64,
}

impl Durations {
    /// Something took this long.
    pub(crate) fn observe(&self, duration: Duration) {
        let microseconds = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let bucket = BUCKETS.iter().position(|end| microseconds <= *end);
        let bucket = bucket.and_then(|index| self.buckets.get(index));
        bucket.unwrap_or(&self.longer).fetch_add(1, Relaxed);
        self.microseconds.fetch_add(microseconds, Relaxed);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.buckets().iter().all(|(_, count)| *count == 0)
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "microseconds of years fit into 52 bits"
    )]
    fn buckets(&self) -> Vec<(f64, u64)> {
        let ends = BUCKETS.iter().map(|end| *end as f64 / 1e6);
        let counts = self.buckets.iter().map(|count| count.load(Relaxed));
        let longer = (f64::MAX, self.longer.load(Relaxed));
        ends.zip(counts).chain([longer]).collect()
    }
}

impl EncodeMetric for Durations {
    #[expect(
        clippy::cast_precision_loss,
        reason = "microseconds of years fit into 52 bits"
    )]
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        let buckets = self.buckets();
        let count = buckets.iter().map(|(_, count)| count).sum();
        let sum = self.microseconds.load(Relaxed) as f64 / 1e6;
        encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}
