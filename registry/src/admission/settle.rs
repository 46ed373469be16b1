//! Held manifests: decided again when something arrives that they may have waited for.

use std::sync::Arc;

use tracing::{error, warn};
use wasmport_artifact::{Digest, Manifest, RepositoryName, Tag};
use wasmport_policies::Verdict;

use super::{Admission, AdmissionError, AdmittedManifest};
use crate::audit;
use crate::storage::{Condition, Pending, TagError, TagTerms};

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
        tags: &[TagTerms],
        manifest: &Manifest,
    ) -> Result<(), AdmissionError> {
        let subject = manifest.subject().map(|subject| &subject.digest);
        let is_cosign = |terms: &&TagTerms| {
            let name = terms.tag.as_str();
            [".sig", ".att"].iter().any(|end| name.ends_with(end))
        };
        let cosign: Vec<&Tag> = tags
            .iter()
            .filter(is_cosign)
            .map(|terms| &terms.tag)
            .collect();
        if subject.is_none() && cosign.is_empty() {
            return Ok(());
        }
        self.settle(repository, |waiting| {
            subject == Some(waiting)
                || cosign.contains(&&Tag::cosign_signatures(waiting))
                || cosign.contains(&&Tag::cosign_attestations(waiting))
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
        let mut judged = self.recall(repository, digest, &stored).await?;
        let terms = self.terms(repository, tag.clone(), Condition::Anything);
        judged.comparisons = self.comparisons_of_wish(pending, &terms).await?;
        judged.tags = vec![terms];
        let decided = self.judge(&judged).await?;
        judged.decided = Some(Arc::clone(&decided));
        let decision = &decided.decision;
        if decision.verdict != Verdict::Admit {
            return Ok(());
        }
        let summary = self.summary_of(&judged).await;
        let admitted = AdmittedManifest::new(judged);
        match self.store.fulfil(pending, &admitted).await {
            Ok(true) => {
                audit::settled(repository, tag, digest, decision);
                self.metrics.decided("settle", decision);
                if let Some(summary) = summary {
                    self.publish(summary).await;
                }
            }
            Ok(false) => {}
            Err(error @ (TagError::Immutable { .. } | TagError::Condition { .. })) => {
                // Another push was faster, and this one will never have the tag.
                warn!(%repository, %tag, %digest, %error, "the wish for a tag is given up");
                self.store.give_up(pending).await?;
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}
