//! Signatures and attestations of a manifest that are in its repository, in both of the forms
//! that cosign writes: Sigstore bundles as referrers, and the tags `.sig` and `.att`.

mod candidates;
mod reading;

use std::collections::BTreeSet;
use std::sync::Arc;

use wasmport_artifact::{Descriptor, Digest, Manifest, RepositoryName, Tag};
use wasmport_policies::Attestation as AttestationFacts;
use wasmport_signature::{is_bundle_manifest, is_bundle_type};

use self::candidates::Candidates;
use self::reading::Found;
use super::decisions::{Question, today};
use super::in_force::PolicyInForce;
use super::{Admission, AdmissionError};
use crate::signers::Signed;
use crate::storage::{PROOFS, StorageError, Store};

/// Manifests that may hold signatures of one manifest. They were not read yet.
#[derive(Clone, Debug)]
pub(super) struct Evidence {
    policy: Arc<PolicyInForce>,
    repository: RepositoryName,
    referrers: Vec<Digest>,
    /// How many other referrers say that they are evidence, too.
    others: usize,
    signatures_tag: Option<Digest>,
    attestations_tag: Option<Digest>,
}

/// What the policy's signers have signed, and verified so.
#[derive(Clone, Debug, Default)]
pub(super) struct Proven {
    pub(super) signed_by: BTreeSet<String>,
    pub(super) attestations: Vec<AttestationFacts>,
    /// All that may be evidence was there to be read, and will not mean more later.
    pub(super) has_all: bool,
    /// How many signatures and attestations were not looked at, since there are too many.
    pub(super) unread: usize,
}

impl Admission {
    /// Reads evidence and verifies it, beside a few others only: each holds all that it reads.
    pub(super) async fn prove(
        &self,
        evidence: &Evidence,
        subject: &Digest,
    ) -> Result<Proven, AdmissionError> {
        if evidence.is_empty() {
            return Ok(Proven {
                has_all: true,
                ..Proven::default()
            });
        }
        // Nobody closes it, and without a permit the work is the same.
        let _permit = self.proofs.acquire().await;
        evidence.read(&self.store, subject).await
    }

    /// Writes down that a referrer which has come just now proves something that is asked for, if
    /// it does. No number of others is read before it from then on.
    pub(super) async fn note_proof(
        &self,
        repository: &RepositoryName,
        subject: &Digest,
        referrer: &Digest,
        manifest: &Manifest,
    ) -> Result<(), AdmissionError> {
        let policy = self.policy.get();
        let wanted = policy.loaded.policy.predicates(repository);
        let wanted: Vec<String> = wanted.into_iter().map(str::to_owned).collect();
        let [bundle] = manifest.layers() else {
            return Ok(());
        };
        if wanted.is_empty() || !is_bundle_manifest(manifest) {
            return Ok(());
        }
        let alone = Evidence {
            referrers: vec![referrer.clone()],
            ..Evidence::none(policy, repository)
        };
        let proven = self.prove(&alone, subject).await?;
        // A plain signature is a statement with a predicate type of its own.
        let mut said = proven.attestations.iter();
        if said.any(|it| wanted.contains(&it.predicate_type)) {
            let (store, blob) = (&self.store, &bundle.digest);
            store.proved(repository, subject, referrer, blob).await?;
        }
        Ok(())
    }

    /// The same for what came before the subject itself, as clients push signatures first.
    pub(super) async fn note_proofs(
        &self,
        repository: &RepositoryName,
        subject: &Digest,
    ) -> Result<(), AdmissionError> {
        let referrers = self.evidence(repository, subject).await?.referrers;
        for referrer in referrers.into_iter().take(PROOFS) {
            if let Some(stored) = self.store.manifest(repository, &referrer).await?
                && let Ok(manifest) = stored.parse()
            {
                self.note_proof(repository, subject, &referrer, &manifest)
                    .await?;
            }
        }
        Ok(())
    }
}

impl Evidence {
    pub(super) fn none(policy: Arc<PolicyInForce>, repository: &RepositoryName) -> Self {
        Self {
            policy,
            repository: repository.clone(),
            referrers: Vec::new(),
            others: 0,
            signatures_tag: None,
            attestations_tag: None,
        }
    }

    /// Looks for what may hold signatures that this policy asks for.
    pub(super) async fn find(
        policy: Arc<PolicyInForce>,
        store: &Store,
        repository: &RepositoryName,
        subject: &Digest,
    ) -> Result<Self, StorageError> {
        let mut candidates = Candidates::new(policy.loaded.policy.predicates(repository));
        let mut after: Option<Digest> = None;
        loop {
            let page = store.referrers_after(repository, subject, after.as_ref(), PAGE);
            let page = page.await?;
            let Some(last) = page.last() else {
                break;
            };
            after = Some(last.digest.clone());
            // What else is said about a subject, by whomever, must not crowd out its signatures.
            let is_bundle = |referrer: &Descriptor| {
                let kind = referrer.artifact_type.as_deref();
                kind.is_some_and(is_bundle_type)
            };
            let bundles: Vec<_> = page.into_iter().filter(is_bundle).collect();
            if !candidates.are_few(bundles.len()) && !candidates.knows_proofs() {
                let record = store.decision(repository, subject).await?;
                let proofs = record.map(|record| record.proofs).unwrap_or_default();
                candidates.prefer(proofs.into_values().collect());
            }
            for bundle in bundles {
                candidates.add(bundle);
            }
        }
        let (referrers, others) = candidates.best();
        let (signatures, attestations) = (
            Tag::cosign_signatures(subject),
            Tag::cosign_attestations(subject),
        );
        Ok(Self {
            policy,
            repository: repository.clone(),
            referrers,
            others,
            signatures_tag: store.tag(repository, &signatures).await?,
            attestations_tag: store.tag(repository, &attestations).await?,
        })
    }

    fn is_empty(&self) -> bool {
        self.referrers.is_empty()
            && self.signatures_tag.is_none()
            && self.attestations_tag.is_none()
    }

    /// What is decided with.
    pub(super) fn policy(&self) -> &Arc<PolicyInForce> {
        &self.policy
    }

    /// Another one when anything was added or taken away.
    pub(super) fn fingerprint(&self) -> Digest {
        let tag = |name: &str, digest: &Option<Digest>| {
            let digest = digest.as_ref();
            digest.map_or_else(String::new, |digest| format!("+{name}={digest}"))
        };
        let referrers: Vec<&str> = self.referrers.iter().map(Digest::as_str).collect();
        let mut text = referrers.join(",");
        text += &tag("sig", &self.signatures_tag);
        text += &tag("att", &self.attestations_tag);
        text += "+";
        text += &self.others.to_string();
        Digest::of(text.as_bytes())
    }

    /// What was asked, when the decision depends on this evidence.
    pub(super) fn question(
        &self,
        tag: Option<&Tag>,
        digest: &Digest,
        media_type: &str,
    ) -> Question {
        Question {
            policy: self.policy.digest.clone(),
            repository: self.repository.clone(),
            tag: tag.cloned(),
            digest: digest.clone(),
            media_type: media_type.to_owned(),
            evidence: self.fingerprint(),
            today: today(),
        }
    }

    /// Reads as much as is ever read, and verifies it for each of the policy's signers.
    async fn read(&self, store: &Store, subject: &Digest) -> Result<Proven, AdmissionError> {
        let found = Found::load(self, store).await?;
        let (has_all, unread) = (!found.lacks_some, found.unread);
        if found.signatures.is_empty() && found.attestations.is_empty() {
            return Ok(Proven {
                has_all,
                unread,
                ..Proven::default()
            });
        }
        let (policy, subject) = (Arc::clone(&self.policy), subject.clone());
        let verified = tokio::task::spawn_blocking(move || {
            let Found {
                signatures,
                attestations,
                ..
            } = found;
            let signed = Signed::verify(&signatures, &attestations, &subject, &policy.loaded.trust);
            Proven {
                signed_by: signed.by,
                attestations: signed.attestations,
                has_all: has_all && !signed.may_grow,
                unread,
            }
        });
        let verified = verified.await;
        verified.map_err(|error| AdmissionError::Inspection(error.into()))
    }
}

/// How many referrers are listed at a time.
const PAGE: usize = 1000;

#[cfg(test)]
mod tests {
    use wasmport_artifact::{Descriptor, media_type};

    use super::*;
    use crate::admission::in_force::InForce;
    use crate::policy_file::LoadedPolicy;
    use crate::storage::{Batch, Key, MemoryBlobs, MemoryRecords, Records};

    #[tokio::test]
    async fn a_signature_is_found_behind_thousands_of_other_referrers() {
        let app: RepositoryName = "team/app".parse().unwrap();
        let subject = Digest::of(b"subject");
        let referrer = |number: u32, kind: &str| {
            let mut descriptor = Descriptor::of("text/plain", &number.to_le_bytes());
            descriptor.artifact_type = Some(kind.to_owned());
            let key = Key::referrer(&app, &subject, &descriptor.digest);
            (key, serde_json::to_vec(&descriptor).unwrap())
        };
        let mut batch = Batch::new();
        for number in 0..5_000 {
            let (key, value) = referrer(number, "application/vnd.example.junk");
            batch = batch.put(key, value);
        }
        // The one whose digest comes last in the list.
        let all = 5_000_u32..6_000;
        let last = all
            .max_by_key(|number| Digest::of(&number.to_le_bytes()))
            .unwrap();
        let (key, value) = referrer(last, media_type::SIGSTORE_BUNDLE);
        let records = MemoryRecords::default();
        records.commit(batch.put(key, value)).await.unwrap();
        let store = Store::new(Arc::new(records), Arc::new(MemoryBlobs::default()));
        let policy = InForce::new(LoadedPolicy::load("preset:standard").unwrap()).get();
        let evidence = Evidence::find(policy, &store, &app, &subject)
            .await
            .unwrap();
        assert_eq!(evidence.referrers, [Digest::of(&last.to_le_bytes())]);
    }
}
