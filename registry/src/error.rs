//! The one place that knows which code and status of the distribution specification
//! ("Error Codes") an error of ours has.

use axum::body::Body;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use wasmport_artifact::{DigestError, ManifestError, with_causes};
use wasmport_policies::Decision;

use crate::admission::AdmissionError;
use crate::collector::CollectError;
use crate::endpoint::{Endpoint, EndpointError};
use crate::storage::{PutManifestError, RemoveError, StorageError, TagError, WriteBlobError};
use crate::uploads::UploadError;

/// How large the decision in an answer is at most, in bytes of JSON. oras reads 8 KiB of an
/// error and shows nothing of one that breaks off; the message needs room too.
const DETAIL_BYTES: usize = 7_000;
/// How long the message of a refusal is at most, in characters.
const MESSAGE: usize = 500;

/// An answer that is an error: `{"errors":[{"code","message","detail"}]}`.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    detail: Option<Value>,
    headers: Vec<(HeaderName, String)>,
}

impl ApiError {
    pub(crate) fn blob_unknown(digest: &impl std::fmt::Display) -> Self {
        let message = format!("the blob `{digest}` is not in this repository");
        Self::new(StatusCode::NOT_FOUND, "BLOB_UNKNOWN", message)
    }

    pub(crate) fn manifest_unknown(reference: &impl std::fmt::Display) -> Self {
        let message = format!("the manifest `{reference}` is not in this repository");
        Self::new(StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN", message)
    }

    pub(crate) fn name_unknown(repository: &impl std::fmt::Display) -> Self {
        let message = format!("there is no repository `{repository}`");
        Self::new(StatusCode::NOT_FOUND, "NAME_UNKNOWN", message)
    }

    pub(crate) fn manifest_invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "MANIFEST_INVALID", message)
    }

    pub(crate) fn manifest_too_large(message: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "MANIFEST_INVALID", message)
    }

    pub(crate) fn too_many_tags(got: usize, limit: usize) -> Self {
        let message = format!("a push sets at most {limit} tags, got {got}");
        Self::new(StatusCode::URI_TOO_LONG, "UNSUPPORTED", message)
    }

    pub(crate) fn blob_too_large(limit: u64) -> Self {
        let message = format!("a blob has at most {limit} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "SIZE_INVALID", message)
    }

    pub(crate) fn upload_invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BLOB_UPLOAD_INVALID", message)
    }

    pub(crate) fn out_of_order(message: impl Into<String>) -> Self {
        let status = StatusCode::RANGE_NOT_SATISFIABLE;
        Self::new(status, "BLOB_UPLOAD_INVALID", message)
    }

    pub(crate) fn range_not_satisfiable(size: u64) -> Self {
        let message = format!("the blob has {size} bytes and none of those asked for");
        Self::new(StatusCode::RANGE_NOT_SATISFIABLE, "SIZE_INVALID", message)
            .with_header(header::CONTENT_RANGE, format!("bytes */{size}"))
    }

    /// Nobody was identified, or a token is for something else; `challenge` says how to log in.
    pub(crate) fn unauthorized(message: impl Into<String>, challenge: String) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", message)
            .with_header(header::WWW_AUTHENTICATE, challenge)
    }

    /// It is known who asks, and they may not.
    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "DENIED", message)
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "UNSUPPORTED", message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "UNSUPPORTED", message)
    }

    pub(crate) fn robot_unknown(name: &str) -> Self {
        let message = format!("there is no robot `{name}`");
        Self::new(StatusCode::NOT_FOUND, "ROBOT_UNKNOWN", message)
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", message)
    }

    pub(crate) fn too_many_attempts(wait: std::time::Duration) -> Self {
        let message = "too many wrong passwords from this address";
        let seconds = wait.as_secs().max(1).to_string();
        Self::new(StatusCode::TOO_MANY_REQUESTS, "TOOMANYREQUESTS", message)
            .with_header(header::RETRY_AFTER, seconds)
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "UNSUPPORTED", message)
    }

    /// A blob that is needed cannot be deleted (distribution specification, "Deleting
    /// Blobs", which has 405 for a registry that refuses).
    pub(crate) fn blob_in_use(
        digest: &impl std::fmt::Display,
        manifest: &impl std::fmt::Display,
    ) -> Self {
        let message = format!("the manifest `{manifest}` of this repository needs `{digest}`");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "DENIED", message)
            .with_header(header::ALLOW, "GET, HEAD".to_owned())
    }

    pub(crate) fn method_not_allowed(endpoint: &Endpoint) -> Self {
        let message = "this registry does not support the method here";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", message)
            .with_header(header::ALLOW, endpoint.methods().to_owned())
    }

    /// There are more requests than can be answered at one time.
    pub(crate) fn overloaded() -> Self {
        let message = "the registry has too much to do, try again soon";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "TOOMANYREQUESTS", message)
            .with_header(header::RETRY_AFTER, "1".to_owned())
    }

    /// Somebody asks too often, and may ask again after `wait`.
    pub(crate) fn too_often(wait: std::time::Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let message = format!("too many requests, wait {seconds} s");
        Self::new(StatusCode::TOO_MANY_REQUESTS, "TOOMANYREQUESTS", message)
            .with_header(header::RETRY_AFTER, seconds.to_string())
    }

    pub(crate) fn uri_too_long(limit: u64) -> Self {
        let message = format!("the target of a request has at most {limit} bytes");
        Self::new(StatusCode::URI_TOO_LONG, "UNSUPPORTED", message)
    }

    pub(crate) fn headers_too_large(limit: u64) -> Self {
        let message = format!("the headers of a request are too many, or have over {limit} bytes");
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        Self::new(status, "UNSUPPORTED", message)
    }

    /// The policy says no. Its findings go along as `detail`, all that there is room for.
    pub(crate) fn denied(what: &impl std::fmt::Display, decision: &Decision) -> Self {
        let short = decision.shortened(DETAIL_BYTES);
        let message = format!("the policy does not admit {what}: {}", summary(&short));
        let message: String = message.chars().take(MESSAGE).collect();
        Self {
            detail: serde_json::to_value(&short).ok(),
            ..Self::new(StatusCode::FORBIDDEN, "DENIED", message)
        }
    }

    #[must_use]
    pub(crate) fn with_header(mut self, name: HeaderName, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            detail: None,
            headers: Vec::new(),
        }
    }

    /// Our fault. It is logged here, once, with its causes; the client need not know them.
    pub(crate) fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(error = %with_causes(error), "request failed");
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self::new(status, "UNKNOWN", "the registry failed; its log says why")
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let (Some(detail), Some(fields)) = (self.detail, error.as_object_mut()) {
            fields.insert("detail".to_owned(), detail);
        }
        let body = json!({ "errors": [error] }).to_string();
        let kind = [(header::CONTENT_TYPE, "application/json")];
        let mut response = (self.status, kind, Body::from(body)).into_response();
        for (name, value) in self.headers {
            if let Ok(value) = value.try_into() {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

impl From<EndpointError> for ApiError {
    fn from(error: EndpointError) -> Self {
        let message = error.to_string();
        match error {
            EndpointError::Unknown(_) => Self::new(StatusCode::NOT_FOUND, "UNSUPPORTED", message),
            EndpointError::Repository(_) => {
                Self::new(StatusCode::BAD_REQUEST, "NAME_INVALID", message)
            }
            EndpointError::Digest(error) => error.into(),
            EndpointError::Reference(_) | EndpointError::Tag(_) => Self::manifest_invalid(message),
        }
    }
}

impl From<DigestError> for ApiError {
    fn from(error: DigestError) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "DIGEST_INVALID", error.to_string())
    }
}

impl From<ManifestError> for ApiError {
    fn from(error: ManifestError) -> Self {
        let message = with_causes(&error);
        match error {
            ManifestError::TooLarge(_) => Self::manifest_too_large(message),
            _ => Self::manifest_invalid(message),
        }
    }
}

impl From<StorageError> for ApiError {
    fn from(error: StorageError) -> Self {
        if let StorageError::Quota(exceeded) = &error {
            return Self::new(StatusCode::FORBIDDEN, "DENIED", exceeded.to_string());
        }
        let internal = Self::internal(&error);
        match error {
            StorageError::Full(_) => Self {
                status: StatusCode::INSUFFICIENT_STORAGE,
                message: "the registry's storage is full".to_owned(),
                ..internal
            },
            _ => internal,
        }
    }
}

impl From<CollectError> for ApiError {
    fn from(error: CollectError) -> Self {
        let message = error.to_string();
        match error {
            CollectError::Running => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "TOOMANYREQUESTS", message)
            }
            CollectError::TooSoon(_) => Self::new(StatusCode::CONFLICT, "DENIED", message),
            CollectError::Stopped => Self::new(StatusCode::SERVICE_UNAVAILABLE, "UNKNOWN", message),
            CollectError::Storage(error) => error.into(),
        }
    }
}

impl From<WriteBlobError> for ApiError {
    fn from(error: WriteBlobError) -> Self {
        match error {
            WriteBlobError::Digest(error) => error.into(),
            WriteBlobError::Storage(error) => error.into(),
        }
    }
}

impl From<UploadError> for ApiError {
    fn from(error: UploadError) -> Self {
        let message = error.to_string();
        match error {
            UploadError::Unknown(_) => {
                Self::new(StatusCode::NOT_FOUND, "BLOB_UPLOAD_UNKNOWN", message)
            }
            UploadError::Busy(_) => Self::new(StatusCode::CONFLICT, "BLOB_UPLOAD_INVALID", message),
            UploadError::TooMany(_) | UploadError::TooManyOf(..) => {
                // Places become free whenever an upload ends.
                Self::new(StatusCode::TOO_MANY_REQUESTS, "TOOMANYREQUESTS", message)
                    .with_header(header::RETRY_AFTER, "60".to_owned())
            }
            UploadError::Storage(error) => error.into(),
        }
    }
}

impl From<PutManifestError> for ApiError {
    fn from(error: PutManifestError) -> Self {
        let message = error.to_string();
        match error {
            PutManifestError::UnknownBlob(_) => {
                Self::new(StatusCode::NOT_FOUND, "MANIFEST_BLOB_UNKNOWN", message)
            }
            PutManifestError::BlobSize { .. } => {
                Self::new(StatusCode::BAD_REQUEST, "SIZE_INVALID", message)
            }
            PutManifestError::MediaType { .. } => {
                Self::new(StatusCode::CONFLICT, "MANIFEST_INVALID", message)
            }
            PutManifestError::Contended(_) => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "TOOMANYREQUESTS", message)
            }
            PutManifestError::Tag(error) => error.into(),
            PutManifestError::Storage(error) => error.into(),
        }
    }
}

impl From<TagError> for ApiError {
    fn from(error: TagError) -> Self {
        let message = error.to_string();
        match error {
            TagError::Condition { .. } => {
                Self::new(StatusCode::PRECONDITION_FAILED, "DENIED", message)
            }
            TagError::Immutable { .. } => Self::new(StatusCode::CONFLICT, "DENIED", message),
            TagError::Contended(_) => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "TOOMANYREQUESTS", message)
            }
            TagError::Storage(error) => error.into(),
        }
    }
}

impl From<RemoveError> for ApiError {
    fn from(error: RemoveError) -> Self {
        let message = error.to_string();
        match error {
            RemoveError::Tag(error) => error.into(),
            RemoveError::Contended(_) => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "TOOMANYREQUESTS", message)
            }
            RemoveError::Storage(error) => error.into(),
        }
    }
}

impl From<AdmissionError> for ApiError {
    fn from(error: AdmissionError) -> Self {
        match error {
            AdmissionError::Put(error) => error.into(),
            AdmissionError::Tag(error) => error.into(),
            AdmissionError::Storage(error) => error.into(),
            other => Self::internal(&other),
        }
    }
}

/// The first finding in words, and how many more there are.
pub(crate) fn summary(decision: &Decision) -> String {
    let mut findings = decision.findings.iter();
    let first = findings
        .next()
        .map_or("", |finding| finding.message.as_str());
    match findings.len() {
        0 => first.to_owned(),
        1 => format!("{first} (and 1 more finding)"),
        more => format!("{first} (and {more} more findings)"),
    }
}
