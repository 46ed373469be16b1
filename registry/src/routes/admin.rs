//! `/_wasmport/v1/…`: what only those may do who administer the whole registry.

use axum::extract::{Request, State};
use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::app::App;
use crate::audit::Actor;
use crate::error::ApiError;
use crate::metrics::Kind;
use crate::query::Query;
use crate::routes::{gc, quota, reload, robots};
use crate::traces::RequestSpan;

/// How many lines of the audit log one answer has unless another number is asked for.
const LINES: usize = 100;

/// Who it is, whether they may, and what they want.
pub(crate) async fn dispatch(State(app): State<App>, request: Request) -> Response {
    let actor = Actor::of(&app.audit, &request);
    let mut span = RequestSpan::begin(&request);
    let response = span.around(actor.does(answer(app, request))).await;
    let response = response.into_response();
    span.end(Kind::Admin.route(), response.status(), response.headers());
    response
}

async fn answer(app: App, request: Request) -> Result<Response, ApiError> {
    app.admit_address(&request)?;
    let caller = app.access.authenticate(&request).await?;
    caller.require_admin()?;
    let path = request.uri().path().to_owned();
    let parts: Vec<&str> = path.split('/').skip(3).collect();
    match (request.method(), parts.as_slice()) {
        (&Method::GET, ["robots"]) => robots::list(&app).await,
        (&Method::POST, ["robots"]) => robots::create(&app, &caller, request).await,
        (&Method::DELETE, ["robots", name]) => robots::revoke(&app, name).await,
        (&Method::GET, ["audit"]) => audit(&app, &request),
        (&Method::GET, ["gc"]) => Ok(gc::runs(&app)),
        (&Method::POST, ["gc"]) => gc::run(&app, request).await,
        (&Method::POST, ["reload"]) => reload::run(&app).await,
        (&Method::GET, ["quota", name @ ..]) => quota::get(&app, &name.join("/")).await,
        _ => Err(ApiError::not_found(format!("there is no `{path}`"))),
    }
}

/// The last lines of the audit log, the oldest first.
fn audit(app: &App, request: &Request) -> Result<Response, ApiError> {
    let query = Query::of(request.uri());
    let n = query.get("n").map_or(Ok(LINES), str::parse);
    let n = n.map_err(|_| ApiError::bad_request("`n` is not a number"))?;
    let lines = app.audit.tail(n).join("\n");
    let kind = [(header::CONTENT_TYPE, "application/x-ndjson")];
    Ok((kind, lines).into_response())
}

/// JSON, as the admin API answers.
pub(crate) fn json(value: &Value) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (kind, value.to_string()).into_response()
}
