//! `[telemetry]`: what the registry says about itself, and where.

use std::io::{IsTerminal, stderr};
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

/// What is logged unless the settings or the environment say otherwise.
const LOG: &str = "info";

/// `[telemetry]`: what the registry says about itself, and where.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TelemetrySettings {
    /// An address of its own for `/metrics`, in plain HTTP, for whoever reaches it. Default:
    /// none, and `/metrics` answers on the registry's address, to this machine only.
    pub metrics_addr: Option<SocketAddr>,
    /// How the log is written to stderr: `text`, for people, or `json`, an object a line.
    /// Default: `text`.
    pub log_format: LogFormat,
    /// What is logged: a level, or levels by target, such as `info,request=debug`. The
    /// environment's `RUST_LOG` goes before. Default: `info`.
    pub log: Option<String>,
    /// Where traces go: the URL of an OpenTelemetry collector that takes OTLP over HTTP, such
    /// as `http://127.0.0.1:4318`, to which `/v1/traces` is added. The environment's
    /// `OTEL_EXPORTER_OTLP_ENDPOINT` goes before. Needs a binary with the feature `otel`.
    /// Default: none are sent.
    pub otlp_endpoint: Option<String>,
    /// The share of requests that are traced, from 0 to 1, of those that are in no trace yet;
    /// of the others the client decides. Default: 1.
    pub trace_share: f64,
}

impl Default for TelemetrySettings {
    fn default() -> Self {
        Self {
            metrics_addr: None,
            log_format: LogFormat::default(),
            log: None,
            otlp_endpoint: None,
            trace_share: 1.0,
        }
    }
}

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For machines: an object a line.
    Json,
}

/// Writes the log to stderr from now on. `filter` is what the environment says; without it,
/// the settings do. An error is that there is a log already.
pub fn start_log(settings: &TelemetrySettings, filter: Option<&str>) -> Result<(), TryInitError> {
    let filter = filter.or(settings.log.as_deref()).unwrap_or(LOG);
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new(LOG));
    let lines = tracing_subscriber::fmt::layer().with_writer(stderr);
    let registry = tracing_subscriber::registry().with(filter);
    match settings.log_format {
        LogFormat::Text => registry
            .with(lines.with_ansi(stderr().is_terminal()))
            .try_init(),
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init(),
    }
}
