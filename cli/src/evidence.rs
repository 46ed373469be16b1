//! Signatures and attestations of an artifact, as a registry has them.

use std::collections::BTreeSet;

use wasmport_artifact::Digest;
use wasmport_client::{Registry, Unreadable, attestations, signatures};
use wasmport_policies::Attestation as AttestationFacts;
use wasmport_registry::{LoadedPolicy, Signed};
use wasmport_signature::{Attestation, Signature};

use crate::error::Failure;
use crate::remote;

/// What was found, and not verified yet.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    signatures: Vec<Signature>,
    attestations: Vec<Attestation>,
    /// What may be evidence, and cannot be read.
    pub(crate) unreadable: Vec<Unreadable>,
}

impl Evidence {
    /// Looks for everything that says something about `digest`.
    pub(crate) async fn collect(registry: &Registry, digest: &Digest) -> Result<Self, Failure> {
        let signed = signatures(registry, digest)
            .await
            .map_err(remote::failed("look for signatures"))?;
        let attested = attestations(registry, digest, &signed)
            .await
            .map_err(remote::failed("look for attestations"))?;
        let found = signed.found.into_iter();
        let mut unreadable = signed.unreadable;
        unreadable.extend(attested.unreadable);
        Ok(Self {
            signatures: found.map(|found| found.signature).collect(),
            attestations: attested.found,
            unreadable,
        })
    }

    /// What the signers of `loaded` have signed and said, and verified so.
    pub(crate) fn verify(
        &self,
        digest: &Digest,
        loaded: &LoadedPolicy,
    ) -> (BTreeSet<String>, Vec<AttestationFacts>) {
        let signed = Signed::verify(&self.signatures, &self.attestations, digest, &loaded.trust);
        (signed.by, signed.attestations)
    }
}
