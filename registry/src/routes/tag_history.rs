//! `/v2/<name>/_oci/tag-history/<tag>`: where a tag pointed before (a draft of the
//! distribution specification, pull request 606).

use axum::extract::Request;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Value, json};
use wasmport_artifact::{RepositoryName, Tag};

use crate::app::App;
use crate::error::ApiError;
use crate::query::Query;
use crate::storage::{Event, MOVES};

/// The moves of a tag and its deletions, the newest first: at most `n`, those before `last`.
pub(crate) async fn list(
    app: &App,
    repository: &RepositoryName,
    tag: &Tag,
    request: Request,
) -> Result<Response, ApiError> {
    let query = Query::of(request.uri());
    let n = query.n(usize::try_from(MOVES).unwrap_or(usize::MAX))?;
    let last = match query.get("last") {
        None => None,
        Some(last) => Some(last.parse::<u64>().map_err(|_| {
            ApiError::bad_request(format!("`last` is `{last}`, expected what a link had"))
        })?),
    };
    let mut moves = app.store.history(repository, tag, last, n + 1).await?;
    if moves.is_empty() && last.is_none() {
        return Err(ApiError::manifest_unknown(tag));
    }
    let has_more = moves.len() > n;
    moves.truncate(n);
    let history: Vec<Value> = moves.iter().map(|(_, event)| entry(event)).collect();
    let body = json!({ "name": repository, "tag": tag, "history": history }).to_string();
    let kind = [(header::CONTENT_TYPE, "application/json")];
    match moves.last().filter(|_| has_more) {
        Some((turn, _)) => {
            let path = format!("/v2/{repository}/_oci/tag-history/{tag}");
            let link = format!("<{path}?n={n}&last={turn}>; rel=\"next\"");
            Ok((kind, [(header::LINK, link)], body).into_response())
        }
        None => Ok((kind, body).into_response()),
    }
}

fn entry(event: &Event) -> Value {
    let at = i64::try_from(event.at).ok();
    let at = at.and_then(|at| Timestamp::from_millisecond(at).ok());
    let at = at.map(|at| at.to_string());
    if event.deleted {
        json!({ "digest": event.digest, "deleted": at })
    } else {
        json!({ "digest": event.digest, "created": at })
    }
}
