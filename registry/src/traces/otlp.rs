//! Sending spans by OTLP/HTTP, from a thread of its own and a queue with an end: who asks
//! never waits for the collector, and what does not fit is dropped.

use std::error::Error;
use std::sync::OnceLock;
use std::time::Duration;

use opentelemetry::trace::{
    FutureExt as _, TraceContextExt as _, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};

/// How long a collector may take to answer. Meanwhile spans wait in the queue, of 2048.
const ANSWER: Duration = Duration::from_secs(5);

/// The one of this process. Requests look here, and find nothing where no traces are sent.
static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// What sends the spans.
#[derive(Debug)]
pub(super) struct Exporter(SdkTracerProvider);

impl Exporter {
    /// Sends spans to the collector at `endpoint`: all that belong to a trace which the client
    /// samples, and this share of the others.
    pub(super) fn start(endpoint: &str, share: f64) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let url = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(url)
            .with_timeout(ANSWER)
            .build()?;
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let named = Resource::builder().with_service_name("wasmport-registry");
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(share)));
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(sampler)
            .with_resource(named.with_attribute(version).build())
            .build();
        // A second registry in the same process, as in tests, has its requests in the first
        // one's traces.
        let _first = TRACER.set(provider.tracer("wasmport-registry"));
        Ok(Self(provider))
    }

    /// Sends what is left. Blocks.
    pub(super) fn stop(&self, limit: Duration) -> Result<(), OTelSdkError> {
        self.0.shutdown_with_timeout(limit)
    }
}

/// What makes spans, if traces are sent.
pub(super) fn tracer() -> Option<&'static SdkTracer> {
    TRACER.get()
}

/// `work` as a span of its own in that of the request which it is done for.
pub(crate) async fn step<T>(name: &'static str, work: impl Future<Output = T>) -> T {
    let parent = Context::current();
    match tracer() {
        Some(tracer) if parent.span().span_context().is_sampled() => {
            let span = tracer.start_with_context(name, &parent);
            work.with_context(parent.with_span(span)).await
        }
        _ => work.await,
    }
}

/// `work` for another task, which belongs to the span of this one.
pub(crate) fn carried<F: Future>(work: F) -> impl Future<Output = F::Output> {
    work.with_context(Context::current())
}
