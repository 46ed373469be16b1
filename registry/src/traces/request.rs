//! The span of one request (OpenTelemetry semantic conventions, "HTTP server span").

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, StatusCode, Uri};
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::{FutureExt as _, SpanKind, Status, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::propagation::TraceContextPropagator;

use super::otlp::tracer;
use crate::endpoint::Endpoint;
use crate::header;

/// The span of a request. Dropped before its end, the client has gone.
#[derive(Debug)]
pub(crate) struct RequestSpan(Option<Open>);

#[derive(Debug)]
struct Open {
    context: Context,
    method: String,
    uri: Uri,
}

/// Headers, as the propagator reads them.
struct Carrier<'a>(&'a HeaderMap);

impl RequestSpan {
    /// The span of a request that comes in, in the trace that it names (`traceparent`).
    pub(crate) fn begin(request: &Request) -> Self {
        let Some(tracer) = tracer() else {
            return Self(None);
        };
        let parent = TraceContextPropagator::new()
            .extract_with_context(&Context::new(), &Carrier(request.headers()));
        let method = request.method().as_str();
        let span = tracer
            .span_builder(method.to_owned())
            .with_kind(SpanKind::Server)
            .with_attributes([
                KeyValue::new("http.request.method", method.to_owned()),
                KeyValue::new("url.path", request.uri().path().to_owned()),
            ])
            .start_with_context(tracer, &parent);
        Self(Some(Open {
            context: parent.with_span(span),
            method: method.to_owned(),
            uri: request.uri().clone(),
        }))
    }

    /// `work`, whose steps are in this span.
    pub(crate) fn around<F: Future>(&self, work: F) -> impl Future<Output = F::Output> + use<F> {
        let context = self.0.as_ref().map(|open| open.context.clone());
        work.with_context(context.unwrap_or_default())
    }

    /// Notes what was answered, and ends the span.
    pub(crate) fn end(&mut self, route: &str, status: StatusCode, answer: &HeaderMap) {
        let Some(open) = self.0.take() else {
            return;
        };
        let span = open.context.span();
        span.update_name(format!("{} {route}", open.method));
        let text = |name, value: &str| span.set_attribute(KeyValue::new(name, value.to_owned()));
        text("http.route", route);
        let code = i64::from(status.as_u16());
        span.set_attribute(KeyValue::new("http.response.status_code", code));
        let endpoint = Endpoint::parse(open.uri.path()).ok();
        let (repository, reference) = endpoint.as_ref().map(Endpoint::names).unwrap_or_default();
        if let Some(repository) = repository {
            text("repository", &repository);
        }
        if let Some(reference) = reference {
            text("reference", &reference);
        }
        let value = |name: &HeaderName| answer.get(name).and_then(|value| value.to_str().ok());
        if let Some(digest) = value(&header::DOCKER_CONTENT_DIGEST) {
            text("digest", digest);
        }
        if let Some(id) = value(&crate::boundary::X_REQUEST_ID) {
            text("request_id", id);
        }
        if status.is_server_error() {
            span.set_status(Status::error(""));
        }
        span.end();
    }
}

impl Drop for RequestSpan {
    fn drop(&mut self) {
        if let Some(open) = self.0.take() {
            let span = open.context.span();
            span.set_attribute(KeyValue::new("error.type", "abandoned"));
            span.end();
        }
    }
}

impl Extractor for Carrier<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}
