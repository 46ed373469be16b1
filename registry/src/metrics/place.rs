//! The file system that a store is on, asked when somebody reads the metrics.

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

/// The directory of a store, if it has one, and the file of its records.
#[derive(Debug, Default)]
pub(super) struct Place(OnceLock<(PathBuf, PathBuf)>);

impl Place {
    pub(super) fn set(&self, directory: PathBuf, records: PathBuf) {
        // A store stays where it is.
        let _again = self.0.set((directory, records));
    }

    pub(super) fn encode(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let Some((directory, records)) = self.0.get() else {
            return Ok(());
        };
        let records = fs::metadata(records).map(|file| file.len()).ok();
        let system = rustix::fs::statvfs(directory).ok();
        let size = |blocks: u64| system.as_ref().map(|system| blocks * system.f_frsize);
        let all = system.as_ref().and_then(|system| size(system.f_blocks));
        let free = system.as_ref().and_then(|system| size(system.f_bavail));
        for (name, help, value) in [
            ("store_records", "The file of the records", records),
            (
                "store_file_system",
                "The file system that the store is on",
                all,
            ),
            ("store_free", "What is free there for this process", free),
        ] {
            // What cannot be asked is left out, which an alarm can see.
            let Some(value) = value else {
                continue;
            };
            let unit = Unit::Bytes;
            let gauge = encoder.encode_descriptor(name, help, Some(&unit), MetricType::Gauge)?;
            let value = i64::try_from(value).unwrap_or(i64::MAX);
            ConstGauge::new(value).encode(gauge)?;
        }
        Ok(())
    }
}
