//! OpenTelemetry traces: a span for each request and for the long steps in it, sent by
//! OTLP/HTTP. Without the cargo feature `otel` all of this is nothing, and costs nothing.

#[cfg(feature = "otel")]
mod otlp;
#[cfg(feature = "otel")]
mod request;
#[cfg(not(feature = "otel"))]
mod without;

use std::time::Duration;

use thiserror::Error;
use tracing::warn;

#[cfg(feature = "otel")]
use self::otlp::Exporter;
#[cfg(feature = "otel")]
pub(crate) use self::otlp::{carried, step};
#[cfg(feature = "otel")]
pub(crate) use self::request::RequestSpan;
#[cfg(not(feature = "otel"))]
use self::without::Exporter;
#[cfg(not(feature = "otel"))]
pub(crate) use self::without::{RequestSpan, carried, step};
use crate::telemetry::TelemetrySettings;

/// How long the last spans may take to be sent when the registry stops. A collector that does
/// not answer must not hold up a restart.
const FLUSH: Duration = Duration::from_secs(3);

/// Traces that are sent, until they are stopped.
#[derive(Debug, Default)]
#[must_use = "the last spans are sent when it is stopped"]
pub struct Traces(Option<Exporter>);

/// Why no traces are sent.
#[derive(Debug, Error)]
pub enum StartTracesError {
    /// The configuration asks for them, and they are not compiled in.
    #[error(
        "`telemetry.otlp-endpoint` asks for traces, which this binary does not have: build it \
         with `cargo build --release -p wasmport-registry --features otel` (`-p wasmport` for \
         the command line), or remove the setting"
    )]
    NotCompiled,
    /// The share is none.
    #[error("`telemetry.trace-share` is `{0}`, expected a number from 0 to 1")]
    Share(f64),
    /// What sends them cannot be made: mostly, the endpoint is no URL.
    #[error("failed to send traces to `{endpoint}`")]
    Exporter {
        /// Where to.
        endpoint: String,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Traces {
    /// Sends traces from now on, if the settings or the environment say where to. `endpoint`
    /// is what the environment says, and goes before.
    pub fn start(
        settings: &TelemetrySettings,
        endpoint: Option<&str>,
    ) -> Result<Self, StartTracesError> {
        Self::check(settings)?;
        if !cfg!(feature = "otel") {
            // A whole cluster may have the variable, and not mean this process.
            if endpoint.is_some() {
                warn!("no traces are sent, since this binary was built without them");
            }
            return Ok(Self::default());
        }
        let Some(endpoint) = endpoint.or(settings.otlp_endpoint.as_deref()) else {
            return Ok(Self::default());
        };
        let exporter = Exporter::start(endpoint, settings.trace_share);
        let exporter = exporter.map_err(|source| StartTracesError::Exporter {
            endpoint: endpoint.to_owned(),
            source,
        })?;
        Ok(Self(Some(exporter)))
    }

    /// Whether traces can be sent as these settings say.
    pub(crate) fn check(settings: &TelemetrySettings) -> Result<(), StartTracesError> {
        let share = settings.trace_share;
        if !(0.0..=1.0).contains(&share) {
            return Err(StartTracesError::Share(share));
        }
        if !cfg!(feature = "otel") && settings.otlp_endpoint.is_some() {
            return Err(StartTracesError::NotCompiled);
        }
        Ok(())
    }

    /// Sends what is left, for as long as that may take.
    pub async fn stop(self) {
        let Some(exporter) = self.0 else {
            return;
        };
        // It blocks, and may do so for a little longer than it was told.
        let flushed = tokio::task::spawn_blocking(move || exporter.stop(FLUSH));
        match tokio::time::timeout(FLUSH + Duration::from_secs(1), flushed).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => warn!(%error, "the last traces were not sent"),
            Ok(Err(_)) | Err(_) => warn!("the last traces were not sent in time"),
        }
    }
}
