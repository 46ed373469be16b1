//! Whether what is stored may go out, by today's policy.

use std::sync::Arc;

use wasmport_artifact::{Digest, RepositoryName, Tag};
use wasmport_policies::{Decision, Verdict};

use super::decisions::{Decided, Lasts};
use super::{Admission, AdmissionError};
use crate::storage::StoredManifest;

/// What was decided on a pull. It stays so for a day at most, until the policy changes or
/// something is written to the repository: what a manifest lacks cannot be pulled here
/// before that.
#[derive(Clone, Debug)]
pub(crate) struct Pulled {
    pub(crate) decided: Arc<Decided>,
}

/// Who may read a blob of a repository. It stays so as long as a [`Pulled`] does.
#[derive(Clone, Debug)]
pub(crate) enum Standing {
    /// Who may pull.
    Open,
    /// Who may push: held manifests use it, or none does yet.
    Held,
    /// Nobody: every manifest that uses it is denied.
    Denied(Arc<Decided>),
}

impl Pulled {
    pub(crate) fn decision(&self) -> &Decision {
        &self.decided.decision
    }
}

impl Admission {
    /// Decides on a pull, by the tag where one was named.
    pub(crate) async fn pull(
        &self,
        repository: &RepositoryName,
        tag: Option<&Tag>,
        digest: &Digest,
        stored: &StoredManifest,
    ) -> Result<Pulled, AdmissionError> {
        // Before anything is read: what is read later is not older than this.
        let generation = self.store.generations().of(repository);
        let evidence = self.evidence(repository, digest).await?;
        let question = evidence.question(tag, digest, &stored.media_type);
        if let Some(decided) = self.decisions.get(&question, generation) {
            return Ok(Pulled { decided });
        }
        let judged = self.recall(repository, digest, stored).await?;
        let proven = self.prove(&evidence, digest).await?;
        let mut mildest: Option<Arc<Decided>> = None;
        for way in self.ways(repository, tag, digest).await? {
            let decided = self.decide(&judged, &way, &evidence, &proven).await?;
            if mildest
                .as_ref()
                .is_none_or(|known| decided.verdict() < known.verdict())
            {
                mildest = Some(decided);
            }
        }
        let decided = match mildest {
            Some(decided) => decided,
            None => self.decide(&judged, &[], &evidence, &proven).await?,
        };
        let is_whole = judged.is_whole && proven.has_all;
        if is_whole && !self.compares_versions(repository) {
            self.decisions
                .put(question, Arc::clone(&decided), Lasts::Always);
        } else if let Some(generation) = generation
            && (proven.has_all || decided.decision.verdict == Verdict::Admit)
        {
            // A layer that is not there may come, and be another thing than is believed now. A
            // signature of which only the manifest is there may come from elsewhere. And what a
            // tag is compared with changes when the tag does.
            let lasts = Lasts::While(generation);
            self.decisions.put(question, Arc::clone(&decided), lasts);
        }
        Ok(Pulled { decided })
    }

    /// Who may read a blob. One that no manifest uses yet was not decided on: who pushed it
    /// must find it, and nobody else has a reason to ask for it.
    pub(crate) async fn standing_of_blob(
        &self,
        repository: &RepositoryName,
        blob: &Digest,
    ) -> Result<Standing, AdmissionError> {
        let mut standing = None;
        let mut after = None;
        loop {
            let users = self.store.users(repository, blob, after.as_ref()).await?;
            for user in &users {
                let Some(stored) = self.store.manifest(repository, user).await? else {
                    continue;
                };
                let decided = self.pull(repository, None, user, &stored).await?.decided;
                standing = Some(match decided.decision.verdict {
                    Verdict::Admit => return Ok(Standing::Open),
                    Verdict::Hold => Standing::Held,
                    Verdict::Deny if matches!(standing, Some(Standing::Held)) => Standing::Held,
                    Verdict::Deny => Standing::Denied(decided),
                });
            }
            match users.last() {
                Some(last) => after = Some(last.clone()),
                None => return Ok(standing.unwrap_or(Standing::Held)),
            }
        }
    }
}
