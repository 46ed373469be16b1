//! `/token`: tokens for what the rules allow (docker's "Token Authentication Specification"
//! and "`OAuth2` Token Authentication").

use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::access::{Asker, TokenRequest};
use crate::app::App;
use crate::audit::Actor;
use crate::error::ApiError;
use crate::query::Query;

/// Largest form, in bytes. A token of OIDC has a few kilobytes.
const FORM_BYTES: usize = 64 * 1024;

/// With the credentials of the header, or none.
pub(crate) async fn get(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    app.admit_address(&request)?;
    let query = Query::of(request.uri());
    let wish = TokenRequest {
        scopes: query.all("scope").map(str::to_owned).collect(),
        service: query.get("service").map(str::to_owned),
    };
    let work = answer(&app, Asker::of(&request), wish);
    Actor::of(&app.audit, &request).does(work).await
}

/// With the credentials of the form. A refresh token is what a robot or a workload has: we
/// issue none, since that would be a password that nobody can see.
pub(crate) async fn post(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    app.admit_address(&request)?;
    let (asker, actor) = (Asker::of(&request), Actor::of(&app.audit, &request));
    let body = to_bytes(request.into_body(), FORM_BYTES).await;
    let body = body.map_err(|error| ApiError::bad_request(format!("the form: {error}")))?;
    let form = Query::of_form(&body);
    let field = |name: &str| form.get(name).unwrap_or_default().to_owned();
    let (name, password) = match form.get("grant_type") {
        Some("password") => (field("username"), field("password")),
        Some("refresh_token") => ("token".to_owned(), field("refresh_token")),
        other => {
            let other = other.unwrap_or("nothing");
            return Err(ApiError::bad_request(format!(
                "`grant_type` is `{other}`, expected `password` or `refresh_token`"
            )));
        }
    };
    let wish = TokenRequest {
        scopes: form.all("scope").map(str::to_owned).collect(),
        service: form.get("service").map(str::to_owned),
    };
    let work = answer(&app, asker.with_password(name, password), wish);
    actor.does(work).await
}

async fn answer(app: &App, asker: Asker, wish: TokenRequest) -> Result<Response, ApiError> {
    let token = app.access.issue(asker, wish).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, token.to_string()).into_response())
}
