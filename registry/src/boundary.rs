//! Where requests come in and answers go out: each is counted, and has one line in the log.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use tracing::{Level, debug, enabled, info, warn};

use crate::access::Caller;
use crate::endpoint::Endpoint;
use crate::metrics::{Kind, Metrics};
use crate::traces::RequestSpan;

/// Names a request in logs, here and elsewhere. What the client calls it is kept.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest name of a request that is taken from a client, in bytes. A UUID has 36.
const REQUEST_ID_BYTES: usize = 128;

/// What the boundary learns of a request while it is answered.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// What it is for, once that is known.
    pub(crate) kind: Kind,
    /// Who sent it, once that is known.
    pub(crate) caller: Option<Caller>,
}

/// A request on its way through the registry. Dropped before the end, the client has gone.
#[derive(Debug)]
pub(crate) struct Passage {
    pub(crate) seen: Seen,
    pub(crate) span: RequestSpan,
    metrics: Arc<Metrics>,
    begun: Instant,
    method: Method,
    uri: Uri,
    /// As the client called it.
    request_id: Option<HeaderValue>,
    sent_bytes: Option<u64>,
    is_over: bool,
}

impl Passage {
    pub(crate) fn begin(metrics: &Arc<Metrics>, request: &Request) -> Self {
        let headers = request.headers();
        let request_id = headers.get(X_REQUEST_ID).filter(|id| is_request_id(id));
        Self {
            seen: Seen::default(),
            span: RequestSpan::begin(request),
            metrics: Arc::clone(metrics),
            begun: Instant::now(),
            method: request.method().clone(),
            uri: request.uri().clone(),
            request_id: request_id.cloned(),
            sent_bytes: content_length(headers),
            is_over: false,
        }
    }

    /// Counts the answer, writes its line, and names the request in it.
    pub(crate) fn end(mut self, response: &mut Response) {
        self.is_over = true;
        let status = response.status();
        let duration = self.begun.elapsed();
        self.metrics
            .answered(self.seen.kind, &self.method, status, duration);
        let is_read = matches!(self.method, Method::GET | Method::HEAD);
        let is_good = status.is_success() || status.is_redirection();
        if self.request_id.is_none() && !(is_read && is_good) {
            // A read that went well has no line, and so nothing to be found by.
            self.request_id = Some(next_request_id());
        }
        if !is_read || !is_good || enabled!(Level::DEBUG) {
            self.log(status, response.headers(), is_read && is_good);
        }
        if let Some(id) = self.request_id.take() {
            response.headers_mut().insert(X_REQUEST_ID, id);
        }
        let route = self.seen.kind.route();
        self.span.end(route, status, response.headers());
    }

    fn log(&self, status: StatusCode, answer: &HeaderMap, is_good_read: bool) {
        let endpoint = Endpoint::parse(self.uri.path()).ok();
        let (repository, reference) = endpoint.as_ref().map(Endpoint::names).unwrap_or_default();
        let (repository, reference) = (
            repository.unwrap_or_default(),
            reference.unwrap_or_default(),
        );
        let is_read = matches!(self.method, Method::GET | Method::HEAD);
        let size = if is_read {
            content_length(answer)
        } else {
            self.sent_bytes
        };
        let size_bytes = size.unwrap_or(0);
        let duration_ms = self.begun.elapsed().as_secs_f64() * 1000.0;
        let (method, endpoint) = (self.method.as_str(), self.seen.kind.as_str());
        let id = self.request_id.as_ref().and_then(|id| id.to_str().ok());
        let (request_id, caller) = (
            id.unwrap_or_default(),
            self.seen.caller.as_ref().map(Caller::name),
        );
        let (status, caller) = (status.as_u16(), caller.unwrap_or_default());
        macro_rules! line {
            ($level:ident) => {
                $level!(target: "request", method, endpoint, repository, reference, status,
                    size_bytes, duration_ms, request_id, caller)
            };
        }
        if status >= 500 {
            line!(warn);
        } else if is_good_read {
            line!(debug);
        } else {
            line!(info);
        }
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        self.metrics.abandoned(self.seen.kind, &self.method);
        let method = self.method.as_str();
        let path = self.uri.path();
        debug!(target: "request", method, path, "the client went before there was an answer");
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

/// What may stand in a log and in a header: no spaces, and nothing to steer a terminal with.
fn is_request_id(id: &HeaderValue) -> bool {
    let bytes = id.as_bytes();
    (1..=REQUEST_ID_BYTES).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)
}

/// A name that no other request of this process has, and hardly one of another.
fn next_request_id() -> HeaderValue {
    static START: LazyLock<u64> = LazyLock::new(|| getrandom::u64().unwrap_or_default());
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = START.wrapping_add(NEXT.fetch_add(1, Relaxed));
    let text = format!("{number:016x}");
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("0"))
}
