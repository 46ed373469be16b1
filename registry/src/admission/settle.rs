//! Held manifests: decided again when something arrives that they may have waited for.

use tracing::error;
use wasmport_artifact::{Digest, Manifest, RepositoryName, Tag};
use wasmport_policies::Verdict;

use super::{Admission, AdmissionError, AdmittedManifest};
use crate::audit;
use crate::storage::Pending;

impl Admission {
    /// Takes up all held manifests again, which a new policy may admit.
    pub(crate) async fn settle_all(&self) -> Result<(), AdmissionError> {
        for pending in self.store.all_pending().await? {
            if let Err(error) = self.settle_one(&pending).await {
                // One that cannot be decided on stays held, and the others are served.
                let (repository, digest) = (&pending.repository, &pending.digest);
                error!(%repository, %digest, error = &error as &dyn std::error::Error, "still held");
            }
        }
        Ok(())
    }

    /// Decides again on what the manifest, which was stored just now, may be a signature of.
    pub(super) async fn settle_what_this_is_about(
        &self,
        repository: &RepositoryName,
        tag: Option<&Tag>,
        manifest: &Manifest,
    ) -> Result<(), AdmissionError> {
        let subject = manifest.subject().map(|subject| &subject.digest);
        let cosign = tag.filter(|tag| tag.as_str().strip_suffix(".sig").is_some());
        if subject.is_none() && cosign.is_none() {
            return Ok(());
        }
        self.settle(repository, |waiting| {
            subject == Some(waiting) || cosign == Some(&Tag::cosign_signatures(waiting))
        })
        .await
    }

    /// Decides again on the held manifests of a repository that are meant.
    pub(super) async fn settle(
        &self,
        repository: &RepositoryName,
        is_meant: impl Fn(&Digest) -> bool,
    ) -> Result<(), AdmissionError> {
        for pending in self.store.pending(repository).await? {
            if is_meant(&pending.digest) {
                self.settle_one(&pending).await?;
            }
        }
        Ok(())
    }

    /// Decides again on a held manifest, and moves its tag when it is admitted now.
    async fn settle_one(&self, pending: &Pending) -> Result<(), AdmissionError> {
        let Pending {
            repository,
            tag,
            digest,
            ..
        } = pending;
        let Some(stored) = self.store.manifest(repository, digest).await? else {
            return Ok(());
        };
        let judged = self.recall(repository, Some(tag), digest, &stored).await?;
        let decision = self.judge(&judged).await?;
        if decision.verdict == Verdict::Admit
            && self
                .store
                .fulfil(pending, &AdmittedManifest::new(judged))
                .await?
        {
            audit::settled(repository, tag, digest, &decision);
        }
        Ok(())
    }
}
