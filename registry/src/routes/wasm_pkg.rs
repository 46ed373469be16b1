//! `/.well-known/wasm-pkg/registry.json`: with it, `wkg` needs only the host's name
//! (wasm-pkg-tools, `docs/registry-metadata.md`).

use axum::extract::Request;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::error::ApiError;

/// Packages are OCI artifacts on this host, under the name that the client called it by.
pub(crate) async fn discover(request: Request) -> Result<Response, ApiError> {
    let named = request.headers().get(header::HOST);
    let named = named.and_then(|host| host.to_str().ok());
    // HTTP/2 has the host in the address instead.
    let authority = request
        .uri()
        .authority()
        .map(axum::http::uri::Authority::as_str);
    let host = named
        .or(authority)
        .ok_or_else(|| ApiError::bad_request("the request names no host"))?;
    let document = json!({ "preferredProtocol": "oci", "oci": { "registry": host } });
    let kind = [(header::CONTENT_TYPE, "application/json")];
    Ok((kind, document.to_string()).into_response())
}
