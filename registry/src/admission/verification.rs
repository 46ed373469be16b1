//! Decisions for others to verify: a summary of the verification (SLSA, "Verification Summary
//! Attestation" v1), signed and stored as a referrer of what was admitted.
//!
//! The registry itself cannot sign (ADR 0021). Who runs it hands it something that can.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde_json::{Value, json};
use tracing::{error, warn};
use wasmport_artifact::{
    Algorithm, Descriptor, Digest, Manifest, RepositoryName, Selector, media_type, with_causes,
};
use wasmport_policies::{Content, Verdict};
use wasmport_signature::bundle_manifest;

use super::{Admission, Decided, Judged, Push};
use crate::config::Settings;

/// The type of the statements.
const PREDICATE_TYPE: &str = "https://slsa.dev/verification_summary/v1";

type Problem = Box<dyn std::error::Error + Send + Sync>;

/// How often publishing is tried, and how long is waited after the first failure; each time
/// twice as long. Who pushed waits for it; what fails now is tried at the next push again.
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(100);

/// What summaries call a registry that nobody gave a name.
const NO_NAME: &str = "urn:wasmport:registry";

/// Who has verified, as the summaries say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Verifier {
    id: Option<String>,
    /// Where others find the registry.
    host: Option<String>,
}

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

    fn predicate(&self, verifier: &Verifier, now: Timestamp) -> Value {
        let policy = &self.decided.policy;
        let place = verifier.host.iter().map(|host| format!("{host}/"));
        let place: String = place.collect();
        json!({
            "verifier": { "id": verifier.id.as_deref().unwrap_or(NO_NAME) },
            "timeVerified": now.to_string(),
            "resourceUri": format!("{place}{}@{}", self.repository, self.subject.digest),
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

    /// Names who verifies from now on.
    pub(crate) fn set_verifier(&self, settings: &Settings) {
        let url = settings.server.external_url.as_deref();
        let url = url.map(|url| url.trim_end_matches('/'));
        let id = settings.policy.vsa_verifier.as_deref().or(url);
        let host = url.map(|url| url.split_once("://").map_or(url, |(_, host)| host));
        self.verifier.store(Arc::new(Verifier {
            id: id.map(str::to_owned),
            host: host.map(str::to_owned),
        }));
    }

    /// A summary of this, if it is due: there is a key, and none was published of what the same
    /// policy decided.
    pub(super) async fn summary_of(&self, judged: &Judged) -> Option<Summary> {
        self.attestor.get()?;
        let summary = Summary::of(judged)?;
        let before = self.store.decision(&judged.repository, &judged.digest);
        let before = before.await.ok().flatten();
        let published = before.and_then(|before| before.summarized);
        (published.as_ref() != Some(&summary.decided.policy)).then_some(summary)
    }

    /// Publishes a summary. What it is of is admitted already, and stays so when this fails.
    pub(super) fn publish(&self, summary: Summary) -> BoxFuture<'_, ()> {
        async move {
            let (repository, digest) = (&summary.repository, &summary.subject.digest);
            let mut pause = PAUSE;
            for attempt in 1..=ATTEMPTS {
                let Err(problem) = self.try_publish(&summary).await else {
                    return;
                };
                let error = with_causes(problem.as_ref());
                if attempt == ATTEMPTS {
                    error!(%repository, %digest, error, "failed to publish a summary");
                    return;
                }
                warn!(%repository, %digest, error, attempt, "tries again to publish a summary");
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
        }
        .boxed()
    }

    async fn try_publish(&self, summary: &Summary) -> Result<(), Problem> {
        let Some(attestor) = self.attestor.get() else {
            return Ok(());
        };
        let now = Timestamp::now();
        let predicate = summary.predicate(&self.verifier.load(), now);
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
        let policy = &summary.decided.policy;
        let (repository, subject) = (&summary.repository, &summary.subject.digest);
        self.store.summarized(repository, subject, policy).await?;
        Ok(())
    }
}
