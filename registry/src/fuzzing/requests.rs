//! Whole requests, to the registry as it is.

use std::str;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Method, Request, Response};
use http_body_util::BodyExt;
use tower_service::Service;

use crate::storage::Store;
use crate::{App, LoadedPolicy, router};

/// After so many requests a new registry is made, so that they do not fill the memory.
const REQUESTS_OF_A_REGISTRY: u32 = 2000;

/// A whole request, as text: `METHOD target`, headers, an empty line, the body. Whatever it is,
/// it is no fault of the server, and what is refused says why.
pub struct Requests {
    runtime: tokio::runtime::Runtime,
    registry: Option<axum::Router>,
    left: u32,
}

impl Requests {
    /// For requests that are sent one after the other. `None` when this machine cannot.
    #[must_use]
    pub fn new() -> Option<Self> {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().build().ok()?;
        Some(Self {
            runtime,
            registry: None,
            left: 0,
        })
    }

    /// Sends one, if it is one.
    pub fn send(&mut self, bytes: &[u8]) {
        let Some(request) = request(bytes) else {
            return;
        };
        // Elsewhere nobody expects the errors of the specification.
        let is_told = request.uri().path().starts_with("/v2/") && request.method() != Method::HEAD;
        if self.left == 0 {
            self.registry = self.runtime.block_on(registry());
            self.left = REQUESTS_OF_A_REGISTRY;
        }
        self.left -= 1;
        let Some(registry) = &mut self.registry else {
            return;
        };
        self.runtime.block_on(async {
            let Ok(response) = registry.call(request).await;
            judge(response, is_told).await;
        });
    }
}

async fn registry() -> Option<axum::Router> {
    let policy = LoadedPolicy::load("preset:permissive").ok()?;
    let app = App::open(Store::in_memory(), policy).await.ok()?;
    Some(router(app))
}

fn request(bytes: &[u8]) -> Option<Request<Body>> {
    let end = bytes.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = bytes.split_at(end.unwrap_or(bytes.len()));
    let mut lines = head.split(|byte| *byte == b'\n');
    let (method, target) = str::from_utf8(lines.next()?).ok()?.split_once(' ')?;
    let mut request = Request::builder().method(method).uri(target);
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = line.split_at(colon);
        let name = HeaderName::from_bytes(name).ok()?;
        let value = HeaderValue::from_bytes(value.get(1..)?.trim_ascii()).ok()?;
        request = request.header(name, value);
    }
    let body = body.get(2..).unwrap_or_default().to_vec();
    request.body(Body::from(body)).ok()
}

async fn judge(response: Response<Body>, is_told: bool) {
    let status = response.status();
    let body = response.into_body().collect().await;
    let body = body.map(http_body_util::Collected::to_bytes);
    let body = body.unwrap_or_default();
    let text = String::from_utf8_lossy(&body);
    assert!(status.as_u16() < 500, "{status}: {text}");
    if status.is_client_error() && is_told {
        assert!(!body.is_empty(), "{status} without a word");
    }
}
