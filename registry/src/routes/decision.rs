//! `/v2/<name>/_wasmport/decision/<reference>`: what the policy says of an artifact today, why,
//! and what it said when the artifact came in.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Value, json};
use wasmport_artifact::{Digest, RepositoryName, Selector, Tag};
use wasmport_policies::Verdict;

use crate::access::Caller;
use crate::admission::Decided;
use crate::app::App;
use crate::error::ApiError;
use crate::storage::DecisionRecord;

/// For those who may pull what is admitted. What is held or denied is there for those only
/// who may push.
pub(crate) async fn get(
    app: &App,
    caller: &Caller,
    repository: &RepositoryName,
    reference: &Selector,
) -> Result<Response, ApiError> {
    let unknown = || ApiError::manifest_unknown(reference);
    let Found {
        tag,
        digest,
        waiting,
    } = find(app, caller, repository, reference).await?;
    let stored = app.store.manifest(repository, &digest).await?;
    let stored = stored.ok_or_else(unknown)?;
    let pulled = app.admission.pull(repository, tag, &digest, &stored);
    let pulled = pulled.await?;
    let decided = &pulled.decided;
    if decided.decision.verdict != Verdict::Admit && !caller.may_see_held(repository) {
        return Err(unknown());
    }
    let recorded = app.store.decision(repository, &digest).await?;
    let mut body = json!({
        "repository": repository,
        "digest": digest,
        "today": today(decided),
    });
    if let Some(fields) = body.as_object_mut() {
        if let Some(tag) = tag {
            fields.insert("tag".to_owned(), json!(tag));
        }
        if let Some(waiting) = waiting {
            fields.insert("waiting".to_owned(), json!(waiting));
        }
        if let Some(recorded) = recorded {
            fields.insert("recorded".to_owned(), then(&recorded));
        }
    }
    let kind = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((kind, body.to_string()).into_response())
}

/// What a reference names.
struct Found<'a> {
    /// The tag that points to it.
    tag: Option<&'a Tag>,
    digest: Digest,
    /// The held manifest that waits for the tag that was asked for.
    waiting: Option<Digest>,
}

/// A tag that points to nothing yet stands for the held manifest that waits for it.
async fn find<'a>(
    app: &App,
    caller: &Caller,
    repository: &RepositoryName,
    reference: &'a Selector,
) -> Result<Found<'a>, ApiError> {
    let tag = match reference {
        Selector::Tag(tag) => tag,
        Selector::Digest(digest) => {
            return Ok(Found {
                tag: None,
                digest: digest.clone(),
                waiting: None,
            });
        }
    };
    let points_to = app.store.tag(repository, tag).await?;
    let waiting = if caller.may_see_held(repository) {
        app.store.waits_for(repository, tag).await?
    } else {
        None
    };
    let target = points_to.as_ref().or(waiting.as_ref());
    Ok(Found {
        digest: target
            .cloned()
            .ok_or_else(|| ApiError::manifest_unknown(reference))?,
        tag: points_to.is_some().then_some(tag),
        waiting,
    })
}

fn today(decided: &Decided) -> Value {
    let mut body = json!({
        "verdict": decided.decision.verdict,
        "findings": decided.decision.findings,
        "policyDigest": decided.policy,
        "factsDigest": decided.facts,
        "date": decided.day.to_string(),
    });
    if let (Some(enforced), Some(fields)) = (&decided.enforced, body.as_object_mut()) {
        fields.insert("enforced".to_owned(), json!(enforced));
    }
    body
}

/// What imports the version before had is a long list, and can be asked for by its digest.
fn then(recorded: &DecisionRecord) -> Value {
    let at = i64::try_from(recorded.at).ok();
    let at = at.and_then(|at| Timestamp::from_millisecond(at).ok());
    let previous = recorded.previous.iter().map(|previous| {
        json!({
            "tag": previous.tag,
            "digest": previous.digest,
        })
    });
    json!({
        "verdict": recorded.decision.verdict,
        "findings": recorded.decision.findings,
        "policyDigest": recorded.policy_digest,
        "factsDigest": recorded.facts_digest,
        "date": recorded.date,
        "at": at.map(|at| at.to_string()),
        "pushedBy": recorded.pushed_by,
        "comparedWith": previous.collect::<Vec<_>>(),
    })
}
