//! What clients send with a manifest: its bytes, its media type and its tags.

use std::error::Error as _;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use http_body_util::LengthLimitError;
use serde::Deserialize;
use wasmport_artifact::{Tag, TagError};

use crate::error::ApiError;
use crate::query::Query;

/// How many tags one push may set by its query. The specification asks for ten; a release has
/// `1.2.3`, `1.2`, `1`, `latest` and some more.
const TAGS: usize = 32;

/// end-7b: the tags of the query, each once.
pub(super) fn added_tags(query: &Query) -> Result<Vec<Tag>, ApiError> {
    let mut tags: Vec<Tag> = Vec::new();
    for tag in query.all("tag") {
        let tag: Tag = tag
            .parse()
            .map_err(|error: TagError| ApiError::manifest_invalid(error.to_string()))?;
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    if tags.len() > TAGS {
        return Err(ApiError::too_many_tags(tags.len(), TAGS));
    }
    Ok(tags)
}

/// The body, which has at most `limit` bytes.
pub(super) async fn read(body: Body, limit: usize) -> Result<Bytes, ApiError> {
    let bytes = to_bytes(body, limit).await;
    bytes.map_err(|error| {
        let is_too_large = error
            .source()
            .is_some_and(<dyn std::error::Error>::is::<LengthLimitError>);
        if is_too_large {
            return ApiError::manifest_too_large(format!("a manifest has at most {limit} bytes"));
        }
        ApiError::manifest_invalid(format!("the body broke off: {error}"))
    })
}

/// The media type without its parameters, which no manifest type has.
pub(super) fn content_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let kind = value.split(';').next().unwrap_or_default().trim();
    (!kind.is_empty()).then(|| kind.to_owned())
}

/// The media type that the manifest says itself.
pub(super) fn media_type_of(bytes: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Typed {
        media_type: Option<String>,
    }
    serde_json::from_slice::<Typed>(bytes).ok()?.media_type
}
