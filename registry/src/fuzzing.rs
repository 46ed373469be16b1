//! What is read from outside, each with what must hold whatever the bytes are.
//!
//! The fuzz targets in `registry/fuzz` call these, and so do the tests below with random bytes
//! and with what the fuzzer found. An assertion that fails here is a bug elsewhere.

mod artifacts;
mod decisions;
mod evidence;
mod requests;
mod signatures;

use std::path::Path;
use std::str;

use axum::http::{HeaderMap, HeaderValue, Method, header};

use crate::config::Settings;
use crate::endpoint::Endpoint;
use crate::preconditions::{condition, has_already};
use crate::ranges::{Wanted, parse_chunk};
use crate::storage::{Condition, Key, StageId};
pub use artifacts::{config, manifest, reference};
pub use decisions::{decision, policy};
pub use evidence::evidence;
pub use requests::Requests;
pub use signatures::signature;

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

/// `registry.toml`: it is read, or the error says where it is wrong.
pub fn settings(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    if let Err(error) = Settings::parse(Path::new("registry.toml"), text) {
        assert!(!error.to_string().is_empty());
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

#[cfg(test)]
mod tests;
