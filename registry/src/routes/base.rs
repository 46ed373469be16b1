//! `/v2/`: this is a registry.

use axum::http::header;
use axum::response::{IntoResponse, Response};

/// end-1
pub(crate) fn version() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], "{}").into_response()
}
