//! `/v2/<name>/referrers/<digest>`: what others say about a manifest.

use axum::extract::Request;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use wasmport_artifact::{Descriptor, Digest, Manifest, RepositoryName, Tag, media_type};

use crate::app::App;
use crate::error::ApiError;
use crate::header::OCI_FILTERS_APPLIED;
use crate::query::Query;
use crate::storage::StorageError;

/// How many referrers one answer has at most; with their annotations they still fit into
/// what clients read as a manifest.
const REFERRERS: usize = 5_000;

/// end-12a, end-12b: never 404, which would make clients fall back to a tag.
pub(crate) async fn list(
    app: App,
    repository: RepositoryName,
    subject: Digest,
    request: Request,
) -> Result<Response, ApiError> {
    let mut referrers = app
        .store
        .referrers(&repository, &subject, REFERRERS)
        .await?;
    for other in fallback(&app, &repository, &subject).await? {
        if !referrers.iter().any(|known| known.digest == other.digest) {
            referrers.push(other);
        }
    }
    let query = Query::of(request.uri());
    let filter = query.get("artifactType").filter(|kind| !kind.is_empty());
    if let Some(kind) = filter {
        referrers.retain(|referrer| referrer.artifact_type.as_deref() == Some(kind));
    }
    let index = json!({
        "schemaVersion": 2,
        "mediaType": media_type::IMAGE_INDEX,
        "manifests": referrers,
    });
    let kind = [(header::CONTENT_TYPE, media_type::IMAGE_INDEX)];
    let applied = filter.map(|_| [(OCI_FILTERS_APPLIED, "artifactType")]);
    match applied {
        Some(applied) => Ok((kind, applied, index.to_string()).into_response()),
        None => Ok((kind, index.to_string()).into_response()),
    }
}

/// What clients have put under the fallback tag, thinking that there is no referrers API
/// (distribution specification, "Enabling the Referrers API").
async fn fallback(
    app: &App,
    repository: &RepositoryName,
    subject: &Digest,
) -> Result<Vec<Descriptor>, StorageError> {
    let tag = Tag::referrers_fallback(subject);
    let Some(digest) = app.store.tag(repository, &tag).await? else {
        return Ok(Vec::new());
    };
    let stored = app.store.manifest(repository, &digest).await?;
    let index: Option<Manifest> = stored.and_then(|stored| stored.parse().ok());
    Ok(index.map_or_else(Vec::new, |index| index.manifests().to_vec()))
}
