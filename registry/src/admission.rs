//! Whether a manifest may come in, and whether it may go out.
//!
//! At a push the facts are gathered and the policy decides: what it denies is not stored,
//! what it admits is stored and gets its tag, and what it holds (only signatures are
//! missing) is stored while its tag keeps pointing to what it pointed to. When a signature
//! arrives the decision is taken again. At a pull the same is decided with today's policy.
//!
//! A held manifest can be read by its digest, so that it can be signed, by those who may push
//! to the repository. For everyone else it is not there yet.

mod content;
mod decisions;
mod evidence;
mod in_force;
mod permit;
mod settle;

use std::sync::Arc;

use arc_swap::ArcSwap;
use thiserror::Error;
use tokio::sync::Semaphore;
use wasmport_artifact::{Digest, Manifest, ManifestError, RepositoryName, Selector, Tag};
use wasmport_policies::{Code, Content, Decision, Facts, TagFacts, Verdict, decide};

use crate::audit;
use crate::cache::PolicyEpoch;
use crate::metrics::Metrics;
use crate::policy_file::LoadedPolicy;
use crate::storage::{
    Condition, PutManifestError, StorageError, Store, StoredManifest, TagError, TagTerms,
};
use crate::tag_rules::TagRules;
use crate::traces;
use decisions::{Decisions, Question};
use evidence::Evidence;
use in_force::InForce;
pub(crate) use permit::{AdmittedManifest, HeldManifest, Judged};

/// How many layers are inspected at once. Each is in memory as a whole meanwhile.
const INSPECTIONS: usize = 4;

/// The policy, and what it decided before.
#[derive(Debug)]
pub(crate) struct Admission {
    store: Store,
    policy: InForce,
    metrics: Arc<Metrics>,
    tag_rules: ArcSwap<TagRules>,
    decisions: Decisions,
    inspections: Semaphore,
}

/// A manifest that somebody wants to push.
#[derive(Debug)]
pub(crate) struct Push {
    pub(crate) repository: RepositoryName,
    pub(crate) reference: Selector,
    /// The digest of the manifest, checked, with the algorithm that the client used.
    pub(crate) digest: Digest,
    /// The tags that shall point to it.
    pub(crate) tags: Vec<TagTerms>,
    /// Blobs may be missing, unless it is Wasm.
    pub(crate) may_be_sparse: bool,
    pub(crate) manifest: Manifest,
}

/// What was decided on a pull.
#[derive(Clone, Debug)]
pub(crate) struct Pulled {
    pub(crate) decision: Arc<Decision>,
    /// It stays so until the policy changes or something is written to the repository. What
    /// lacks a layer can change with what is pushed to any repository.
    pub(crate) lasts: bool,
}

/// Who may read a blob of a repository.
#[derive(Clone, Debug)]
pub(crate) enum Standing {
    /// Who may pull.
    Open {
        /// As in [`Pulled`].
        lasts: bool,
    },
    /// Who may push: only held manifests use it.
    Held,
    /// Nobody: every manifest that uses it is denied.
    Denied(Arc<Decision>),
}

/// Why no decision was taken or carried out.
#[derive(Debug, Error)]
pub(crate) enum AdmissionError {
    #[error(transparent)]
    Put(#[from] PutManifestError),
    #[error(transparent)]
    Tag(#[from] TagError),
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("the stored manifest `{digest}` cannot be read")]
    Stored {
        digest: Digest,
        source: ManifestError,
    },
    #[error("the inspection broke off")]
    Inspection(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Admission {
    pub(crate) fn new(store: Store, policy: LoadedPolicy, metrics: Arc<Metrics>) -> Self {
        Self {
            store,
            policy: InForce::new(policy),
            metrics,
            tag_rules: ArcSwap::default(),
            decisions: Decisions::default(),
            inspections: Semaphore::new(INSPECTIONS),
        }
    }

    /// Uses other rules on tags from now on.
    pub(crate) fn set_tag_rules(&self, rules: TagRules) {
        self.tag_rules.store(Arc::new(rules));
    }

    /// On what terms a request with this condition may change a tag.
    pub(crate) fn terms(
        &self,
        repository: &RepositoryName,
        tag: Tag,
        condition: Condition,
    ) -> TagTerms {
        self.tag_rules.load().terms(repository, tag, condition)
    }

    /// Which policy decides now.
    pub(crate) fn epoch(&self) -> PolicyEpoch {
        self.policy.epoch()
    }

    /// Decides with another policy from now on, also about what was held or let out before.
    pub(crate) async fn replace_policy(&self, policy: LoadedPolicy) -> Result<(), AdmissionError> {
        self.policy.replace(policy);
        self.settle_all().await
    }

    /// Decides on a push and does what was decided.
    pub(crate) async fn push(&self, push: Push) -> Result<Arc<Decision>, AdmissionError> {
        let (repository, manifest) = (push.repository.clone(), push.manifest.clone());
        self.store.announce(&push.digest).await;
        let missing = self.store.check_blobs(&repository, &manifest).await?;
        let is_sparse = !missing.is_empty();
        if let Some(missing) = missing.into_iter().next()
            && (manifest.is_wasm() || !push.may_be_sparse)
        {
            return Err(PutManifestError::UnknownBlob(missing).into());
        }
        let inspecting = self.inspect(&repository, &manifest);
        let (content, is_whole) = traces::step("inspection", inspecting).await?;
        let judged = Judged {
            content,
            is_whole,
            is_sparse,
            tags: push.tags,
            repository: push.repository,
            digest: push.digest,
            manifest: push.manifest,
        };
        let decision = self.judge(&judged).await?;
        let digest = judged.digest.clone();
        let tags = judged.tags.clone();
        self.carry_out(judged, &decision).await?;
        audit::push(&repository, &push.reference, &digest, &decision);
        self.metrics.decided("push", &decision);
        if decision.verdict == Verdict::Hold {
            // Its signature may have been stored between the decision and now.
            self.settle(&repository, |waiting| *waiting == digest)
                .await?;
        }
        if decision.verdict != Verdict::Deny {
            self.settle_what_this_is_about(&repository, &tags, &manifest)
                .await?;
        }
        Ok(decision)
    }

    async fn carry_out(&self, judged: Judged, decision: &Decision) -> Result<(), AdmissionError> {
        match decision.verdict {
            Verdict::Admit => {
                let admitted = AdmittedManifest::new(judged);
                self.store.put_manifest(&admitted).await?;
            }
            Verdict::Hold => self.store.hold_manifest(&HeldManifest::new(judged)).await?,
            Verdict::Deny => {
                // Only what is refused for itself: with another manifest, which somebody may
                // be about to push, the other blobs can be admitted.
                for layer in judged
                    .manifest()
                    .wasm_layers()
                    .filter(|_| is_about_bytes(decision))
                {
                    self.store
                        .withdraw(judged.repository(), &layer.digest)
                        .await?;
                }
            }
        }
        Ok(())
    }

    /// Decides on a pull, by the tag where one was named.
    pub(crate) async fn pull(
        &self,
        repository: &RepositoryName,
        tag: Option<&Tag>,
        digest: &Digest,
        stored: &StoredManifest,
    ) -> Result<Pulled, AdmissionError> {
        let evidence = self.evidence(repository, digest).await?;
        let question = question(repository, tag, digest, &evidence);
        if let Some(decision) = self.decisions.get(&question) {
            let lasts = true;
            return Ok(Pulled { decision, lasts });
        }
        let judged = self.recall(repository, digest, stored).await?;
        Ok(Pulled {
            decision: self.decide(&judged, tag, &evidence).await?,
            lasts: judged.is_whole,
        })
    }

    /// Who may read a blob. That no manifest uses yet can be read, which the distribution
    /// specification asks for.
    pub(crate) async fn standing_of_blob(
        &self,
        repository: &RepositoryName,
        blob: &Digest,
    ) -> Result<Standing, AdmissionError> {
        let mut standing = Standing::Open { lasts: true };
        let mut after = None;
        loop {
            let users = self.store.users(repository, blob, after.as_ref()).await?;
            for user in &users {
                let Some(stored) = self.store.manifest(repository, user).await? else {
                    continue;
                };
                let pulled = self.pull(repository, None, user, &stored).await?;
                let Pulled { decision, lasts } = pulled;
                standing = match decision.verdict {
                    Verdict::Admit => return Ok(Standing::Open { lasts }),
                    Verdict::Hold => Standing::Held,
                    Verdict::Deny if matches!(standing, Standing::Held) => Standing::Held,
                    Verdict::Deny => Standing::Denied(decision),
                };
            }
            match users.last() {
                Some(last) => after = Some(last.clone()),
                None => return Ok(standing),
            }
        }
    }

    /// Puts together again what was known of a stored manifest.
    async fn recall(
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
        Ok(Judged {
            repository: repository.clone(),
            tags: Vec::new(),
            digest: digest.clone(),
            manifest,
            content,
            is_whole,
            is_sparse: !is_whole,
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
    async fn judge(&self, judged: &Judged) -> Result<Arc<Decision>, AdmissionError> {
        let evidence = self.evidence(&judged.repository, &judged.digest).await?;
        let mut tags = judged.tags.iter().map(|terms| &terms.tag);
        let mut decision = self.decide(judged, tags.next(), &evidence).await?;
        for tag in tags {
            let other = self.decide(judged, Some(tag), &evidence).await?;
            if *other != *decision {
                decision = Arc::new(strictest(&decision, &other));
            }
        }
        Ok(decision)
    }

    async fn decide(
        &self,
        judged: &Judged,
        tag: Option<&Tag>,
        evidence: &Evidence,
    ) -> Result<Arc<Decision>, AdmissionError> {
        let Judged {
            repository, digest, ..
        } = judged;
        let (signed_by, has_all) = evidence.signers(&self.store, digest).await?;
        let tag_facts = tag.map(|name| TagFacts {
            name: name.clone(),
            points_to: None,
        });
        let facts = Facts {
            tags: tag_facts.into_iter().collect(),
            digest: digest.clone(),
            signed_by,
            ..Facts::of(repository.clone(), &judged.manifest, judged.content.clone())
        };
        let policy = &evidence.policy().loaded.policy;
        let decision = Arc::new(decide(policy, &facts, today()));
        // A layer that is not there may come, and be another thing than is believed now; and so
        // may the signature in a manifest that is there already.
        if judged.is_whole && has_all {
            let question = question(repository, tag, digest, evidence);
            self.decisions.put(question, Arc::clone(&decision));
        }
        Ok(decision)
    }

    async fn evidence(
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

fn question(
    repository: &RepositoryName,
    tag: Option<&Tag>,
    digest: &Digest,
    evidence: &Evidence,
) -> Question {
    Question {
        policy: evidence.policy().digest.clone(),
        repository: repository.clone(),
        tag: tag.cloned(),
        digest: digest.clone(),
        evidence: evidence.fingerprint(),
        today: today(),
    }
}

/// The day that policies are applied as of. Everywhere the same: in UTC.
fn today() -> jiff::civil::Date {
    jiff::tz::TimeZone::UTC
        .to_datetime(jiff::Timestamp::now())
        .date()
}

/// True when the bytes of the layer are the reason, and not what a manifest or a config
/// says of them.
fn is_about_bytes(decision: &Decision) -> bool {
    decision.findings.iter().any(|finding| {
        matches!(
            finding.code,
            Code::ImportDenied
                | Code::ImportNotAllowed
                | Code::UnknownImport
                | Code::UnsupportedImportKind
        )
    })
}

/// The worse of two verdicts, with the findings of both.
fn strictest(one: &Decision, other: &Decision) -> Decision {
    let mut findings = one.findings.clone();
    for finding in &other.findings {
        if !findings.contains(finding) {
            findings.push(finding.clone());
        }
    }
    Decision {
        verdict: one.verdict.max(other.verdict),
        findings,
        more: one.more + other.more,
    }
}
