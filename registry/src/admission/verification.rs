//! Decisions for others to verify: a summary of the verification (SLSA, "Verification Summary
//! Attestation" v1), signed and stored as a referrer of what was admitted.
//!
//! The registry itself cannot sign (ADR 0021). Who runs it hands it something that can.

use std::fmt::Debug;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde_json::{Value, json};
use tracing::error;
use wasmport_artifact::{
    Algorithm, Descriptor, Digest, Manifest, RepositoryName, Selector, media_type, with_causes,
};
use wasmport_policies::{Content, Verdict};
use wasmport_signature::bundle_manifest;

use super::{Admission, Decided, Judged, Push};

/// The type of the statements.
const PREDICATE_TYPE: &str = "https://slsa.dev/verification_summary/v1";

type Problem = Box<dyn std::error::Error + Send + Sync>;

/// Signs statements about what the registry admits.
pub trait Attestor: Debug + Send + Sync {
    /// The JSON of a Sigstore bundle around an in-toto statement of this type about `subject`.
    fn attest(
        &self,
        subject: &Digest,
        predicate_type: &str,
        predicate: &Value,
    ) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>>;
}

/// What a summary is about.
pub(super) struct Summary {
    repository: RepositoryName,
    subject: Descriptor,
    decided: Arc<Decided>,
}

impl Summary {
    /// Of an admitted artifact that carries Wasm. What is said about others has none, and
    /// neither has what a policy only watched.
    pub(super) fn of(judged: &Judged) -> Option<Self> {
        let carries_wasm = match &judged.content {
            Content::Wasm { .. } => true,
            Content::Image { wasm, .. } => !wasm.is_empty(),
            Content::Unreadable { .. } | Content::Attachment | Content::Other => false,
        };
        let decided = judged.decided.clone()?;
        let is_admitted = decided.decision.verdict == Verdict::Admit && decided.enforced.is_none();
        (carries_wasm && is_admitted).then(|| Self {
            repository: judged.repository.clone(),
            subject: Descriptor {
                digest: judged.digest.clone(),
                ..judged.manifest.descriptor()
            },
            decided,
        })
    }

    fn predicate(&self, now: Timestamp) -> Value {
        let policy = &self.decided.policy;
        json!({
            "verifier": { "id": "https://wasmport.dev/registry" },
            "timeVerified": now.to_string(),
            "resourceUri": format!("{}@{}", self.repository, self.subject.digest),
            "policy": {
                "uri": format!("urn:wasmport:policy:{policy}"),
                "digest": { policy.algorithm().name(): policy.hex() },
            },
            "verificationResult": "PASSED",
            "verifiedLevels": ["SLSA_BUILD_LEVEL_UNEVALUATED"],
            "slsaVersion": "1.0",
        })
    }
}

impl Admission {
    /// Publishes summaries that `attestor` signs from now on.
    pub(crate) fn set_attestor(&self, attestor: Arc<dyn Attestor>) {
        // A registry has one key for as long as it runs.
        let _is_first = self.attestor.set(attestor);
    }

    /// A summary of this, if it is due: there is a key, and it was not admitted by the same
    /// policy before.
    pub(super) async fn summary_of(&self, judged: &Judged) -> Option<Summary> {
        self.attestor.get()?;
        let summary = Summary::of(judged)?;
        let before = self.store.decision(&judged.repository, &judged.digest);
        let is_known = before.await.ok().flatten().is_some_and(|before| {
            before.decision.verdict == Verdict::Admit
                && before.policy_digest == summary.decided.policy
        });
        (!is_known).then_some(summary)
    }

    /// Publishes a summary. What it is of is admitted already, and stays so when this fails.
    pub(super) fn publish(&self, summary: Summary) -> BoxFuture<'_, ()> {
        async move {
            let (repository, digest) = (&summary.repository, &summary.subject.digest);
            if let Err(problem) = self.try_publish(&summary).await {
                let error = with_causes(problem.as_ref());
                error!(%repository, %digest, error, "failed to publish a summary");
            }
        }
        .boxed()
    }

    async fn try_publish(&self, summary: &Summary) -> Result<(), Problem> {
        let Some(attestor) = self.attestor.get() else {
            return Ok(());
        };
        let now = Timestamp::now();
        let predicate = summary.predicate(now);
        let bundle = attestor.attest(&summary.subject.digest, PREDICATE_TYPE, &predicate)?;
        // With seconds, as others write it.
        let created = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let manifest = bundle_manifest(&bundle, summary.subject.clone(), &created).to_bytes();
        for blob in [b"{}".to_vec(), bundle] {
            let digest = Digest::of(&blob);
            let mut writer = self.store.blob_writer(Algorithm::Sha256);
            writer.write(Bytes::from(blob)).await?;
            let repository = &summary.repository;
            self.store
                .put_blob(repository, writer, &digest, None)
                .await?;
        }
        let manifest = Manifest::parse(manifest, media_type::IMAGE_MANIFEST)?;
        let digest = manifest.digest();
        let push = Push {
            repository: summary.repository.clone(),
            reference: Selector::Digest(digest.clone()),
            digest,
            tags: Vec::new(),
            may_be_sparse: false,
            // The registry does, in the name of nobody.
            pushed_by: None,
            manifest,
        };
        self.push(push).await?;
        Ok(())
    }
}
