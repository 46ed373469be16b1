//! What is known of everything in a store, so that a policy can be tried on it.

use std::collections::HashMap;

use thiserror::Error;
use tracing::{info, warn};
use wasmport_artifact::{Digest, RepositoryName, Tag, with_causes};
use wasmport_policies::{Facts, Verdict, decide};

use crate::admission::{Admission, today};
use crate::policy_file::LoadedPolicy;
use crate::storage::{StorageError, Store};

/// How many manifests are read at a time.
const PAGE: usize = 100;

/// How many tags are read at a time.
const TAGS: usize = 1000;

/// How many refusals one audit writes to the log.
const LINES: usize = 1000;

/// Why a store could not be surveyed.
#[derive(Debug, Error)]
#[error("failed to survey the store")]
pub struct SurveyError(#[from] StorageError);

/// What an audit of a store found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Audited {
    /// How many manifests there are.
    pub manifests: usize,
    /// How many of them would wait for something.
    pub held: usize,
    /// How many of them would be refused.
    pub denied: usize,
    /// How many could not be looked at; the log says why.
    pub unreadable: usize,
}

/// Gives the facts on each manifest of a store to `each`, in the order of repositories and
/// digests. Signatures count by the keys of `policy`. What has no facts that are up to date is
/// inspected, and the facts are kept.
///
/// A manifest that cannot be read is logged and left out; the answer is how many were.
pub async fn survey(
    store: &Store,
    policy: &LoadedPolicy,
    mut each: impl FnMut(Facts),
) -> Result<usize, SurveyError> {
    let admission = Admission::for_survey(store.clone(), policy.clone());
    let mut unreadable = 0;
    let mut last: Option<RepositoryName> = None;
    loop {
        let name = last.as_ref().map(RepositoryName::as_str);
        let Some(repository) = store.repository_after(name).await? else {
            return Ok(unreadable);
        };
        unreadable += survey_one(store, &admission, &repository, &mut each).await?;
        last = Some(repository);
    }
}

/// Says in the log what `policy` would refuse of what is stored.
pub async fn audit(store: &Store, policy: &LoadedPolicy) -> Result<Audited, SurveyError> {
    let mut audited = Audited::default();
    let today = today();
    let unreadable = survey(store, policy, |facts| {
        audited.manifests += 1;
        let decision = decide(&policy.policy, &facts, today);
        match decision.verdict {
            Verdict::Admit => return,
            Verdict::Hold => audited.held += 1,
            Verdict::Deny => audited.denied += 1,
        }
        if audited.held + audited.denied > LINES {
            return;
        }
        let (repository, digest, verdict) = (&facts.repository, &facts.digest, decision.verdict);
        let first = decision.findings.first();
        let why = first.map_or("", |finding| finding.message.as_str());
        let tags: Vec<&str> = facts.tags.iter().map(|tag| tag.name.as_str()).collect();
        warn!(%repository, %digest, tags = tags.join(","), %verdict, why, "would not be admitted");
    });
    audited.unreadable = unreadable.await?;
    let Audited {
        manifests,
        held,
        denied,
        unreadable,
    } = audited;
    info!(
        manifests,
        held, denied, unreadable, "tried the policy on what is stored"
    );
    Ok(audited)
}

async fn survey_one(
    store: &Store,
    admission: &Admission,
    repository: &RepositoryName,
    each: &mut impl FnMut(Facts),
) -> Result<usize, SurveyError> {
    let tags = tags(store, repository).await?;
    let (mut unreadable, mut after) = (0, None);
    loop {
        let page = store
            .manifests_after(repository, after.as_ref(), PAGE)
            .await?;
        let Some(last) = page.last().cloned() else {
            return Ok(unreadable);
        };
        for digest in &page {
            let Some(stored) = store.manifest(repository, digest).await? else {
                continue;
            };
            let own = tags.get(digest).map_or(&[][..], Vec::as_slice);
            match admission.facts(repository, own, digest, &stored).await {
                Ok(facts) => each(facts),
                Err(error) => {
                    let error = with_causes(&error);
                    warn!(%repository, %digest, error, "failed to look at a manifest");
                    unreadable += 1;
                }
            }
        }
        after = Some(last);
    }
}

async fn tags(
    store: &Store,
    repository: &RepositoryName,
) -> Result<HashMap<Digest, Vec<Tag>>, StorageError> {
    let mut found: HashMap<Digest, Vec<Tag>> = HashMap::new();
    let mut last: Option<Tag> = None;
    loop {
        let page = store
            .tags(repository, last.as_ref().map(Tag::as_str), TAGS)
            .await?;
        let Some(end) = page.last() else {
            return Ok(found);
        };
        last = Some(end.clone());
        for tag in page {
            if let Some(digest) = store.tag(repository, &tag).await? {
                found.entry(digest).or_default().push(tag);
            }
        }
    }
}
