//! Whether a manifest may come in, and whether it may go out.
//!
//! At a push the facts are gathered and the policy decides: what it denies is not stored,
//! what it admits is stored and gets its tag, and what it holds (only signatures are
//! missing) is stored while its tag keeps pointing to what it pointed to. When a signature
//! arrives the decision is taken again. At a pull the same is decided with today's policy.
//!
//! A held manifest can be read by its digest, so that it can be signed, by those who may push
//! to the repository. For everyone else it is not there yet.

mod blocking_blob;
mod content;
mod decisions;
mod evidence;
mod image;
mod in_force;
mod inspections;
mod judge;
mod permit;
mod previous;
mod pull;
mod settle;
mod verification;

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use thiserror::Error;
use tokio::sync::Semaphore;
use tracing::warn;
use wasmport_artifact::{Digest, Manifest, ManifestError, RepositoryName, Selector, Tag};
use wasmport_policies::{Code, Decision, LayerLimits, Verdict};

use crate::audit;
use crate::cache::PolicyEpoch;
use crate::metrics::Metrics;
use crate::policy_file::LoadedPolicy;
use crate::storage::{Condition, PutManifestError, StorageError, Store, TagError, TagTerms, now};
use crate::tag_rules::TagRules;
use crate::traces;
use decisions::Decisions;
pub(crate) use decisions::{Decided, today};
use in_force::InForce;
use inspections::Inspections;
pub(crate) use permit::{AdmittedManifest, HeldManifest, Judged};
pub use previous::{by_precedence, version};
pub(crate) use pull::Standing;
pub use verification::Attestor;
use verification::Verifier;

const SECONDS_OF_A_DAY: u64 = 24 * 60 * 60;

/// Of how many manifests the signatures are read and verified at once. Those of one take up to
/// twice what is read of them.
const PROOFS: usize = 4;

/// The policy, and what it decided before.
#[derive(Debug)]
pub(crate) struct Admission {
    store: Store,
    policy: InForce,
    metrics: Arc<Metrics>,
    tag_rules: ArcSwap<TagRules>,
    decisions: Decisions,
    attestor: OnceLock<Arc<dyn Attestor>>,
    verifier: ArcSwap<Verifier>,
    inspections: Arc<Inspections>,
    proofs: Semaphore,
    layers: image::Layers,
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
    /// Who sends it, where anybody says so.
    pub(crate) pushed_by: Option<String>,
    pub(crate) manifest: Manifest,
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
            attestor: OnceLock::new(),
            verifier: ArcSwap::default(),
            inspections: Arc::default(),
            proofs: Semaphore::new(PROOFS),
            layers: image::Layers::default(),
        }
    }

    /// One that only tells what is known of a store.
    pub(crate) fn for_survey(store: Store, policy: LoadedPolicy) -> Self {
        let metrics = Arc::new(Metrics::new(store.counts()));
        Self::new(store, policy, metrics)
    }

    /// Uses other rules on tags from now on.
    pub(crate) fn set_tag_rules(&self, rules: TagRules) {
        self.tag_rules.store(Arc::new(rules));
    }

    /// Looks through layers within other limits from now on.
    pub(crate) fn set_layer_limits(&self, limits: LayerLimits) {
        self.layers.set_limits(limits);
    }

    /// On what terms a request with this condition may change a tag.
    pub(crate) fn terms(
        &self,
        repository: &RepositoryName,
        tag: Tag,
        condition: Condition,
    ) -> TagTerms {
        let mut terms = self.tag_rules.load().terms(repository, tag, condition);
        let in_force = self.policy.get();
        // Of two pushes at once only the store can let one through.
        terms.immutable |=
            !in_force.loaded.watches && in_force.loaded.policy.keeps(repository, &terms.tag);
        terms
    }

    /// Which policy decides now, and as of which day: exceptions and keys expire.
    pub(crate) fn epoch(&self) -> PolicyEpoch {
        PolicyEpoch {
            policy: self.policy.epoch(),
            day: now() / SECONDS_OF_A_DAY,
        }
    }

    /// Decides with another policy from now on, also about what was held or let out before.
    ///
    /// The new policy is in force when this returns, whatever becomes of what is held: an
    /// error only says that a tag may not have moved yet.
    pub(crate) async fn replace_policy(&self, policy: LoadedPolicy) -> Result<(), AdmissionError> {
        self.policy.replace(policy);
        self.settle_all().await
    }

    /// Decides on a push and does what was decided.
    pub(crate) async fn push(&self, push: Push) -> Result<Arc<Decided>, AdmissionError> {
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
        let comparing = self.comparisons(&repository, &push.digest, &push.tags);
        let comparisons = comparing.await?;
        let mut judged = Judged {
            comparisons,
            pushed_by: push.pushed_by,
            decided: None,
            content,
            is_whole,
            is_sparse,
            tags: push.tags,
            repository: push.repository,
            digest: push.digest,
            manifest: push.manifest,
        };
        let decided = self.judge(&judged).await?;
        judged.decided = Some(Arc::clone(&decided));
        let decision = &decided.decision;
        let digest = judged.digest.clone();
        let tags = judged.tags.clone();
        let summary = self.summary_of(&judged).await;
        let is_new = self.store.decision(&repository, &digest).await?.is_none();
        self.carry_out(judged, decision).await?;
        audit::push(&repository, &push.reference, &digest, decision);
        self.metrics.decided("push", decision);
        if let Some(enforced) = decided
            .enforced
            .as_ref()
            .filter(|enforced| is_refused(enforced))
        {
            let (verdict, codes) = (enforced.verdict, codes(enforced));
            warn!(%repository, %digest, %verdict, codes, "would not be admitted");
            self.metrics.decided("audit", enforced);
        }
        if decision.verdict == Verdict::Hold {
            // Its signature may have been stored between the decision and now.
            self.settle(&repository, |waiting| *waiting == digest)
                .await?;
        }
        if decision.verdict != Verdict::Deny {
            if is_new {
                self.note_proofs(&repository, &digest).await?;
            }
            self.settle_what_this_is_about(&repository, &tags, &digest, &manifest)
                .await?;
        }
        if let Some(summary) = summary {
            self.publish(summary).await;
        }
        Ok(decided)
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
                if is_about_bytes(decision) {
                    for layer in judged.layers_with_wasm() {
                        self.store.withdraw(judged.repository(), layer).await?;
                    }
                }
            }
        }
        Ok(())
    }
}
fn is_refused(decision: &Decision) -> bool {
    decision.verdict != Verdict::Admit
}

/// The codes of the findings, each once.
fn codes(decision: &Decision) -> String {
    let codes = decision
        .findings
        .iter()
        .map(|finding| finding.code.as_str());
    codes
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect::<Vec<_>>()
        .join(",")
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
