//! `/v2/<name>/blobs/<digest>`: bytes, streamed from the store.

use std::ops::Range;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use wasmport_artifact::{Digest, RepositoryName};

use crate::access::{Action, Caller};
use crate::admission::Standing;
use crate::app::App;
use crate::audit;
use crate::cache::{BlobName, Moment};
use crate::error::ApiError;
use crate::header::{DOCKER_CONTENT_DIGEST, digest_value};
use crate::ranges::Wanted;
use crate::storage::{DeleteBlob, OpenBlob};

const BYTES: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// end-2
pub(crate) async fn get(
    app: &App,
    caller: &Caller,
    repository: RepositoryName,
    digest: Digest,
    request: Request,
) -> Result<Response, ApiError> {
    let name = BlobName { repository, digest };
    if request.method() == Method::HEAD && caller.may(Action::Push, &name.repository) {
        // A push that asks does not send the blob again, and relies on the answer.
        Box::pin(app.store.announce(&name.digest)).await;
    }
    // Before anything is read: what is read later is not older than this.
    let moment = app.moment(&name.repository);
    if !moment.is_some_and(|moment| app.answers.has_blob(&name, moment)) {
        let is_head = request.method() == Method::HEAD;
        Box::pin(check_access(app, caller, &name, moment, is_head)).await?;
    }
    let digest = &name.digest;
    if request.method() == Method::HEAD {
        let size = Box::pin(app.store.blob_size(digest)).await?;
        let size = size.ok_or_else(|| ApiError::blob_unknown(digest))?;
        return Ok(found(digest, size, Body::empty()));
    }
    let blob = app.store.blob_to_send(digest).await?;
    let blob = blob.ok_or_else(|| ApiError::blob_unknown(digest))?;
    let size = blob.size();
    match wanted(request.headers(), size) {
        Wanted::Whole => Ok(found(digest, size, body(blob, 0..size))),
        Wanted::Part(range) => Ok(part(digest, size, blob, range)),
        Wanted::Unsatisfiable => Err(ApiError::range_not_satisfiable(size)),
    }
}

/// end-10: the repository has the blob no more, unless one of its manifests needs it.
pub(crate) async fn delete(
    app: &App,
    repository: &RepositoryName,
    digest: &Digest,
) -> Result<Response, ApiError> {
    match app.store.remove_blob(repository, digest).await? {
        DeleteBlob::Deleted => {}
        DeleteBlob::Unknown => return Err(ApiError::blob_unknown(digest)),
        DeleteBlob::Used(manifest) => return Err(ApiError::blob_in_use(digest, &manifest)),
    }
    audit::deleted(repository, digest);
    Ok(StatusCode::ACCEPTED.into_response())
}

/// The repository must have the blob, and the policy of today must admit one of the
/// manifests that use it.
async fn check_access(
    app: &App,
    caller: &Caller,
    name: &BlobName,
    moment: Option<Moment>,
    is_head: bool,
) -> Result<(), ApiError> {
    let BlobName { repository, digest } = name;
    if app.store.granted(repository, digest).await?.is_none() {
        return Err(ApiError::blob_unknown(digest));
    }
    match app.admission.standing_of_blob(repository, digest).await? {
        Standing::Open => {
            if let Some(moment) = moment {
                app.answers.keep_blob(name.clone(), moment);
            }
            Ok(())
        }
        Standing::Held if caller.may_see_held(repository) => Ok(()),
        Standing::Held => Err(ApiError::blob_unknown(digest)),
        // An answer to HEAD says nothing of why. Who may push goes on to push what it is a part
        // of, and is told then.
        Standing::Denied(_) if is_head && caller.may(Action::Push, repository) => {
            Err(ApiError::blob_unknown(digest))
        }
        Standing::Denied(decided) => {
            let decision = &decided.decision;
            audit::pull_refused(repository, digest, digest, decision);
            app.metrics.decided("pull", decision);
            let what = format!("what the blob `{digest}` is a part of");
            Err(ApiError::denied(&what, decision))
        }
    }
}

fn wanted(headers: &HeaderMap, size: u64) -> Wanted {
    let range = headers.get(header::RANGE);
    Wanted::parse(range.and_then(|range| range.to_str().ok()), size)
}

fn found(digest: &Digest, length: u64, body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, BYTES);
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CONTENT_LENGTH, length.into());
    headers.insert(DOCKER_CONTENT_DIGEST, digest_value(digest));
    response
}

fn part(digest: &Digest, size: u64, blob: Box<dyn OpenBlob>, range: Range<u64>) -> Response {
    let (first, last) = (range.start, range.end.saturating_sub(1));
    let mut response = found(digest, range.end - range.start, body(blob, range));
    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    // Numbers and what stands between them, which every header may have.
    if let Ok(value) = format!("bytes {first}-{last}/{size}").try_into() {
        response.headers_mut().insert(header::CONTENT_RANGE, value);
    }
    response
}

fn body(blob: Box<dyn OpenBlob>, range: Range<u64>) -> Body {
    if range.is_empty() {
        return Body::empty();
    }
    match blob.bytes_now(&range) {
        Some(bytes) => Body::from(bytes),
        None => Body::from_stream(blob.stream(range)),
    }
}
