//! `/v2/<name>/manifests/<reference>`: what is pulled first and pushed last.

mod answers;
mod sent;

use std::sync::Arc;

use axum::extract::Request;
use axum::http::header::InvalidHeaderValue;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use wasmport_artifact::{Digest, Manifest, RepositoryName, Selector, Tag};
use wasmport_policies::Verdict;

use self::answers::{created, denied, found};
use self::sent::{added_tags, content_type, media_type_of, read};
use crate::access::{Action, Caller};
use crate::admission::{Decided, Push};
use crate::app::App;
use crate::audit;
use crate::cache::{ManifestName, PullableManifest};
use crate::error::ApiError;
use crate::header::{OCI_TAG, digest_value};
use crate::preconditions::{self, etag};
use crate::query::Query;
use crate::storage::{Condition, TagTerms};
use crate::traces;

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
    let is_head = request.method() == Method::HEAD;
    let (manifest, is_for_all) = Box::pin(find(app, caller, &name, is_head)).await?;
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
    is_head: bool,
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
    let pulled = pulled.await?;
    let decision = pulled.decision();
    if decision.verdict == Verdict::Hold && tag.is_none() && !caller.may_see_held(repository) {
        return Err(unknown());
    }
    let is_pulled = may_be_pulled(decision.verdict, tag);
    if !is_pulled && is_head && caller.may(Action::Push, repository) {
        // An answer to HEAD says nothing of why. Clients ask before they push, stop at 403, and
        // push at 404: then they are told.
        return Err(unknown());
    }
    if !is_pulled {
        audit::pull_refused(repository, reference, &digest, decision);
        app.metrics.decided("pull", decision);
        return Err(denied(repository, reference, decision));
    }
    let internal = |error: InvalidHeaderValue| ApiError::internal(&error);
    let is_for_all = decision.verdict == Verdict::Admit;
    let manifest = PullableManifest {
        content_type: stored.media_type.try_into().map_err(internal)?,
        digest_value: digest_value(&digest),
        etag: etag(&digest).try_into().map_err(internal)?,
        digest,
        bytes: stored.bytes,
    };
    Ok((manifest, is_for_all))
}

/// end-7a: stored as it came, if the policy admits it.
pub(crate) async fn put(
    app: App,
    caller: &Caller,
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
        pushed_by: caller.identity(),
        repository: repository.clone(),
        tags: tags(&app, &repository, &reference, condition, &added),
        reference: reference.clone(),
        digest: digest.clone(),
    };
    let subject = push
        .manifest
        .subject()
        .map(|subject| subject.digest.clone());
    let decided = admit(&app, push).await?;
    let decision = &decided.decision;
    if decision.verdict == Verdict::Deny {
        return Err(denied(&repository, &reference, decision));
    }
    let mut response = created(&repository, &digest, subject.as_ref(), decision);
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

/// A client that hangs up must not stop a push half way: between a signature and the tag
/// that waits for it.
async fn admit(app: &App, push: Push) -> Result<Arc<Decided>, ApiError> {
    let admission = Arc::clone(&app.admission);
    let work = async move { traces::step("admission", admission.push(push)).await };
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
