//! Puts together what is known of a manifest, and asks the policy.

use std::sync::Arc;

use wasmport_artifact::{Digest, Manifest, RepositoryName, Tag};
use wasmport_policies::{Content, Decision, Effect, Facts, Finding, TagFacts, Verdict, decide};

use super::decisions::{Decided, Lasts};
use super::evidence::{Evidence, Proven};
use super::{Admission, AdmissionError, Judged};
use crate::storage::{Generation, StoredManifest};

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
        let (content, is_whole) = match self.store.facts(digest).await? {
            Some(content) => (content, true),
            None => self.inspect_anew(repository, digest, &manifest).await?,
        };
        let previous = if self.compares_versions(repository) {
            let record = self.store.decision(repository, digest).await?;
            record.and_then(|record| record.previous)
        } else {
            None
        };
        Ok(Judged {
            repository: repository.clone(),
            tags: Vec::new(),
            digest: digest.clone(),
            manifest,
            content,
            is_whole,
            is_sparse: !is_whole,
            previous,
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
            self.store.put_facts(digest, &content).await?;
        }
        Ok((content, is_whole))
    }

    /// One decision for all tags: what may not have one of them gets none.
    pub(super) async fn judge(&self, judged: &Judged) -> Result<Arc<Decided>, AdmissionError> {
        let evidence = self.evidence(&judged.repository, &judged.digest).await?;
        let mut tags = judged.tags.iter().map(|terms| &terms.tag);
        let mut decided = self.decide(judged, tags.next(), &evidence, None).await?;
        for tag in tags {
            let other = self.decide(judged, Some(tag), &evidence, None).await?;
            if other.decision != decided.decision {
                decided = Arc::new(strictest(&decided, &other));
            }
        }
        Ok(decided)
    }

    /// `generation` is the one that everything was read in, if it was read in one.
    pub(super) async fn decide(
        &self,
        judged: &Judged,
        tag: Option<&Tag>,
        evidence: &Evidence,
        generation: Option<Generation>,
    ) -> Result<Arc<Decided>, AdmissionError> {
        let question = evidence.question(tag, &judged.digest);
        let points_to = match tag {
            Some(tag) => self.store.tag(&judged.repository, tag).await?,
            None => None,
        };
        let proven = evidence.read(&self.store, &judged.digest).await?;
        let has_all = proven.has_all;
        let tags = tag.into_iter().map(|name| TagFacts {
            name: name.clone(),
            points_to: points_to.clone(),
        });
        let facts = facts_of(judged, tags.collect(), proven);
        let policy = evidence.policy();
        let decision = decide(&policy.loaded.policy, &facts, question.today);
        let (decision, enforced) = if policy.loaded.watches {
            (watched(&decision), Some(decision))
        } else {
            (decision, None)
        };
        let decided = Arc::new(Decided {
            decision,
            enforced,
            policy: policy.digest.clone(),
            facts: Digest::of(&serde_json::to_vec(&facts).unwrap_or_default()),
            day: question.today,
        });
        let kept = Arc::clone(&decided);
        if judged.is_whole && has_all {
            self.decisions.put(question, kept, Lasts::Always);
        } else if let Some(generation) = generation
            && (has_all || decided.decision.verdict == Verdict::Admit)
        {
            // A layer that is not there may come, and be another thing than is believed now. A
            // signature of which only the manifest is there may come from elsewhere.
            self.decisions.put(question, kept, Lasts::While(generation));
        }
        Ok(decided)
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
        let evidence = self.evidence(repository, digest).await?;
        let proven = evidence.read(&self.store, digest).await?;
        let tags = tags.iter().map(|name| TagFacts {
            name: name.clone(),
            points_to: Some(digest.clone()),
        });
        Ok(facts_of(&judged, tags.collect(), proven))
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

fn facts_of(judged: &Judged, tags: Vec<TagFacts>, proven: Proven) -> Facts {
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
        signed_by: proven.signed_by,
        attestations: proven.attestations,
        previous: judged.previous.clone(),
        ..Facts::of(repository.clone(), manifest, content.clone())
    }
}

/// The worse of two verdicts, with the findings of both.
fn strictest(one: &Decided, other: &Decided) -> Decided {
    let mut findings = one.decision.findings.clone();
    for finding in &other.decision.findings {
        if !findings.contains(finding) {
            findings.push(finding.clone());
        }
    }
    let decision = Decision {
        verdict: one.decision.verdict.max(other.decision.verdict),
        findings,
        more: one.decision.more + other.decision.more,
    };
    let enforced = match (&one.enforced, &other.enforced) {
        (Some(one), Some(other)) if other.verdict > one.verdict => Some(other.clone()),
        (enforced, _) => enforced.clone(),
    };
    Decided {
        decision,
        enforced,
        ..one.clone()
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
