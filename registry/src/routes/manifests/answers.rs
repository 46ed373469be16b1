//! What clients are told of a manifest.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use wasmport_artifact::{Digest, RepositoryName, Selector};
use wasmport_policies::{Decision, Verdict};

use crate::cache::PullableManifest;
use crate::error::{ApiError, summary};
use crate::header::{DOCKER_CONTENT_DIGEST, OCI_SUBJECT, warning};
use crate::preconditions::{self, etag};

/// The manifest, or that the client has it already.
pub(super) fn found(request: &Request, manifest: &PullableManifest) -> Response {
    if preconditions::has_already(request.headers(), &manifest.digest) {
        return not_modified(&manifest.digest);
    }
    let body = if request.method() == Method::HEAD {
        Body::empty()
    } else {
        Body::from(manifest.bytes.clone())
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, manifest.content_type.clone());
    headers.insert(header::CONTENT_LENGTH, manifest.bytes.len().into());
    headers.insert(DOCKER_CONTENT_DIGEST, manifest.digest_value.clone());
    headers.insert(header::ETAG, manifest.etag.clone());
    response
}

/// It is stored, and perhaps held.
pub(super) fn created(
    repository: &RepositoryName,
    digest: &Digest,
    subject: Option<&Digest>,
    decision: &Decision,
) -> Response {
    let headers = [
        (
            header::LOCATION,
            format!("/v2/{repository}/manifests/{digest}"),
        ),
        (DOCKER_CONTENT_DIGEST, digest.to_string()),
        (header::ETAG, etag(digest)),
    ];
    let mut response = (StatusCode::CREATED, headers).into_response();
    let subject = subject.map(|subject| (OCI_SUBJECT, subject.to_string()));
    let warning = words_about(decision).map(|text| (header::WARNING, warning(&text)));
    for (name, value) in subject.into_iter().chain(warning) {
        if let Ok(value) = value.try_into() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// The policy does not let it in or out.
pub(super) fn denied(
    repository: &RepositoryName,
    reference: &Selector,
    decision: &Decision,
) -> ApiError {
    let at = match reference {
        Selector::Tag(_) => ':',
        Selector::Digest(_) => '@',
    };
    ApiError::denied(&format!("`{repository}{at}{reference}`"), decision)
}

fn not_modified(digest: &Digest) -> Response {
    let headers = [
        (DOCKER_CONTENT_DIGEST, digest.to_string()),
        (header::ETAG, etag(digest)),
    ];
    (StatusCode::NOT_MODIFIED, headers).into_response()
}

/// What the client should know though the push went well.
fn words_about(decision: &Decision) -> Option<String> {
    let summary = summary(decision);
    match decision.verdict {
        Verdict::Hold => Some(format!(
            "held: the tag moves when what is missing has arrived: {summary}"
        )),
        Verdict::Admit if !summary.is_empty() => Some(format!("the policy remarks: {summary}")),
        Verdict::Admit | Verdict::Deny => None,
    }
}
