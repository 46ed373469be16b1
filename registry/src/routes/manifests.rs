//! `/v2/<name>/manifests/<reference>`: what is pulled first and pushed last.

use std::error::Error as _;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::InvalidHeaderValue;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::LengthLimitError;
use serde::Deserialize;
use wasmport_artifact::{Digest, Manifest, RepositoryName, Selector, Tag, TagError};
use wasmport_policies::{Decision, Verdict};

use crate::access::{Action, Caller};
use crate::admission::{Pulled, Push};
use crate::app::App;
use crate::audit;
use crate::cache::{ManifestName, PullableManifest};
use crate::error::{ApiError, summary};
use crate::header::{DOCKER_CONTENT_DIGEST, OCI_SUBJECT, OCI_TAG, digest_value, warning};
use crate::preconditions::{self, etag};
use crate::query::Query;
use crate::storage::{Condition, TagTerms};

/// How many tags one push may set by its query. The specification asks for ten; a release has
/// `1.2.3`, `1.2`, `1`, `latest` and some more.
const TAGS: usize = 32;

/// How many layers a manifest has at most. Each is looked up at a push, and container runtimes
/// take no more than 127.
const LAYERS: usize = 4096;

/// end-3: by tag or digest, if the policy of today admits it.
pub(crate) async fn get(
    app: &App,
    caller: &Caller,
    repository: RepositoryName,
    reference: Selector,
    request: Request,
) -> Result<Response, ApiError> {
    let name = ManifestName {
        repository,
        reference,
    };
    // Before anything is read: what is read later is not older than this.
    let moment = app.moment(&name.repository);
    if let Some(known) = moment.and_then(|moment| app.answers.manifest(&name, moment)) {
        return Ok(found(&request, &known));
    }
    let (manifest, is_for_all) = find(app, caller, &name).await?;
    let manifest = Arc::new(manifest);
    let response = found(&request, &manifest);
    if let Some(moment) = moment.filter(|_| is_for_all) {
        app.answers.keep_manifest(name, moment, manifest);
    }
    Ok(response)
}

/// A manifest that the caller may have, and whether everyone who may pull may have it as long
/// as nothing changes: what is held is only for some.
async fn find(
    app: &App,
    caller: &Caller,
    name: &ManifestName,
) -> Result<(PullableManifest, bool), ApiError> {
    let ManifestName {
        repository,
        reference,
    } = name;
    let unknown = || ApiError::manifest_unknown(reference);
    let (tag, digest) = match reference {
        Selector::Digest(digest) => (None, digest.clone()),
        Selector::Tag(tag) => {
            let digest = app.store.tag(repository, tag).await?;
            (Some(tag), digest.ok_or_else(unknown)?)
        }
    };
    let stored = app.store.manifest(repository, &digest).await?;
    let stored = stored.ok_or_else(unknown)?;
    let pulled = app.admission.pull(repository, tag, &digest, &stored);
    let Pulled { decision, lasts } = pulled.await?;
    if decision.verdict == Verdict::Hold && tag.is_none() && !caller.may(Action::Push, repository) {
        return Err(unknown());
    }
    if !may_be_pulled(decision.verdict, tag) {
        audit::pull_refused(repository, reference, &digest, &decision);
        app.metrics.decided("pull", &decision);
        return Err(denied(repository, reference, &decision));
    }
    let internal = |error: InvalidHeaderValue| ApiError::internal(&error);
    let manifest = PullableManifest {
        content_type: stored.media_type.try_into().map_err(internal)?,
        digest_value: digest_value(&digest),
        etag: etag(&digest).try_into().map_err(internal)?,
        digest,
        bytes: stored.bytes,
    };
    Ok((manifest, lasts && decision.verdict == Verdict::Admit))
}

/// end-7a: stored as it came, if the policy admits it.
pub(crate) async fn put(
    app: App,
    repository: RepositoryName,
    reference: Selector,
    request: Request,
) -> Result<Response, ApiError> {
    let media_type = content_type(request.headers());
    let condition = preconditions::condition(request.headers());
    let added = added_tags(&Query::of(request.uri()))?;
    let settings = app.api.load_full();
    let bytes = read(request.into_body(), settings.manifest_bytes.to_usize()).await?;
    let digest = match &reference {
        Selector::Tag(_) => Digest::of(&bytes),
        Selector::Digest(digest) => {
            digest.check(&bytes)?;
            digest.clone()
        }
    };
    let media_type = media_type.or_else(|| media_type_of(&bytes));
    let media_type = media_type.ok_or_else(|| {
        ApiError::manifest_invalid("neither `Content-Type` nor `mediaType` says what this is")
    })?;
    let manifest = Manifest::parse_unlimited(bytes.into(), &media_type)?;
    if manifest.layers().len() > LAYERS {
        let message = format!("a manifest has at most {LAYERS} layers");
        return Err(ApiError::manifest_invalid(message));
    }
    let push = Push {
        manifest,
        may_be_sparse: settings.sparse_manifests,
        repository: repository.clone(),
        tags: tags(&app, &repository, &reference, condition, &added),
        reference: reference.clone(),
        digest: digest.clone(),
    };
    let subject = push
        .manifest
        .subject()
        .map(|subject| subject.digest.clone());
    let decision = admit(&app, push).await?;
    if decision.verdict == Verdict::Deny {
        return Err(denied(&repository, &reference, &decision));
    }
    let mut response = created(&repository, &digest, subject.as_ref(), &decision);
    for tag in added {
        let value =
            HeaderValue::try_from(tag.as_str()).map_err(|error| ApiError::internal(&error))?;
        response.headers_mut().append(OCI_TAG, value);
    }
    Ok(response)
}

/// end-9: by tag only the tag goes, by digest the manifest with all its tags.
pub(crate) async fn delete(
    app: App,
    repository: RepositoryName,
    reference: Selector,
    request: Request,
) -> Result<Response, ApiError> {
    let deleted = match &reference {
        Selector::Tag(tag) => {
            let condition = preconditions::condition(request.headers());
            let terms = app.admission.terms(&repository, tag.clone(), condition);
            app.store.delete_tag(&repository, &terms).await?
        }
        Selector::Digest(digest) => {
            let (admission, at) = (Arc::clone(&app.admission), repository.clone());
            let terms = move |tag| admission.terms(&at, tag, Condition::Anything);
            app.store
                .delete_manifest(&repository, digest, terms)
                .await?
        }
    };
    if !deleted {
        return Err(ApiError::manifest_unknown(&reference));
    }
    audit::deleted(&repository, &reference);
    Ok(StatusCode::ACCEPTED.into_response())
}

/// The tags that a push names. A condition is about the tag in the path.
fn tags(
    app: &App,
    repository: &RepositoryName,
    reference: &Selector,
    condition: Condition,
    added: &[Tag],
) -> Vec<TagTerms> {
    let named = match reference {
        Selector::Digest(_) => None,
        Selector::Tag(tag) => Some(tag),
    };
    let terms = |tag: &Tag, condition| app.admission.terms(repository, tag.clone(), condition);
    let added = added.iter().filter(|tag| named != Some(*tag));
    let added = added.map(|tag| terms(tag, Condition::Anything));
    let named = named.map(|tag| terms(tag, condition));
    named.into_iter().chain(added).collect()
}

/// end-7b: the tags of the query, each once.
fn added_tags(query: &Query) -> Result<Vec<Tag>, ApiError> {
    let mut tags: Vec<Tag> = Vec::new();
    for tag in query.all("tag") {
        let tag: Tag = tag
            .parse()
            .map_err(|error: TagError| ApiError::manifest_invalid(error.to_string()))?;
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    if tags.len() > TAGS {
        return Err(ApiError::too_many_tags(tags.len(), TAGS));
    }
    Ok(tags)
}

/// A client that hangs up must not stop a push half way: between a signature and the tag
/// that waits for it.
async fn admit(app: &App, push: Push) -> Result<Arc<Decision>, ApiError> {
    let admission = Arc::clone(&app.admission);
    let work = async move { admission.push(push).await };
    let task = tokio::spawn(audit::carried(work));
    let done = task.await.map_err(|error| ApiError::internal(&error))?;
    Ok(done?)
}

/// What is held has no tag. If its tag points to it all the same, the policy came to want
/// signatures after it was admitted.
fn may_be_pulled(verdict: Verdict, tag: Option<&Tag>) -> bool {
    match verdict {
        Verdict::Admit => true,
        Verdict::Hold => tag.is_none(),
        Verdict::Deny => false,
    }
}

fn denied(repository: &RepositoryName, reference: &Selector, decision: &Decision) -> ApiError {
    let at = match reference {
        Selector::Tag(_) => ':',
        Selector::Digest(_) => '@',
    };
    ApiError::denied(&format!("`{repository}{at}{reference}`"), decision)
}

fn found(request: &Request, manifest: &PullableManifest) -> Response {
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

fn not_modified(digest: &Digest) -> Response {
    let headers = [
        (DOCKER_CONTENT_DIGEST, digest.to_string()),
        (header::ETAG, etag(digest)),
    ];
    (StatusCode::NOT_MODIFIED, headers).into_response()
}

fn created(
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

async fn read(body: Body, limit: usize) -> Result<Bytes, ApiError> {
    let bytes = to_bytes(body, limit).await;
    bytes.map_err(|error| {
        let is_too_large = error
            .source()
            .is_some_and(<dyn std::error::Error>::is::<LengthLimitError>);
        if is_too_large {
            return ApiError::manifest_too_large(format!("a manifest has at most {limit} bytes"));
        }
        ApiError::manifest_invalid(format!("the body broke off: {error}"))
    })
}

/// The media type without its parameters, which no manifest type has.
fn content_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let kind = value.split(';').next().unwrap_or_default().trim();
    (!kind.is_empty()).then(|| kind.to_owned())
}

fn media_type_of(bytes: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Typed {
        media_type: Option<String>,
    }
    serde_json::from_slice::<Typed>(bytes).ok()?.media_type
}
