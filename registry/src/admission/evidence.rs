//! Signatures of a manifest that are in its repository, in both of the forms that cosign
//! writes: Sigstore bundles as referrers, and the `.sig` tag.

use std::collections::BTreeSet;
use std::sync::Arc;

use wasmport_artifact::{Descriptor, Digest, Manifest, RepositoryName, Tag, limits};
use wasmport_signature::{Signature, is_bundle_manifest, is_bundle_type, simple_layers};

use super::AdmissionError;
use super::in_force::PolicyInForce;
use crate::policy_file::signed_by;
use crate::storage::{StorageError, Store};

/// Manifests that may hold signatures of one manifest. They were not read yet.
#[derive(Clone, Debug)]
pub(super) struct Evidence {
    policy: Arc<PolicyInForce>,
    repository: RepositoryName,
    referrers: Vec<Digest>,
    cosign: Option<Digest>,
}

impl Evidence {
    pub(super) fn none(policy: Arc<PolicyInForce>, repository: &RepositoryName) -> Self {
        Self {
            policy,
            repository: repository.clone(),
            referrers: Vec::new(),
            cosign: None,
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
        let cosign = Tag::cosign_signatures(subject);
        Ok(Self {
            policy,
            repository: repository.clone(),
            referrers: referrers
                .into_iter()
                .map(|referrer| referrer.digest)
                .collect(),
            cosign: store.tag(repository, &cosign).await?,
        })
    }

    /// What is decided with.
    pub(super) fn policy(&self) -> &PolicyInForce {
        &self.policy
    }

    /// Another one when anything was added or taken away.
    pub(super) fn fingerprint(&self) -> Digest {
        let digests = self.referrers.iter().chain(&self.cosign);
        let text: Vec<&str> = digests.map(Digest::as_str).collect();
        let end = if self.cosign.is_some() { "+sig" } else { "" };
        Digest::of((text.join(",") + end).as_bytes())
    }

    /// The policy's signers of whom a signature of `subject` was found and verified, and
    /// whether all that may be signatures was there to be read.
    pub(super) async fn signers(
        &self,
        store: &Store,
        subject: &Digest,
    ) -> Result<(BTreeSet<String>, bool), AdmissionError> {
        let found = self.load(store).await?;
        let has_all = found.iter().all(Option::is_some);
        let signatures: Vec<Signature> = found.into_iter().flatten().collect();
        if signatures.is_empty() {
            return Ok((BTreeSet::new(), has_all));
        }
        let (policy, subject) = (Arc::clone(&self.policy), subject.clone());
        let verified = tokio::task::spawn_blocking(move || {
            signed_by(&signatures, &subject, &policy.loaded.trust)
        });
        let verified = verified.await;
        let verified = verified.map_err(|error| AdmissionError::Inspection(error.into()))?;
        Ok((verified, has_all))
    }

    /// Reads the signatures; `None` for each that is not there yet. What is none is left out;
    /// who is to be believed is for the verification to say.
    async fn load(&self, store: &Store) -> Result<Vec<Option<Signature>>, StorageError> {
        let mut signatures = Vec::new();
        for digest in &self.referrers {
            if let Some(manifest) = self.manifest(store, digest).await? {
                signatures.extend(bundle(store, &manifest).await?);
            }
        }
        if let Some(digest) = &self.cosign
            && let Some(manifest) = self.manifest(store, digest).await?
        {
            signatures.extend(simple(store, &manifest).await?);
        }
        Ok(signatures)
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

/// The bundle in a manifest, if it is one for bundles; `Some(None)` when it is not there yet.
async fn bundle(
    store: &Store,
    manifest: &Manifest,
) -> Result<Option<Option<Signature>>, StorageError> {
    let [layer] = manifest.layers() else {
        return Ok(None);
    };
    if !is_bundle_manifest(manifest) {
        return Ok(None);
    }
    let limit = limits::SIGNATURE_BYTES as u64;
    let bytes = store.read_blob(&layer.digest, limit).await?;
    Ok(Some(bytes.map(|bytes| Signature::Bundle { bytes })))
}

async fn simple(
    store: &Store,
    manifest: &Manifest,
) -> Result<Vec<Option<Signature>>, StorageError> {
    let mut signatures = Vec::new();
    let layers = simple_layers(manifest);
    for (payload, signature) in layers.into_iter().take(limits::SIGNATURES) {
        let limit = limits::SIGNATURE_BYTES as u64;
        let payload = store.read_blob(&payload.digest, limit).await?;
        signatures.push(payload.map(|payload| Signature::Simple { payload, signature }));
    }
    Ok(signatures)
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
