//! `/v2/<name>/tags/list`: the tags of a repository.

use axum::extract::Request;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use wasmport_artifact::{RepositoryName, Tag};

use crate::app::App;
use crate::error::ApiError;
use crate::query::Query;

/// How many tags one answer has at most. Many clients do not follow the link to more.
const TAGS: usize = 10_000;

/// end-8a, end-8b: in the order of their bytes, at most `n` of them, after `last`.
pub(crate) async fn list(
    app: App,
    repository: RepositoryName,
    request: Request,
) -> Result<Response, ApiError> {
    let query = Query::of(request.uri());
    let n = query.n(TAGS)?;
    let last = query.get("last");
    let mut tags = app.store.tags(&repository, last, n + 1).await?;
    if tags.is_empty() && !app.store.has_repository(&repository).await? {
        return Err(ApiError::name_unknown(&repository));
    }
    let has_more = tags.len() > n;
    tags.truncate(n);
    let body = json!({ "name": repository, "tags": tags }).to_string();
    let kind = [(header::CONTENT_TYPE, "application/json".to_owned())];
    // `n=0` asks for nothing, and there is nothing after nothing.
    match tags.last().filter(|_| has_more) {
        Some(last) => {
            Ok((kind, [(header::LINK, next(&repository, n, last))], body).into_response())
        }
        None => Ok((kind, body).into_response()),
    }
}

fn next(repository: &RepositoryName, n: usize, last: &Tag) -> String {
    format!("</v2/{repository}/tags/list?n={n}&last={last}>; rel=\"next\"")
}
