//! `/_wasmport/v1/quota/<repository>`: what a repository holds, and what it may hold.

use axum::response::Response;
use serde_json::json;
use wasmport_artifact::RepositoryName;

use crate::app::App;
use crate::error::ApiError;
use crate::routes::admin;

/// Counted now, from the records.
pub(crate) async fn get(app: &App, name: &str) -> Result<Response, ApiError> {
    let repository: RepositoryName = name
        .parse()
        .map_err(|error| ApiError::bad_request(format!("{error}")))?;
    let used = app.store.usage(&repository).await?;
    let quota = app.store.quota(&repository);
    Ok(admin::json(
        &json!({ "repository": repository, "used": used, "quota": quota }),
    ))
}
