//! Signatures and attestations of a manifest that are in its repository, in both of the forms
//! that cosign writes: Sigstore bundles as referrers, and the tags `.sig` and `.att`.

use std::collections::BTreeSet;
use std::sync::Arc;

use wasmport_artifact::{Descriptor, Digest, Manifest, RepositoryName, Tag, limits};
use wasmport_policies::Attestation as AttestationFacts;
use wasmport_signature::{
    Attestation, Signature, is_bundle_manifest, is_bundle_type, simple_layers,
};

use super::AdmissionError;
use super::decisions::{Question, today};
use super::in_force::PolicyInForce;
use crate::policy_file::{attested_by, signed_by};
use crate::storage::{StorageError, Store};

/// A layer of cosign 2's `.att` manifest.
const DSSE_ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";

/// Manifests that may hold signatures of one manifest. They were not read yet.
#[derive(Clone, Debug)]
pub(super) struct Evidence {
    policy: Arc<PolicyInForce>,
    repository: RepositoryName,
    referrers: Vec<Digest>,
    signatures_tag: Option<Digest>,
    attestations_tag: Option<Digest>,
}

/// What the policy's signers have signed, and verified so.
#[derive(Clone, Debug, Default)]
pub(super) struct Proven {
    pub(super) signed_by: BTreeSet<String>,
    pub(super) attestations: Vec<AttestationFacts>,
    /// All that may be evidence was there to be read.
    pub(super) has_all: bool,
}

/// What was read and not verified yet.
#[derive(Debug, Default)]
struct Found {
    signatures: Vec<Signature>,
    attestations: Vec<Attestation>,
    lacks_some: bool,
}

impl Evidence {
    pub(super) fn none(policy: Arc<PolicyInForce>, repository: &RepositoryName) -> Self {
        Self {
            policy,
            repository: repository.clone(),
            referrers: Vec::new(),
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
        // What else is said about a subject, by whomever, must not crowd out its signatures.
        let is_bundle = |referrer: &Descriptor| {
            let kind = referrer.artifact_type.as_deref();
            kind.is_some_and(is_bundle_type)
        };
        let referrers = store
            .referrers_that(repository, subject, limits::SIGNATURES, is_bundle)
            .await?;
        let (signatures, attestations) = (
            Tag::cosign_signatures(subject),
            Tag::cosign_attestations(subject),
        );
        Ok(Self {
            policy,
            repository: repository.clone(),
            referrers: referrers
                .into_iter()
                .map(|referrer| referrer.digest)
                .collect(),
            signatures_tag: store.tag(repository, &signatures).await?,
            attestations_tag: store.tag(repository, &attestations).await?,
        })
    }

    /// What is decided with.
    pub(super) fn policy(&self) -> &PolicyInForce {
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
        Digest::of(text.as_bytes())
    }

    /// What was asked, when the decision depends on this evidence.
    pub(super) fn question(&self, tag: Option<&Tag>, digest: &Digest) -> Question {
        Question {
            policy: self.policy.digest.clone(),
            repository: self.repository.clone(),
            tag: tag.cloned(),
            digest: digest.clone(),
            evidence: self.fingerprint(),
            today: today(),
        }
    }

    /// Reads everything, and verifies it with the keys of the policy's signers.
    pub(super) async fn read(
        &self,
        store: &Store,
        subject: &Digest,
    ) -> Result<Proven, AdmissionError> {
        let found = self.load(store).await?;
        if found.signatures.is_empty() && found.attestations.is_empty() {
            return Ok(Proven {
                has_all: !found.lacks_some,
                ..Proven::default()
            });
        }
        let (policy, subject) = (Arc::clone(&self.policy), subject.clone());
        let verified = tokio::task::spawn_blocking(move || {
            let trust = &policy.loaded.trust;
            let attested = attested_by(&found.attestations, &subject, trust);
            Proven {
                signed_by: signed_by(&found.signatures, &subject, trust),
                attestations: attested,
                has_all: !found.lacks_some,
            }
        });
        let verified = verified.await;
        verified.map_err(|error| AdmissionError::Inspection(error.into()))
    }

    /// Reads what there is. What is neither signature nor attestation is left out; who is to be
    /// believed is for the verification to say.
    async fn load(&self, store: &Store) -> Result<Found, StorageError> {
        let mut found = Found::default();
        for digest in &self.referrers {
            if let Some(manifest) = self.manifest(store, digest).await? {
                found.take_bundle(store, &manifest).await?;
            }
        }
        if let Some(digest) = &self.signatures_tag
            && let Some(manifest) = self.manifest(store, digest).await?
        {
            found.take_simple(store, &manifest).await?;
        }
        if let Some(digest) = &self.attestations_tag
            && let Some(manifest) = self.manifest(store, digest).await?
        {
            found.take_envelopes(store, &manifest).await?;
        }
        Ok(found)
    }

    async fn manifest(
        &self,
        store: &Store,
        digest: &Digest,
    ) -> Result<Option<Manifest>, StorageError> {
        let stored = store.manifest(&self.repository, digest).await?;
        Ok(stored.and_then(|stored| stored.parse().ok()))
    }
}

impl Found {
    /// The bundle in a manifest, if it is one for bundles. It is a signature or an
    /// attestation by what it says, which is only read once somebody is known to have
    /// signed it; so it is tried as both.
    async fn take_bundle(
        &mut self,
        store: &Store,
        manifest: &Manifest,
    ) -> Result<(), StorageError> {
        let [layer] = manifest.layers() else {
            return Ok(());
        };
        if !is_bundle_manifest(manifest) {
            return Ok(());
        }
        if let Some(bytes) = self.read(store, layer).await? {
            let bundle = bytes.clone();
            self.attestations
                .push(Attestation::Bundle { bytes: bundle });
            self.signatures.push(Signature::Bundle { bytes });
        }
        Ok(())
    }

    async fn take_simple(
        &mut self,
        store: &Store,
        manifest: &Manifest,
    ) -> Result<(), StorageError> {
        let layers = simple_layers(manifest);
        for (payload, signature) in layers.into_iter().take(limits::SIGNATURES) {
            if let Some(payload) = self.read(store, &payload).await? {
                self.signatures
                    .push(Signature::Simple { payload, signature });
            }
        }
        Ok(())
    }

    async fn take_envelopes(
        &mut self,
        store: &Store,
        manifest: &Manifest,
    ) -> Result<(), StorageError> {
        let is_envelope = |layer: &&Descriptor| layer.media_type == DSSE_ENVELOPE;
        let layers = manifest.layers().iter().filter(is_envelope);
        for layer in layers.take(limits::SIGNATURES) {
            if let Some(bytes) = self.read(store, layer).await? {
                self.attestations.push(Attestation::Envelope { bytes });
            }
        }
        Ok(())
    }

    async fn read(
        &mut self,
        store: &Store,
        blob: &Descriptor,
    ) -> Result<Option<Vec<u8>>, StorageError> {
        let limit = limits::SIGNATURE_BYTES as u64;
        let bytes = store.read_blob(&blob.digest, limit).await?;
        self.lacks_some |= bytes.is_none();
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use wasmport_artifact::media_type;

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
