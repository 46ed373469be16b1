//! `/v2/_catalog`: the repositories that the caller may pull from. Not in the specification,
//! but docker's registry has it and many tools ask for it.

use axum::extract::Request;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use wasmport_artifact::RepositoryName;

use crate::access::Caller;
use crate::app::App;
use crate::error::ApiError;
use crate::query::Query;

/// How many names one answer has at most, and unless fewer are asked for.
const NAMES: usize = 1000;

/// How many repositories are looked at for one answer. Who may see few of very many gets
/// short pages, and a link in each.
const SEEN: usize = 10_000;

/// At most `n` repositories after `last`, in the order in which the store has them.
pub(crate) async fn list(
    app: &App,
    caller: &Caller,
    request: Request,
) -> Result<Response, ApiError> {
    let query = Query::of(request.uri());
    let n = query.n(NAMES)?;
    let mut names: Vec<RepositoryName> = Vec::new();
    let last = query.get("last").filter(|last| !last.is_empty());
    let mut last = last.map(str::to_owned);
    let mut next = None;
    for seen in 0.. {
        let Some(name) = app.store.repository_after(last.as_deref()).await? else {
            break;
        };
        if seen == SEEN || names.len() == n {
            next = last.filter(|_| n > 0);
            break;
        }
        last = Some(name.as_str().to_owned());
        if caller.may_see(&name) {
            names.push(name);
        }
    }
    let body = json!({ "repositories": names }).to_string();
    let kind = [(header::CONTENT_TYPE, "application/json")];
    match next {
        Some(last) => {
            let link = format!("</v2/_catalog?n={n}&last={last}>; rel=\"next\"");
            Ok((kind, [(header::LINK, link)], body).into_response())
        }
        None => Ok((kind, body).into_response()),
    }
}
