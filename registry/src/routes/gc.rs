//! `/_wasmport/v1/gc`: the collector, when an operator says so.

use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::Request;
use axum::response::Response;
use serde_json::json;

use crate::app::App;
use crate::audit;
use crate::collector::CollectRequest;
use crate::error::ApiError;
use crate::routes::admin;

/// The largest body, in bytes: three short fields.
const BODY_BYTES: usize = 4 * 1024;

/// The last runs, the newest first.
pub(crate) fn runs(app: &App) -> Response {
    admin::json(&json!({ "runs": app.collector.runs() }))
}

/// Runs now, and answers with what went. The run goes on when nobody waits for it any longer.
pub(crate) async fn run(app: &App, request: Request) -> Result<Response, ApiError> {
    let body = to_bytes(request.into_body(), BODY_BYTES).await;
    let body =
        body.map_err(|error| ApiError::bad_request(format!("the body broke off: {error}")))?;
    let wanted = match body.as_ref() {
        [] => CollectRequest::default(),
        body => serde_json::from_slice(body)
            .map_err(|error| ApiError::bad_request(format!("the body is malformed: {error}")))?,
    };
    let collector = Arc::clone(&app.collector);
    let running = audit::carried(async move {
        let run = collector.run(wanted).await;
        audit::collected(&run);
        run
    });
    let run = tokio::spawn(running).await;
    let collected = run.map_err(|error| ApiError::internal(&error))??;
    Ok(admin::json(&json!({ "collected": collected })))
}
