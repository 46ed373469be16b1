//! What the registry counts, for `/metrics`. On the way of a request there are atomics only:
//! which of them is known from the endpoint, the method and the status.

mod caches;
mod durations;
mod endpoints;
mod place;
mod store;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use wasmport_policies::Decision;

pub(crate) use self::caches::CacheCounts;
pub(crate) use self::durations::Durations;
use self::endpoints::Endpoints;
pub(crate) use self::endpoints::Kind;
pub(crate) use self::store::StoreCounts;

/// Everything that is counted.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    endpoints: Arc<Endpoints>,
    decisions: Family<DecisionLabels, Counter>,
    connections: Gauge,
    open_uploads: Gauge,
    refused: Family<Reason, Counter>,
    cut: Family<Reason, Counter>,
    received: Counter<u64, AtomicU64>,
    sent: Counter<u64, AtomicU64>,
    reloads: Family<ReloadLabels, Counter>,
    undecided: Counter,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DecisionLabels {
    action: &'static str,
    verdict: String,
    code: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReloadLabels {
    what: &'static str,
    result: &'static str,
}

impl Metrics {
    /// The metrics of a registry over a store that counts like this.
    pub(crate) fn new(store: Arc<StoreCounts>) -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("wasmport"),
            endpoints: Arc::default(),
            decisions: Family::default(),
            connections: Gauge::default(),
            open_uploads: Gauge::default(),
            refused: Family::default(),
            cut: Family::default(),
            received: Counter::default(),
            sent: Counter::default(),
            reloads: Family::default(),
            undecided: Counter::default(),
        };
        metrics.registry.register_collector(Box::new(store));
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register_collector(Box::new(Arc::clone(&self.endpoints)));
        registry.register(
            "decisions",
            "Decisions of the policy, one for each code of a finding; pulls only when refused",
            self.decisions.clone(),
        );
        let help = "Uploads that have begun to arrive and have not ended";
        registry.register("open_uploads", help, self.open_uploads.clone());
        let http = registry.sub_registry_with_prefix("http");
        http.register("connections", "Open connections", self.connections.clone());
        let help = "Connections and requests that were refused since there were too many";
        http.register("refused", help, self.refused.clone());
        let help = "Connections that were closed since they took too long";
        http.register("cut", help, self.cut.clone());
        let (help, received) = ("Bytes from clients", self.received.clone());
        http.register_with_unit("received", help, Unit::Bytes, received);
        let (help, sent) = ("Bytes to clients", self.sent.clone());
        http.register_with_unit("sent", help, Unit::Bytes, sent);
        let help = "Policies, access rules and certificates that were read again";
        registry.register("reloads", help, self.reloads.clone());
        let help = "Failures to decide again on what is held, or to read what a tag waits for";
        registry.register("undecided", help, self.undecided.clone());
    }

    /// The text that Prometheus reads, while so many uploads are open.
    pub(crate) fn encode(&self, open_uploads: usize) -> Result<String, fmt::Error> {
        self.open_uploads
            .set(i64::try_from(open_uploads).unwrap_or(i64::MAX));
        let mut page = String::with_capacity(16 * 1024);
        text::encode(&mut page, &self.registry)?;
        Ok(page)
    }

    /// A request was answered.
    pub(crate) fn answered(
        &self,
        kind: Kind,
        method: &Method,
        status: StatusCode,
        duration: Duration,
    ) {
        self.endpoints.answered(kind, method, status, duration);
    }

    /// The client went before there was an answer.
    pub(crate) fn abandoned(&self, kind: Kind, method: &Method) {
        self.endpoints.abandoned(kind, method);
    }

    /// The policy was asked about a push, a pull, or something that was held.
    pub(crate) fn decided(&self, action: &'static str, decision: &Decision) {
        let verdict = decision.verdict.to_string();
        let count = |code: &str| {
            let (verdict, code) = (verdict.clone(), code.to_owned());
            let labels = DecisionLabels {
                action,
                verdict,
                code,
            };
            self.decisions.get_or_create(&labels).inc();
        };
        if decision.findings.is_empty() {
            count("");
        }
        let mut seen: Vec<&str> = Vec::new();
        for finding in &decision.findings {
            let code = finding.code.as_str();
            if !seen.contains(&code) {
                seen.push(code);
                count(code);
            }
        }
    }

    /// Something that is held could not be decided on again.
    pub(crate) fn undecided(&self) {
        self.undecided.inc();
    }

    pub(crate) fn connected(&self) {
        self.connections.inc();
    }

    pub(crate) fn disconnected(&self) {
        self.connections.dec();
    }

    /// A connection moved so many bytes.
    pub(crate) fn moved(&self, received: u64, sent: u64) {
        self.received.inc_by(received);
        self.sent.inc_by(sent);
    }

    /// There were too many connections or requests.
    pub(crate) fn refused(&self, reason: &'static str) {
        self.refused.get_or_create(&Reason { reason }).inc();
    }

    /// A client was too slow.
    pub(crate) fn cut(&self, reason: &'static str) {
        self.cut.get_or_create(&Reason { reason }).inc();
    }

    /// Something was read again, with this result.
    pub(crate) fn reloaded(&self, what: &'static str, result: &'static str) {
        self.reloads
            .get_or_create(&ReloadLabels { what, result })
            .inc();
    }
}
