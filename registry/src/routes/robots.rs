//! `/_wasmport/v1/robots`: names for machines, whose tokens can be revoked.

use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use wasmport_artifact::Digest;

use crate::access::{Caller, robots};
use crate::app::App;
use crate::audit;
use crate::error::ApiError;
use crate::routes::admin;
use crate::storage::{Robot, RobotRule};

/// Largest request, in bytes.
const REQUEST_BYTES: usize = 64 * 1024;

/// What somebody wants.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Wanted {
    name: String,
    #[serde(default)]
    rules: Vec<RobotRule>,
    /// RFC 3339.
    #[serde(default)]
    expires: Option<String>,
}

/// All robots, without their tokens, which nobody knows.
pub(crate) async fn list(app: &App) -> Result<Response, ApiError> {
    let robots = app.store.robots().await?;
    let robots: Vec<Value> = robots.iter().map(shown).collect();
    Ok(admin::json(&json!({ "robots": robots })))
}

/// Makes a robot. Its token is in the answer, and never again.
pub(crate) async fn create(
    app: &App,
    caller: &Caller,
    request: Request,
) -> Result<Response, ApiError> {
    if app.access.is_open() {
        // Everyone may do this now, and the robot would stay when there are rules.
        let message = "there are no access rules: write them before there are robots";
        return Err(ApiError::conflict(message));
    }
    let body = to_bytes(request.into_body(), REQUEST_BYTES).await;
    let body = body.map_err(|error| ApiError::bad_request(format!("the body: {error}")))?;
    let wanted: Wanted = serde_json::from_slice(&body)
        .map_err(|error| ApiError::bad_request(format!("the body: {error}")))?;
    if !robots::is_name(&wanted.name) {
        let message = "the name of a robot is of lower-case letters, digits and `-`, at most 64";
        return Err(ApiError::bad_request(message));
    }
    let now = Timestamp::now();
    let expires = wanted
        .expires
        .as_deref()
        .map(str::parse::<Timestamp>)
        .transpose();
    let expires = expires.map_err(|error| ApiError::bad_request(format!("`expires`: {error}")))?;
    if expires.is_some_and(|expires| expires <= now) {
        return Err(ApiError::bad_request("`expires` is in the past"));
    }
    let token = robots::new_token(&wanted.name).map_err(|error| ApiError::internal(&error))?;
    let mut id = [0; 12];
    getrandom::fill(&mut id).map_err(|error| ApiError::internal(&error))?;
    let seconds = |time: Timestamp| u64::try_from(time.as_second()).unwrap_or_default();
    let robot = Robot {
        id: URL_SAFE_NO_PAD.encode(id),
        token: Digest::of(token.as_bytes()),
        creator: caller.name().to_owned(),
        created: seconds(now),
        expires: expires.map(seconds),
        rules: wanted.rules,
        name: wanted.name,
    };
    if !app.store.put_robot(&robot).await? {
        let message = format!("there is a robot `{}` already", robot.name);
        return Err(ApiError::conflict(message));
    }
    audit::robot_changed(&robot.name, "created");
    let mut answer = shown(&robot);
    if let Some(fields) = answer.as_object_mut() {
        fields.insert("token".to_owned(), token.into());
    }
    Ok((StatusCode::CREATED, admin::json(&answer)).into_response())
}

/// From now on the robot is nobody.
pub(crate) async fn revoke(app: &App, name: &str) -> Result<Response, ApiError> {
    if !robots::is_name(name) || !app.store.delete_robot(name).await? {
        return Err(ApiError::robot_unknown(name));
    }
    audit::robot_changed(name, "revoked");
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn shown(robot: &Robot) -> Value {
    let time = |seconds: u64| {
        let time = i64::try_from(seconds).map(Timestamp::from_second);
        time.ok().and_then(Result::ok).map(|time| time.to_string())
    };
    json!({
        "name": robot.name,
        "creator": robot.creator,
        "created": time(robot.created),
        "expires": robot.expires.and_then(time),
        "rules": robot.rules,
    })
}
