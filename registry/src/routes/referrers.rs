//! `/v2/<name>/referrers/<digest>`: what others say about a manifest.

use std::collections::BTreeMap;

use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use wasmport_artifact::{Descriptor, Digest, Manifest, RepositoryName, Tag, limits, media_type};
use wasmport_policies::Verdict;

use crate::access::Caller;
use crate::app::App;
use crate::error::ApiError;
use crate::header::OCI_FILTERS_APPLIED;
use crate::query::Query;
use crate::storage::StorageError;

/// How many bytes of descriptors one answer has at most: clients read it as a manifest. What
/// stands around them takes less than what is left.
const PAGE_BYTES: usize = limits::MANIFEST_BYTES - 1024;

/// How many referrers one answer has at most, and how many are looked at for it.
const REFERRERS: usize = 10_000;

/// How many are read from the store at a time.
const BATCH: usize = 200;

/// A page on its way: descriptors in the order of their digests, in JSON.
struct Page<'a> {
    filter: Option<&'a str>,
    /// Also what is held or denied.
    sees_all: bool,
    n: usize,
    entries: Vec<String>,
    bytes: usize,
    seen: usize,
    /// The last digest that was looked at.
    last: Option<Digest>,
}

/// end-12a, end-12b: never 404, which would make clients fall back to a tag.
pub(crate) async fn list(
    app: App,
    caller: &Caller,
    repository: RepositoryName,
    subject: Digest,
    request: Request,
) -> Result<Response, ApiError> {
    let query = Query::of(request.uri());
    let filter = query.get("artifactType").filter(|kind| !kind.is_empty());
    let mut page = Page {
        filter,
        sees_all: caller.may_see_held(&repository),
        n: query.n(REFERRERS)?,
        entries: Vec::new(),
        bytes: 0,
        seen: 0,
        last: query.get("last").map(str::parse).transpose()?,
    };
    let is_full = page.fill(&app, &repository, &subject).await?;
    let kind = [(header::CONTENT_TYPE, media_type::IMAGE_INDEX)];
    let mut response = (kind, index(&page.entries)).into_response();
    let headers = response.headers_mut();
    if filter.is_some() {
        let applied = HeaderValue::from_static("artifactType");
        headers.insert(OCI_FILTERS_APPLIED, applied);
    }
    // `n=0` asks for nothing, and there is nothing after nothing.
    if let Some(last) = page.last.filter(|_| is_full && page.n > 0) {
        let link = next(&repository, &subject, query.get("n"), filter, &last);
        let link = HeaderValue::try_from(link).map_err(|error| ApiError::internal(&error))?;
        headers.insert(header::LINK, link);
    }
    Ok(response)
}

impl Page<'_> {
    /// Takes up referrers after the last one, until no more fit. True when there are more.
    async fn fill(
        &mut self,
        app: &App,
        repository: &RepositoryName,
        subject: &Digest,
    ) -> Result<bool, ApiError> {
        let mut others = fallback(app, repository, subject, self.last.as_ref()).await?;
        let mut after = self.last.clone();
        loop {
            let known = app
                .store
                .referrers_after(repository, subject, after.as_ref(), BATCH)
                .await?;
            after = known.last().map(|last| last.digest.clone());
            for referrer in known {
                // What the fallback tag has before it, in the order of digests.
                let mut rest = others.split_off(&referrer.digest);
                std::mem::swap(&mut others, &mut rest);
                for other in rest.into_values() {
                    if self.add(app, repository, &other).await? {
                        return Ok(true);
                    }
                }
                others.remove(&referrer.digest);
                if self.add(app, repository, &referrer).await? {
                    return Ok(true);
                }
            }
            if after.is_none() {
                break;
            }
        }
        for other in others.into_values() {
            if self.add(app, repository, &other).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// True when it is not taken up any more, since the page is full.
    async fn add(
        &mut self,
        app: &App,
        repository: &RepositoryName,
        referrer: &Descriptor,
    ) -> Result<bool, ApiError> {
        if self.seen == REFERRERS || self.entries.len() >= self.n {
            return Ok(true);
        }
        let is_wanted = self
            .filter
            .is_none_or(|kind| referrer.artifact_type.as_deref() == Some(kind));
        if is_wanted && self.shows(app, repository, referrer).await? {
            let json =
                serde_json::to_string(referrer).map_err(|error| ApiError::internal(&error))?;
            let bytes = json.len() + 1;
            // One that is larger than a page has one to itself.
            if self.bytes + bytes > PAGE_BYTES && !self.entries.is_empty() {
                return Ok(true);
            }
            self.bytes += bytes;
            self.entries.push(json);
        }
        self.seen += 1;
        self.last = Some(referrer.digest.clone());
        Ok(false)
    }

    /// Whoever may push sees all; the others only what they may pull.
    async fn shows(
        &self,
        app: &App,
        repository: &RepositoryName,
        referrer: &Descriptor,
    ) -> Result<bool, ApiError> {
        Ok(self.sees_all || is_let_out(app, repository, &referrer.digest).await?)
    }
}

/// What is not stored here is named by something that is, and everyone can read that.
async fn is_let_out(
    app: &App,
    repository: &RepositoryName,
    referrer: &Digest,
) -> Result<bool, ApiError> {
    let Some(stored) = app.store.manifest(repository, referrer).await? else {
        return Ok(true);
    };
    let pulled = app.admission.pull(repository, None, referrer, &stored);
    Ok(pulled.await?.decision().verdict == Verdict::Admit)
}

fn index(entries: &[String]) -> String {
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[{}]}}"#,
        media_type::IMAGE_INDEX,
        entries.join(",")
    )
}

fn next(
    repository: &RepositoryName,
    subject: &Digest,
    n: Option<&str>,
    filter: Option<&str>,
    last: &Digest,
) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("last", last.as_str());
    for (name, value) in [("n", n), ("artifactType", filter)] {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    let query = query.finish();
    format!("</v2/{repository}/referrers/{subject}?{query}>; rel=\"next\"")
}

/// What clients have put under the fallback tag, thinking that there is no referrers API
/// (distribution specification, "Enabling the Referrers API"): each once, those after `last`.
async fn fallback(
    app: &App,
    repository: &RepositoryName,
    subject: &Digest,
    last: Option<&Digest>,
) -> Result<BTreeMap<Digest, Descriptor>, StorageError> {
    let tag = Tag::referrers_fallback(subject);
    let Some(digest) = app.store.tag(repository, &tag).await? else {
        return Ok(BTreeMap::new());
    };
    let stored = app.store.manifest(repository, &digest).await?;
    let index: Option<Manifest> = stored.and_then(|stored| stored.parse().ok());
    let listed = index
        .iter()
        .flat_map(|index| index.manifests().iter().cloned());
    let listed = listed.filter(|listed| last.is_none_or(|last| listed.digest > *last));
    Ok(listed
        .map(|listed| (listed.digest.clone(), listed))
        .collect())
}
