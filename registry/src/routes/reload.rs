//! `/_wasmport/v1/reload`: what SIGHUP does, with an answer.

use axum::response::Response;
use serde_json::json;

use crate::app::App;
use crate::audit;
use crate::error::ApiError;
use crate::routes::admin;

/// Reads everything again, and says what was taken. It is done also when nobody waits for it
/// any longer: each kind is taken as a whole.
pub(crate) async fn run(app: &App) -> Result<Response, ApiError> {
    let Some(reloader) = app.reloader.get() else {
        return Err(ApiError::conflict(
            "this registry was started without a configuration",
        ));
    };
    let reloading = audit::carried(async move { reloader.reload().await });
    let done = tokio::spawn(reloading).await;
    let kinds = done.map_err(|error| ApiError::internal(&error))?;
    Ok(admin::json(&json!({ "reloaded": kinds })))
}
