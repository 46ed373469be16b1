//! What comes out: rates, latencies, and whether everything was right.

use std::fmt;
use std::process::ExitCode;
use std::time::Duration;

use clap::ValueEnum;
use serde_json::{Value, json};

use crate::Options;
use crate::workload::Measured;

/// How many errors are told in full.
const TOLD: usize = 5;

/// The result of one run.
#[derive(Debug)]
pub(crate) struct Report {
    workload: String,
    connections: usize,
    measured: Measured,
}

impl Report {
    pub(crate) fn new(options: &Options, mut measured: Measured) -> Self {
        measured.latencies.sort_unstable();
        let workload = options.workload.to_possible_value();
        Self {
            workload: workload.map_or_else(String::new, |value| value.get_name().to_owned()),
            connections: options.connections,
            measured,
        }
    }

    /// One wrong answer is a failure.
    pub(crate) fn exit_code(&self) -> ExitCode {
        if self.measured.errors.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }

    pub(crate) fn json(&self) -> Value {
        let measured = &self.measured;
        let errors: Vec<&String> = measured.errors.iter().take(TOLD).collect();
        json!({
            "workload": self.workload,
            "connections": self.connections,
            "operations": measured.latencies.len(),
            "operations_per_second": self.operations_per_second(measured.steady),
            "operations_per_second_with_setup": self.operations_per_second(measured.total),
            "requests_per_second": rate(measured.requests, measured.steady),
            "bytes_per_second": rate(measured.bytes, measured.steady),
            "latency_seconds": {
                "min": self.percentile(0).as_secs_f64(),
                "p50": self.percentile(50).as_secs_f64(),
                "p75": self.percentile(75).as_secs_f64(),
                "p90": self.percentile(90).as_secs_f64(),
                "p99": self.percentile(99).as_secs_f64(),
                "max": self.percentile(100).as_secs_f64(),
            },
            "errors": measured.errors.len(),
            "first_errors": errors,
        })
    }

    fn operations_per_second(&self, within: Duration) -> f64 {
        rate(self.measured.latencies.len() as u64, within)
    }

    /// The latency that `percent` of the operations did not exceed.
    fn percentile(&self, percent: usize) -> Duration {
        let latencies = &self.measured.latencies;
        let last = latencies.len().saturating_sub(1);
        latencies
            .get(last * percent / 100)
            .copied()
            .unwrap_or_default()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let measured = &self.measured;
        writeln!(
            formatter,
            "{}: {} operations on {} connections, {:.1}/s ({:.1}/s with set-up), {:.1} requests/s, {:.1} MB/s",
            self.workload,
            measured.latencies.len(),
            self.connections,
            self.operations_per_second(measured.steady),
            self.operations_per_second(measured.total),
            rate(measured.requests, measured.steady),
            rate(measured.bytes, measured.steady) / 1e6,
        )?;
        for (name, percent) in [("p50", 50), ("p90", 90), ("p99", 99), ("max", 100)] {
            write!(formatter, "  {name} {:?}", self.percentile(percent))?;
        }
        writeln!(formatter, "  errors {}", measured.errors.len())?;
        for error in measured.errors.iter().take(TOLD) {
            writeln!(formatter, "  wrong: {error}")?;
        }
        Ok(())
    }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "nobody counts to where a float has gaps"
)]
fn rate(count: u64, within: Duration) -> f64 {
    count as f64 / within.as_secs_f64().max(1e-9)
}
