//! Puts together what is known of a manifest, and asks the policy.

use std::sync::Arc;

use wasmport_artifact::{Digest, Manifest, RepositoryName, Tag};
use wasmport_policies::{
    Content, Date, Decision, Effect, Facts, Finding, Previous, TagFacts, Verdict, decide,
};

use super::decisions::{Decided, today};
use super::evidence::{Evidence, Proven};
use super::in_force::PolicyInForce;
use super::previous::Comparison;
use super::{Admission, AdmissionError, Judged};
use crate::storage::{StorageError, StoredManifest};

/// From how many imports on a decision is taken apart from requests. The largest program that is
/// known to us has 200 or so.
const MANY_IMPORTS: usize = 2_000;

impl Admission {
    /// Puts together again what was known of a stored manifest.
    pub(super) async fn recall(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        stored: &StoredManifest,
    ) -> Result<Judged, AdmissionError> {
        let manifest = stored.parse().map_err(|source| AdmissionError::Stored {
            digest: digest.clone(),
            source,
        })?;
        let (content, is_whole) = match self.store.facts(digest, &manifest).await? {
            Some(content) => (content, true),
            None => self.inspect_anew(repository, digest, &manifest).await?,
        };
        let record = self.store.decision(repository, digest).await?;
        Ok(Judged {
            repository: repository.clone(),
            tags: Vec::new(),
            digest: digest.clone(),
            manifest,
            content,
            is_whole,
            is_sparse: !is_whole,
            comparisons: Vec::new(),
            pushed_by: record.and_then(|record| record.pushed_by),
            decided: None,
        })
    }

    async fn inspect_anew(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        manifest: &Manifest,
    ) -> Result<(Content, bool), AdmissionError> {
        let (content, is_whole) = self.inspect(repository, manifest).await?;
        if is_whole {
            self.store.put_facts(digest, manifest, &content).await?;
        }
        Ok((content, is_whole))
    }

    /// One decision for all tags, and for each version that they are compared with: what may not
    /// have one of its tags gets none.
    pub(super) async fn judge(&self, judged: &Judged) -> Result<Arc<Decided>, AdmissionError> {
        let evidence = self.evidence(&judged.repository, &judged.digest).await?;
        let proven = self.prove(&evidence, &judged.digest).await?;
        self.decide(judged, &judged.comparisons, &evidence, &proven)
            .await
    }

    /// The strictest decision of those that the comparisons give.
    pub(super) async fn decide(
        &self,
        judged: &Judged,
        comparisons: &[Comparison],
        evidence: &Evidence,
        proven: &Proven,
    ) -> Result<Arc<Decided>, AdmissionError> {
        let (policy, today) = (evidence.policy(), today());
        let mut decided: Option<Decided> = None;
        for comparison in comparisons {
            let tag = self.tag_facts(judged, comparison).await?;
            let previous = comparison.previous.clone();
            let facts = facts_of(judged, tag.into_iter().collect(), previous, proven);
            let next = self.decide_on(facts, policy, today).await?;
            decided = Some(match decided {
                Some(former) if former.decision != next.decision => strictest(former, next),
                Some(former) => former,
                None => next,
            });
        }
        // Whoever asks has at least one comparison, with nothing if need be.
        let decided = if let Some(decided) = decided {
            decided
        } else {
            let facts = facts_of(judged, Vec::new(), None, proven);
            self.decide_on(facts, policy, today).await?
        };
        Ok(Arc::new(decided))
    }

    /// Decides in place where that takes microseconds. What has more imports than anything that
    /// is meant well waits for one of a few places, as for an inspection, and keeps no other
    /// request from being answered.
    async fn decide_on(
        &self,
        facts: Facts,
        policy: &Arc<PolicyInForce>,
        today: Date,
    ) -> Result<Decided, AdmissionError> {
        if facts.content.imports().take(MANY_IMPORTS).count() < MANY_IMPORTS {
            return Ok(Decided::on(&facts, policy, today));
        }
        let permit = self.inspections.permit(&facts.repository).await;
        let policy = Arc::clone(policy);
        let decided = tokio::task::spawn_blocking(move || {
            let decided = Decided::on(&facts, &policy, today);
            drop(permit);
            decided
        });
        let decided = decided.await;
        decided.map_err(|source| AdmissionError::Inspection(source.into()))
    }

    async fn tag_facts(
        &self,
        judged: &Judged,
        comparison: &Comparison,
    ) -> Result<Option<TagFacts>, StorageError> {
        let Some(name) = comparison.tag.clone() else {
            return Ok(None);
        };
        let points_to = self.store.tag(&judged.repository, &name).await?;
        Ok(Some(TagFacts { name, points_to }))
    }

    /// What is known of a stored manifest that has these tags.
    pub(crate) async fn facts(
        &self,
        repository: &RepositoryName,
        tags: &[Tag],
        digest: &Digest,
        stored: &StoredManifest,
    ) -> Result<Facts, AdmissionError> {
        let judged = self.recall(repository, digest, stored).await?;
        let ways = self.ways(repository, tags.first(), digest).await?;
        let previous = ways.into_iter().flatten().find_map(|it| it.previous);
        let evidence = self.evidence(repository, digest).await?;
        let proven = self.prove(&evidence, digest).await?;
        let tags = tags.iter().map(|name| TagFacts {
            name: name.clone(),
            points_to: Some(digest.clone()),
        });
        Ok(facts_of(&judged, tags.collect(), previous, &proven))
    }

    pub(super) async fn evidence(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Evidence, AdmissionError> {
        let policy = self.policy.get();
        // Nobody would be believed anyway.
        if policy.loaded.trust.is_empty() {
            return Ok(Evidence::none(policy, repository));
        }
        Ok(Evidence::find(policy, &self.store, repository, digest).await?)
    }
}

fn facts_of(
    judged: &Judged,
    tags: Vec<TagFacts>,
    previous: Option<Previous>,
    proven: &Proven,
) -> Facts {
    let Judged {
        repository,
        manifest,
        content,
        ..
    } = judged;
    Facts {
        tags,
        // The one that it was pushed by, which may be of another algorithm.
        digest: judged.digest.clone(),
        signed_by: proven.signed_by.clone(),
        attestations: proven.attestations.clone(),
        unread: proven.unread,
        previous,
        pushed_by: judged.pushed_by.clone(),
        ..Facts::of(repository.clone(), manifest, content.clone())
    }
}

/// The worse of two verdicts, with the findings of both.
fn strictest(one: Decided, other: Decided) -> Decided {
    let (strict, mild) = if other.verdict() > one.verdict() {
        (other, one)
    } else {
        (one, other)
    };
    Decided {
        decision: strict.decision.with(mild.decision),
        ..strict
    }
}

impl Decided {
    fn on(facts: &Facts, policy: &PolicyInForce, today: Date) -> Self {
        let decision = decide(&policy.loaded.policy, facts, today);
        let (decision, enforced) = if policy.loaded.watches {
            (watched(&decision), Some(decision))
        } else {
            (decision, None)
        };
        Self {
            decision,
            enforced,
            policy: policy.digest.clone(),
            facts: Digest::of(&serde_json::to_vec(facts).unwrap_or_default()),
            day: today,
        }
    }

    /// What the policy says, whether or not it is only watched.
    pub(super) fn verdict(&self) -> Verdict {
        self.enforced.as_ref().unwrap_or(&self.decision).verdict
    }
}

/// The same findings, which refuse nothing.
fn watched(decision: &Decision) -> Decision {
    let findings = decision.findings.iter().cloned().map(|finding| Finding {
        effect: Effect::Warn,
        ..finding
    });
    Decision {
        verdict: Verdict::Admit,
        findings: findings.collect(),
        more: decision.more,
    }
}
