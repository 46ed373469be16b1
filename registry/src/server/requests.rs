//! What happens to each request before the router sees it.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use hyper::body::{Body as _, Incoming};
use hyper::service::Service;
use hyper::{Request, Version};

use super::bodies::{Answered, Sent, UnderWay};
use super::flow::Activity;
use super::proxies::Proxies;
use super::settings::{LimitsSettings, ServerSettings};
use super::streams::NextStream;
use crate::access::Peer;
use crate::error::ApiError;
use crate::metrics::Metrics;
use crate::router::{Answer, Routes};

/// What the requests of all connections share.
#[derive(Debug)]
pub(super) struct Gate {
    limits: LimitsSettings,
    proxies: Proxies,
    under_way: Arc<AtomicUsize>,
    metrics: Arc<Metrics>,
}

/// Answers the requests of one connection.
#[derive(Debug)]
pub(super) struct Requests {
    pub(super) routes: Routes,
    pub(super) gate: Arc<Gate>,
    pub(super) peer: Peer,
    pub(super) activity: Arc<Activity>,
    pub(super) next_stream: NextStream,
}

/// An answer that is worked at.
pub(super) struct Answering {
    state: State,
    under_way: Option<UnderWay>,
}

enum State {
    Routed(Answer),
    Refused(Option<Response>),
}

impl Gate {
    pub(super) fn new(
        server: &ServerSettings,
        limits: LimitsSettings,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            limits,
            proxies: Proxies::new(&server.trusted_proxies, server.forwarded_header),
            under_way: Arc::default(),
            metrics,
        }
    }

    /// Who sends a request that comes in over a connection with `peer`.
    fn sender(&self, peer: &Peer, request: &Parts) -> Peer {
        let address = peer.address.ip();
        let mut sender = peer.clone();
        if self.proxies.trusts(address) {
            let client = self.proxies.client(address, &request.headers);
            // Nobody says the port.
            sender.address = SocketAddr::new(client, 0);
            sender.is_behind_proxy = true;
        }
        sender
    }

    /// Why not to look at a request any further.
    fn refuse(&self, request: &Request<Incoming>) -> Option<ApiError> {
        let limits = &self.limits;
        if self.under_way.load(Relaxed) > limits.requests {
            self.metrics.refused("requests");
            return Some(ApiError::overloaded());
        }
        let uri = request.uri();
        let target = uri.path_and_query().map_or("", |target| target.as_str());
        let limit = limits.uri_bytes.bytes();
        if target.len() as u64 > limit {
            return Some(ApiError::uri_too_long(limit));
        }
        let headers = request.headers();
        let length = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
            name.as_str().len() + value.len()
        };
        let bytes: usize = headers.iter().map(length).sum();
        let limit = limits.header_bytes.bytes();
        let is_too_many = headers.len() > limits.headers;
        (is_too_many || bytes as u64 > limit).then(|| ApiError::headers_too_large(limit))
    }
}

impl Service<Request<Incoming>> for Requests {
    type Response = Response<Answered>;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, request: Request<Incoming>) -> Answering {
        let is_stream = request.version() == Version::HTTP_2;
        let stream = is_stream.then(|| self.next_stream.open());
        let connection = Arc::clone(&self.activity);
        let all = Arc::clone(&self.gate.under_way);
        let under_way = UnderWay::begin(connection, stream, all);
        let state = match self.gate.refuse(&request) {
            Some(refusal) => State::Refused(Some(refusal.into_response())),
            None => State::Routed(self.route(request, &under_way)),
        };
        Answering {
            state,
            under_way: Some(under_way),
        }
    }
}

impl Requests {
    fn route(&self, request: Request<Incoming>, under_way: &UnderWay) -> Answer {
        let (mut parts, body) = request.into_parts();
        let sender = self.gate.sender(&self.peer, &parts);
        parts.extensions.insert(sender);
        let body = if body.is_end_stream() {
            Body::empty()
        } else {
            Body::new(Sent::new(body, under_way))
        };
        self.routes.answer(Request::from_parts(parts, body))
    }
}

impl Future for Answering {
    type Output = Result<Response<Answered>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let response = match &mut self.state {
            State::Routed(answer) => Some(ready!(answer.as_mut().poll(context))),
            State::Refused(response) => response.take(),
        };
        match (response, self.under_way.take()) {
            (Some(response), Some(under_way)) => {
                Poll::Ready(Ok(response.map(|body| Answered::new(body, under_way))))
            }
            // Answered before, and polled again, which nobody does.
            _ => Poll::Pending,
        }
    }
}
