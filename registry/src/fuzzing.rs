//! What is read from outside, each with what must hold whatever the bytes are.
//!
//! The fuzz targets in `registry/fuzz` call these, and so do the tests below with random bytes
//! and with what the fuzzer found. An assertion that fails here is a bug elsewhere.

use std::path::Path;
use std::str;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, header};
use http_body_util::BodyExt;
use tower_service::Service;
use wasmport_artifact::{Digest, Manifest, media_type};
use wasmport_policies::{Date, Policy, decide};

use crate::config::Settings;
use crate::endpoint::Endpoint;
use crate::preconditions::{condition, has_already};
use crate::ranges::{Wanted, parse_chunk};
use crate::storage::{Condition, Key, StageId, Store};
use crate::{App, LoadedPolicy, router};

/// After so many requests a new registry is made, so that they do not fill the memory.
const REQUESTS_OF_A_REGISTRY: u32 = 2000;

/// The path of a request: what names a repository climbs out of no directory.
pub fn path(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let Ok(endpoint) = Endpoint::parse(text) else {
        return;
    };
    assert!(!endpoint.methods().is_empty());
    if let Some((_, repository)) = endpoint.needs(&Method::GET) {
        let name = repository.as_str();
        assert!(text.contains(name));
        let is_plain = |part: &str| !part.is_empty() && part.trim_matches('.') == part;
        assert!(name.split('/').all(is_plain), "{name}");
        assert_eq!(name.parse().as_ref(), Ok(repository));
    }
}

/// A `Range` for a blob of the size in the first eight bytes, and the `Content-Range` of a chunk.
pub fn range(bytes: &[u8]) {
    let Some((size, text)) = bytes.split_first_chunk::<8>() else {
        return;
    };
    let Ok(text) = str::from_utf8(text) else {
        return;
    };
    let size = u64::from_be_bytes(*size);
    if let Wanted::Part(part) = Wanted::parse(Some(text), size) {
        assert!(part.start < part.end && part.end <= size);
    }
    if let Some(chunk) = parse_chunk(text) {
        assert!(chunk.start <= chunk.end);
    }
}

/// `If-Match` and `If-None-Match`: what they compare with stands in them.
pub fn preconditions(bytes: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(bytes) else {
        return;
    };
    let text = String::from_utf8_lossy(bytes);
    for name in [header::IF_MATCH, header::IF_NONE_MATCH] {
        let headers = HeaderMap::from_iter([(name, value.clone())]);
        if let Condition::PointsTo(digests) | Condition::PointsElsewhere(digests) =
            condition(&headers)
        {
            for digest in digests {
                assert!(text.contains(digest.as_str()));
                let _ = has_already(&headers, &digest);
            }
        }
    }
}

/// A manifest: it is kept as it came, and reading it again gives the same.
pub fn manifest(bytes: &[u8]) {
    for kind in [
        media_type::IMAGE_MANIFEST,
        media_type::IMAGE_INDEX,
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.unknown",
    ] {
        let Ok(manifest) = Manifest::parse(bytes.to_vec(), kind) else {
            continue;
        };
        assert_eq!(manifest.bytes(), bytes);
        assert_eq!(manifest.media_type(), kind);
        let again = Manifest::parse(manifest.bytes().to_vec(), kind);
        assert!(again.is_ok_and(|again| again.digest() == manifest.digest()));
    }
}

/// `registry.toml`: it is read, or the error says where it is wrong.
pub fn settings(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    if let Err(error) = Settings::parse(Path::new("registry.toml"), text) {
        assert!(!error.to_string().is_empty());
    }
}

/// A policy file: it is read, or the error shows where it is wrong; what is read can be asked
/// for its warnings, for the day on which it changes, and for a decision.
pub fn policy(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let policy = match Policy::parse("p.toml", text) {
        Ok(policy) => policy,
        Err(error) => {
            assert!(error.place().line >= 1 && error.place().column >= 1);
            assert!(error.to_text().starts_with("error: "));
            return;
        }
    };
    let today = Date::constant(2026, 11, 21);
    for warning in policy.warnings(today) {
        assert!(warning.to_text(&policy).starts_with("warning["));
    }
    assert!(policy.next_change(today).is_none_or(|day| day > today));
    let digest = Digest::of(b"");
    let facts = serde_json::json!({
        "repository": "team/app",
        "digest": digest,
        "content": { "what": "other" },
    });
    if let Ok(facts) = serde_json::from_value(facts) {
        let decision = decide(&policy, &facts, today);
        assert_eq!(decision, decide(&policy, &facts, today));
    }
}

/// The identifier of an upload, and the names of records as an engine gives them back.
pub fn identifier(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    if let Ok(id) = StageId::try_from(text.to_owned()) {
        assert!(id.as_str().bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
    let key = Key::from_stored(text.to_owned());
    let _ = (key.as_tag(), key.as_digest(), key.pending_repository());
    assert!(key.repository().is_none_or(|name| text.contains(name)));
}

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

#[cfg(test)]
mod tests;
