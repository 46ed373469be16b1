//! Signatures of a manifest that are in its repository, in both of the forms that cosign
//! writes: Sigstore bundles as referrers, and the `.sig` tag.

use std::collections::BTreeSet;
use std::sync::Arc;

use wasmport_artifact::{Digest, Manifest, RepositoryName, Tag, limits};
use wasmport_signature::{Signature, is_bundle_manifest, simple_layers};

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
        let referrers = store
            .referrers(repository, subject, limits::SIGNATURES)
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

    /// The policy's signers of whom a signature of `subject` was found and verified.
    pub(super) async fn signers(
        &self,
        store: &Store,
        subject: &Digest,
    ) -> Result<BTreeSet<String>, AdmissionError> {
        let signatures = self.load(store).await?;
        if signatures.is_empty() {
            return Ok(BTreeSet::new());
        }
        let (policy, subject) = (Arc::clone(&self.policy), subject.clone());
        tokio::task::spawn_blocking(move || signed_by(&signatures, &subject, &policy.loaded.trust))
            .await
            .map_err(|error| AdmissionError::Inspection(error.into()))
    }

    /// Reads the signatures. What is none is left out; who is to be believed is for the
    /// verification to say.
    async fn load(&self, store: &Store) -> Result<Vec<Signature>, StorageError> {
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

async fn bundle(store: &Store, manifest: &Manifest) -> Result<Option<Signature>, StorageError> {
    let [layer] = manifest.layers() else {
        return Ok(None);
    };
    if !is_bundle_manifest(manifest) {
        return Ok(None);
    }
    let limit = limits::SIGNATURE_BYTES as u64;
    let bytes = store.read_blob(&layer.digest, limit).await?;
    Ok(bytes.map(|bytes| Signature::Bundle { bytes }))
}

async fn simple(store: &Store, manifest: &Manifest) -> Result<Vec<Signature>, StorageError> {
    let mut signatures = Vec::new();
    let layers = simple_layers(manifest);
    for (payload, signature) in layers.into_iter().take(limits::SIGNATURES) {
        let limit = limits::SIGNATURE_BYTES as u64;
        if let Some(payload) = store.read_blob(&payload.digest, limit).await? {
            signatures.push(Signature::Simple { payload, signature });
        }
    }
    Ok(signatures)
}
