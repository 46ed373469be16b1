//! `/healthz` and `/readyz`: for what starts and watches the registry.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::error::ApiError;

/// The process answers.
pub(crate) async fn alive() -> StatusCode {
    StatusCode::OK
}

/// The store answers, too, and the registry does not stop.
pub(crate) async fn ready(State(app): State<App>) -> Response {
    if app.is_stopping() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    match app.store.check().await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => {
            let mut response = ApiError::from(error).into_response();
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            response
        }
    }
}
