//! Reads evidence: each blob once, and no more than a request may cost.

use std::collections::{HashMap, HashSet};

use wasmport_artifact::{Descriptor, Digest, Manifest, limits};
use wasmport_signature::{Attestation, Signature, SimpleLayer, is_bundle_manifest, simple_layers};

use super::Evidence;
use crate::storage::{StorageError, Store};

/// How many signatures and attestations of one manifest are looked at. Each is tried with each
/// signer, and an artifact has a handful.
pub(super) const ITEMS: usize = 100;

/// How many bytes of them are read. A bundle has some kilobytes; an attestation with an SBOM
/// may have a megabyte, which is the most that is read of one.
const BYTES: u64 = 16 * 1024 * 1024;

/// How many bytes of the manifests around them are read. They have about one thousand each, and
/// may have megabytes; large ones leave something for what they hold all the same.
const MANIFEST_BYTES: u64 = 8 * 1024 * 1024;

/// A layer of a `.att` manifest of cosign 2.
const DSSE_ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";

/// What was read and not verified yet.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) signatures: Vec<Signature>,
    pub(super) attestations: Vec<Attestation>,
    /// Something was not there to be read.
    pub(super) lacks_some: bool,
    /// So much was not looked at.
    pub(super) unread: usize,
}

/// Something that may be a signature or an attestation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Item {
    /// Which of the two it is, is only read once somebody is known to have signed it.
    Bundle(Digest),
    Simple(SimpleLayer),
    Envelope(Digest),
}

/// What may still be read.
struct Budget {
    items: usize,
    bytes: u64,
    manifest_bytes: u64,
}

/// What was read of a blob.
enum Blob {
    Read(Vec<u8>),
    Missing,
    TooLarge,
}

impl Found {
    /// Reads what there is. What is neither signature nor attestation is left out; who is to be
    /// believed is for the verification to say.
    pub(super) async fn load(evidence: &Evidence, store: &Store) -> Result<Self, StorageError> {
        let mut budget = Budget {
            items: ITEMS,
            bytes: BYTES,
            manifest_bytes: MANIFEST_BYTES,
        };
        let mut found = Self {
            unread: evidence.others,
            ..Self::default()
        };
        let items = found.items(evidence, store, &mut budget).await?;
        let mut known = HashMap::new();
        for item in items {
            found.take(store, item, &mut budget, &mut known).await?;
        }
        Ok(found)
    }

    /// What may be read, each once, from the three places in turn: none of them crowds out the
    /// others.
    async fn items(
        &mut self,
        evidence: &Evidence,
        store: &Store,
        budget: &mut Budget,
    ) -> Result<Vec<Item>, StorageError> {
        let mut bundles = Vec::new();
        for digest in &evidence.referrers {
            let manifest = self.manifest(evidence, store, digest, budget).await?;
            bundles.extend(manifest.iter().filter_map(bundle_in));
        }
        let simple = self.behind(evidence, store, evidence.signatures_tag.as_ref(), budget);
        let simple = simple.await?.map(|manifest| simple_in(&manifest));
        let envelopes = self.behind(evidence, store, evidence.attestations_tag.as_ref(), budget);
        let envelopes = envelopes.await?.map(|manifest| envelopes_in(&manifest));
        let mut places = [
            bundles.into_iter(),
            simple.unwrap_or_default().into_iter(),
            envelopes.unwrap_or_default().into_iter(),
        ];
        let (mut items, mut known) = (Vec::new(), HashSet::new());
        loop {
            let round: Vec<Item> = places.iter_mut().filter_map(Iterator::next).collect();
            if round.is_empty() {
                return Ok(items);
            }
            items.extend(round.into_iter().filter(|item| known.insert(item.clone())));
        }
    }

    async fn take(
        &mut self,
        store: &Store,
        item: Item,
        budget: &mut Budget,
        known: &mut HashMap<Digest, Blob>,
    ) -> Result<(), StorageError> {
        if budget.items == 0 {
            self.unread += 1;
            return Ok(());
        }
        let digest = item.blob();
        if !known.contains_key(digest) {
            known.insert(digest.clone(), read(store, digest).await?);
        }
        match known.get(digest) {
            Some(Blob::Read(bytes)) if bytes.len() as u64 <= budget.bytes => {
                budget.items -= 1;
                // What two of them hold is in memory twice.
                budget.bytes -= bytes.len() as u64;
                self.add(item, bytes.clone());
            }
            Some(Blob::Read(_) | Blob::TooLarge) => self.unread += 1,
            Some(Blob::Missing) | None => self.lacks_some = true,
        }
        Ok(())
    }

    fn add(&mut self, item: Item, bytes: Vec<u8>) {
        match item {
            Item::Bundle(_) => {
                let bundle = bytes.clone();
                self.attestations
                    .push(Attestation::Bundle { bytes: bundle });
                self.signatures.push(Signature::Bundle { bytes });
            }
            Item::Simple(layer) => self.signatures.push(layer.with_payload(bytes)),
            Item::Envelope(_) => self.attestations.push(Attestation::Envelope { bytes }),
        }
    }

    async fn behind(
        &mut self,
        evidence: &Evidence,
        store: &Store,
        digest: Option<&Digest>,
        budget: &mut Budget,
    ) -> Result<Option<Manifest>, StorageError> {
        match digest {
            Some(digest) => self.manifest(evidence, store, digest, budget).await,
            None => Ok(None),
        }
    }

    async fn manifest(
        &mut self,
        evidence: &Evidence,
        store: &Store,
        digest: &Digest,
        budget: &mut Budget,
    ) -> Result<Option<Manifest>, StorageError> {
        let Some(stored) = store.manifest(&evidence.repository, digest).await? else {
            return Ok(None);
        };
        let size = stored.bytes.len() as u64;
        let Some(rest) = budget.manifest_bytes.checked_sub(size) else {
            self.unread += 1;
            return Ok(None);
        };
        budget.manifest_bytes = rest;
        Ok(stored.parse().ok())
    }
}

impl Item {
    fn blob(&self) -> &Digest {
        match self {
            Self::Bundle(blob) | Self::Envelope(blob) => blob,
            Self::Simple(layer) => &layer.blob.digest,
        }
    }
}

fn bundle_in(manifest: &Manifest) -> Option<Item> {
    let layer = manifest.layers().first()?;
    is_bundle_manifest(manifest).then(|| Item::Bundle(layer.digest.clone()))
}

fn simple_in(manifest: &Manifest) -> Vec<Item> {
    let layers = simple_layers(manifest);
    layers.into_iter().map(Item::Simple).collect()
}

fn envelopes_in(manifest: &Manifest) -> Vec<Item> {
    let is_envelope = |layer: &&Descriptor| layer.media_type == DSSE_ENVELOPE;
    let layers = manifest.layers().iter().filter(is_envelope);
    layers
        .map(|layer| Item::Envelope(layer.digest.clone()))
        .collect()
}

async fn read(store: &Store, digest: &Digest) -> Result<Blob, StorageError> {
    let limit = limits::SIGNATURE_BYTES as u64;
    if let Some(bytes) = store.read_blob(digest, limit).await? {
        return Ok(Blob::Read(bytes));
    }
    let size = store.blob_size(digest).await?;
    Ok(size.map_or(Blob::Missing, |_| Blob::TooLarge))
}
