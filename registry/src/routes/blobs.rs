//! `/v2/<name>/blobs/<digest>`: bytes, streamed from the store.

use std::ops::Range;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use wasmport_artifact::{Digest, RepositoryName};

use crate::access::{Action, Caller};
use crate::admission::Standing;
use crate::app::App;
use crate::audit;
use crate::error::ApiError;
use crate::header::DOCKER_CONTENT_DIGEST;
use crate::ranges::Wanted;
use crate::storage::{DeleteBlob, OpenBlob};

/// end-2
pub(crate) async fn get(
    app: App,
    caller: &Caller,
    repository: RepositoryName,
    digest: Digest,
    request: Request,
) -> Result<Response, ApiError> {
    check_access(&app, caller, &repository, &digest).await?;
    if request.method() == Method::HEAD {
        // A push that asks does not send the blob again, and relies on the answer.
        app.store.renew(&digest);
    }
    let blob = app.store.open_blob(&digest).await?;
    let blob = blob.ok_or_else(|| ApiError::blob_unknown(&digest))?;
    let size = blob.size();
    let (status, range) = match wanted(request.method(), request.headers(), size) {
        Wanted::Whole => (StatusCode::OK, 0..size),
        Wanted::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Wanted::Unsatisfiable => return Err(ApiError::range_not_satisfiable(size)),
    };
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (
            header::CONTENT_LENGTH,
            (range.end - range.start).to_string(),
        ),
        (DOCKER_CONTENT_DIGEST, digest.to_string()),
    ];
    let part = content_range(&range, size);
    let body = body(request.method(), blob, range);
    if status == StatusCode::PARTIAL_CONTENT {
        let part = [(header::CONTENT_RANGE, part)];
        return Ok((status, headers, part, body).into_response());
    }
    Ok((status, headers, body).into_response())
}

/// end-10: the repository has the blob no more, unless one of its manifests needs it.
pub(crate) async fn delete(
    app: &App,
    repository: &RepositoryName,
    digest: &Digest,
) -> Result<Response, ApiError> {
    match app.store.withdraw(repository, digest).await? {
        DeleteBlob::Deleted => {}
        DeleteBlob::Unknown => return Err(ApiError::blob_unknown(digest)),
        DeleteBlob::Used(manifest) => {
            return Err(ApiError::blob_in_use(
                digest,
                &format!("the manifest `{manifest}`"),
            ));
        }
        DeleteBlob::InUse => return Err(ApiError::blob_in_use(digest, &"an open push")),
    }
    audit::deleted(repository, digest);
    Ok(StatusCode::ACCEPTED.into_response())
}

/// The repository must have the blob, and the policy of today must admit one of the
/// manifests that use it.
async fn check_access(
    app: &App,
    caller: &Caller,
    repository: &RepositoryName,
    digest: &Digest,
) -> Result<(), ApiError> {
    if app.store.granted(repository, digest).await?.is_none() {
        return Err(ApiError::blob_unknown(digest));
    }
    match app.admission.standing_of_blob(repository, digest).await? {
        Standing::Open => Ok(()),
        Standing::Held if caller.may(Action::Push, repository) => Ok(()),
        Standing::Held => Err(ApiError::blob_unknown(digest)),
        Standing::Denied(decision) => {
            audit::pull_refused(repository, digest, digest, &decision);
            let what = format!("what the blob `{digest}` is a part of");
            Err(ApiError::denied(&what, &decision))
        }
    }
}

fn wanted(method: &Method, headers: &HeaderMap, size: u64) -> Wanted {
    // Only GET has ranges (RFC 9110, section 14.2).
    let range = headers.get(header::RANGE).filter(|_| method == Method::GET);
    Wanted::parse(range.and_then(|range| range.to_str().ok()), size)
}

fn content_range(range: &Range<u64>, size: u64) -> String {
    format!(
        "bytes {}-{}/{size}",
        range.start,
        range.end.saturating_sub(1)
    )
}

fn body(method: &Method, blob: Box<dyn OpenBlob>, range: Range<u64>) -> Body {
    if method == Method::HEAD || range.is_empty() {
        return Body::empty();
    }
    Body::from_stream(blob.stream(range))
}
