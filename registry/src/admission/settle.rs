//! Held manifests: decided again when something arrives that they may have waited for.

use std::collections::HashMap;
use std::sync::Arc;

use tracing::{error, warn};
use wasmport_artifact::{Digest, Manifest, RepositoryName, Tag, with_causes};
use wasmport_policies::Verdict;

use super::evidence::{Evidence, Proven};
use super::{Admission, AdmissionError, AdmittedManifest};
use crate::audit;
use crate::storage::{Condition, Pending, TagError, TagTerms, Wishes};

impl Admission {
    /// Takes up all held manifests again, which a new policy may admit. One that cannot be
    /// decided on stays held, and the others are served.
    pub(crate) async fn settle_all(&self) -> Result<(), AdmissionError> {
        let wishes = self.store.all_pending().await?;
        let mut known = Known::new();
        for pending in self.readable(wishes) {
            if let Err(error) = self.settle_one(&pending, &mut known).await {
                let (repository, digest) = (&pending.repository, &pending.digest);
                let error = with_causes(&error);
                error!(%repository, %digest, error, "still held");
                self.metrics.undecided();
            }
        }
        Ok(())
    }

    /// The others are logged and counted.
    fn readable(&self, wishes: Wishes) -> Vec<Pending> {
        for error in &wishes.unreadable {
            let error = with_causes(error);
            error!(error, "failed to read what a tag waits for");
            self.metrics.undecided();
        }
        wishes.pending
    }

    /// Decides again on what the manifest, which was stored just now, may be a signature of.
    pub(super) async fn settle_what_this_is_about(
        &self,
        repository: &RepositoryName,
        tags: &[TagTerms],
        digest: &Digest,
        manifest: &Manifest,
    ) -> Result<(), AdmissionError> {
        let subject = manifest.subject().map(|subject| &subject.digest);
        if let Some(subject) = subject {
            let noted = self.note_proof(repository, subject, digest, manifest);
            if let Err(error) = noted.await {
                let error = with_causes(&error);
                warn!(%repository, %digest, error, "failed to write down what was proved");
            }
        }
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
        let wishes = self.store.pending(repository).await?;
        let (mut settled, mut known) = (Ok(()), Known::new());
        for pending in self.readable(wishes) {
            if is_meant(&pending.digest)
                && let Err(error) = self.settle_one(&pending, &mut known).await
            {
                // The others are decided on before anyone is told.
                settled = Err(error);
            }
        }
        settled
    }

    /// Decides again on a held manifest, and moves its tag when it is admitted now.
    async fn settle_one(&self, pending: &Pending, known: &mut Known) -> Result<(), AdmissionError> {
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
        let (evidence, proven) = self.known(repository, digest, known).await?;
        let decided = self.decide(&judged, &judged.comparisons, &evidence, &proven);
        let decided = decided.await?;
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

impl Admission {
    /// What proves something about a manifest, once for all the tags that wait for it.
    async fn known(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        known: &mut Known,
    ) -> Result<(Evidence, Proven), AdmissionError> {
        let key = (repository.clone(), digest.clone());
        if let Some(found) = known.get(&key) {
            return Ok(found.clone());
        }
        let evidence = self.evidence(repository, digest).await?;
        let proven = self.prove(&evidence, digest).await?;
        if known.len() >= KNOWN {
            known.clear();
        }
        known.insert(key, (evidence.clone(), proven.clone()));
        Ok((evidence, proven))
    }
}

/// Evidence that was verified already, by repository and manifest.
type Known = HashMap<(RepositoryName, Digest), (Evidence, Proven)>;

/// How many manifests it is remembered of.
const KNOWN: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;
    use crate::policy_file::LoadedPolicy;
    use crate::storage::{Batch, Key, Store};

    #[tokio::test]
    async fn a_wish_that_cannot_be_read_is_counted() {
        let store = Store::in_memory();
        let broken = Key::pending(&"app".parse().unwrap(), &"1.0".parse().unwrap());
        let (records, _) = store.engines();
        let batch = Batch::new().put(broken, "no wish");
        records.commit(batch).await.unwrap();
        let metrics = Arc::new(Metrics::new(store.counts()));
        let policy = LoadedPolicy::load("preset:standard").unwrap();
        let admission = Admission::new(store, policy, Arc::clone(&metrics));
        admission.settle_all().await.unwrap();
        let page = metrics.encode(0).unwrap();
        assert!(page.contains("wasmport_undecided_total 1\n"), "{page}");
    }
}
