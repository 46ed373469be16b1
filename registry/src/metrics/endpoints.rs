//! Requests by endpoint, method and status: a table that is there from the beginning.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use axum::http::{Method, StatusCode};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::registry::Unit;

use super::Durations;
use crate::endpoint::Endpoint;

/// What kind of endpoint a request is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    Base,
    Blob,
    Manifest,
    Upload,
    Tags,
    Referrers,
    Catalog,
    Admin,
    #[default]
    Other,
}

const KINDS: [(Kind, &str); 9] = [
    (Kind::Base, "base"),
    (Kind::Blob, "blob"),
    (Kind::Manifest, "manifest"),
    (Kind::Upload, "upload"),
    (Kind::Tags, "tags"),
    (Kind::Referrers, "referrers"),
    (Kind::Catalog, "catalog"),
    (Kind::Admin, "admin"),
    (Kind::Other, "other"),
];

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "other"];

const STATUSES: [&str; 5] = ["2xx", "3xx", "4xx", "5xx", "abandoned"];

/// The requests for one endpoint by one method.
#[derive(Debug, Default)]
struct Cell {
    statuses: [AtomicU64; STATUSES.len()],
    durations: Durations,
}

/// The table.
#[derive(Debug, Default)]
pub(super) struct Endpoints {
    cells: [[Cell; METHODS.len()]; KINDS.len()],
}

impl Kind {
    pub(crate) fn of(endpoint: &Endpoint) -> Self {
        match endpoint {
            Endpoint::Base => Self::Base,
            Endpoint::Blob(..) => Self::Blob,
            Endpoint::Manifest(..) => Self::Manifest,
            Endpoint::Uploads(_) | Endpoint::Upload(..) => Self::Upload,
            Endpoint::Tags(_) | Endpoint::TagHistory(..) => Self::Tags,
            Endpoint::Decision(..) => Self::Other,
            Endpoint::Catalog => Self::Catalog,
            Endpoint::Referrers(..) => Self::Referrers,
        }
    }

    /// Its name in logs and metrics.
    pub(crate) fn as_str(self) -> &'static str {
        let named = KINDS.iter().find(|(kind, _)| *kind == self);
        named.map_or("other", |(_, name)| name)
    }
}

impl Kind {
    /// Its path, with names for what differs (semantic conventions, `http.route`).
    pub(crate) fn route(self) -> &'static str {
        match self {
            Self::Base => "/v2/",
            Self::Blob => "/v2/{name}/blobs/{digest}",
            Self::Manifest => "/v2/{name}/manifests/{reference}",
            Self::Upload => "/v2/{name}/blobs/uploads/{upload}",
            Self::Tags => "/v2/{name}/tags",
            Self::Referrers => "/v2/{name}/referrers/{digest}",
            Self::Catalog => "/v2/_catalog",
            Self::Admin => "/_wasmport/v1/{path}",
            Self::Other => "/v2/{path}",
        }
    }
}

impl Endpoints {
    pub(super) fn answered(
        &self,
        kind: Kind,
        method: &Method,
        status: StatusCode,
        duration: Duration,
    ) {
        let column = match status.as_u16() {
            ..300 => 0,
            300..400 => 1,
            400..500 => 2,
            500.. => 3,
        };
        if let Some(cell) = self.cell(kind, method) {
            count(cell, column);
            cell.durations.observe(duration);
        }
    }

    pub(super) fn abandoned(&self, kind: Kind, method: &Method) {
        if let Some(cell) = self.cell(kind, method) {
            count(cell, STATUSES.len() - 1);
        }
    }

    fn cell(&self, kind: Kind, method: &Method) -> Option<&Cell> {
        let column = match *method {
            Method::GET => 0,
            Method::HEAD => 1,
            Method::POST => 2,
            Method::PATCH => 3,
            Method::PUT => 4,
            Method::DELETE => 5,
            _ => METHODS.len() - 1,
        };
        // The kinds stand in the table in the order that they have.
        self.cells.get(kind as usize)?.get(column)
    }

    /// The cells with their labels.
    fn cells(&self) -> impl Iterator<Item = (&'static str, &'static str, &Cell)> {
        KINDS
            .iter()
            .zip(&self.cells)
            .flat_map(|((_, kind), cells)| {
                let cells = METHODS.iter().zip(cells);
                cells.map(|(method, cell)| (*kind, *method, cell))
            })
    }
}

fn count(cell: &Cell, column: usize) {
    if let Some(count) = cell.statuses.get(column) {
        count.fetch_add(1, Relaxed);
    }
}

impl Collector for Endpoints {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let help = "Requests by endpoint, method and class of status";
        let mut counts =
            encoder.encode_descriptor("http_requests", help, None, MetricType::Counter)?;
        for (endpoint, method, cell) in self.cells() {
            for (status, count) in STATUSES.iter().zip(&cell.statuses) {
                let count = count.load(Relaxed);
                if count > 0 {
                    let labels = [
                        ("endpoint", endpoint),
                        ("method", method),
                        ("status", *status),
                    ];
                    ConstCounter::new(count).encode(counts.encode_family(&labels)?)?;
                }
            }
        }
        let help = "Time from the headers of a request to those of its answer";
        let unit = Unit::Seconds;
        let mut durations = encoder.encode_descriptor(
            "http_request_duration",
            help,
            Some(&unit),
            MetricType::Histogram,
        )?;
        for (endpoint, method, cell) in self.cells() {
            if !cell.durations.is_empty() {
                let labels = [("endpoint", endpoint), ("method", method)];
                cell.durations.encode(durations.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kinds_stand_in_the_order_of_the_table() {
        for (index, (kind, _)) in KINDS.iter().enumerate() {
            assert_eq!(*kind as usize, index);
        }
    }
}
