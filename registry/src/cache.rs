//! What was found out for earlier requests, in bounded memory.
//!
//! Everything here was true at a [`Moment`], and is used only while that moment lasts: the
//! repository was not written to and the policy is the same (ADR 0014). Who may ask is
//! checked before anyone looks here.

mod names;

use std::fmt;
use std::sync::Arc;

use axum::http::HeaderValue;
use bytes::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use wasmport_artifact::Digest;

use crate::metrics::StoreCounts;
use crate::settings::ByteSize;
use crate::storage::Generation;

pub(crate) use names::{BlobName, ManifestName};

/// How much memory the caches may take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct CacheSettings {
    /// Manifests that may be pulled, and where tags point, in bytes. Default: 16 MiB.
    pub manifests: ByteSize,
    /// Which blobs may be pulled, in bytes. Default: 4 MiB, for about 16,000 blobs.
    pub grants: ByteSize,
    /// The bytes of blobs that were read more than once, in bytes. Default: 32 MiB.
    pub blobs: ByteSize,
    /// The largest blob that is kept in memory, in bytes. Default: 16 MiB.
    pub largest_blob: ByteSize,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self {
            manifests: ByteSize::mib(16),
            grants: ByteSize::mib(4),
            blobs: ByteSize::mib(32),
            largest_blob: ByteSize::mib(16),
        }
    }
}

/// A time in which neither the repository nor the policy changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) generation: Generation,
    pub(crate) policy: PolicyEpoch,
}

/// Which policy it is, counted from the start of the process, and as of which day it is
/// applied, counted from 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PolicyEpoch {
    pub(crate) policy: u64,
    pub(crate) day: u64,
}

/// A manifest that everyone who may pull from its repository may have, with the headers of
/// its answer.
#[derive(Debug)]
pub(crate) struct PullableManifest {
    pub(crate) digest: Digest,
    pub(crate) content_type: HeaderValue,
    pub(crate) digest_value: HeaderValue,
    pub(crate) etag: HeaderValue,
    pub(crate) bytes: Bytes,
}

/// What requests for manifests and blobs found out.
pub(crate) struct Answers {
    manifests: Cache<ManifestName, At<Arc<PullableManifest>>, Weight>,
    blobs: Cache<BlobName, At<()>, Weight>,
    counts: Arc<StoreCounts>,
}

/// Something that was true at a moment.
#[derive(Clone)]
struct At<T> {
    moment: Moment,
    value: T,
}

#[derive(Clone)]
struct Weight;

/// What an entry costs besides its texts: the entry itself and its place in the table.
const ENTRY_BYTES: usize = 200;

impl Answers {
    pub(crate) fn new(settings: &CacheSettings, counts: Arc<StoreCounts>) -> Self {
        let manifests = settings.manifests.0;
        let blobs = settings.grants.0;
        Self {
            // Manifests of Wasm artifacts have about a kilobyte.
            manifests: Cache::with_weighter(entries(manifests, 1024), manifests, Weight),
            blobs: Cache::with_weighter(entries(blobs, 256), blobs, Weight),
            counts,
        }
    }

    /// The manifest under this name, if it was found in this very moment.
    pub(crate) fn manifest(
        &self,
        name: &ManifestName,
        moment: Moment,
    ) -> Option<Arc<PullableManifest>> {
        let found = self.manifests.get(name);
        let found = found.filter(|found| found.moment == moment);
        self.counts.caches.manifests.count(found.is_some());
        found.map(|found| found.value)
    }

    /// Keeps a manifest that was looked for after `moment` had been taken down.
    pub(crate) fn keep_manifest(
        &self,
        name: ManifestName,
        moment: Moment,
        value: Arc<PullableManifest>,
    ) {
        self.manifests.insert(name, At { moment, value });
    }

    /// Whether it was found in this very moment that a blob may be pulled.
    pub(crate) fn has_blob(&self, name: &BlobName, moment: Moment) -> bool {
        let found = self.blobs.get(name);
        let is_hit = found.is_some_and(|found| found.moment == moment);
        self.counts.caches.grants.count(is_hit);
        is_hit
    }

    /// Keeps that a blob may be pulled, which was found out after `moment` had been taken
    /// down.
    pub(crate) fn keep_blob(&self, name: BlobName, moment: Moment) {
        self.blobs.insert(name, At { moment, value: () });
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Answers")
            .field("manifests", &self.manifests.len())
            .field("blobs", &self.blobs.len())
            .finish_non_exhaustive()
    }
}

impl Weighter<ManifestName, At<Arc<PullableManifest>>> for Weight {
    fn weight(&self, name: &ManifestName, found: &At<Arc<PullableManifest>>) -> u64 {
        let manifest = &found.value;
        let texts = name.len() + 3 * manifest.digest.as_str().len() + manifest.content_type.len();
        (ENTRY_BYTES + texts + manifest.bytes.len()) as u64
    }
}

impl Weighter<BlobName, At<()>> for Weight {
    fn weight(&self, name: &BlobName, _: &At<()>) -> u64 {
        (ENTRY_BYTES + name.len()) as u64
    }
}

/// How many entries of `each` bytes are about to come.
fn entries(capacity: u64, each: u64) -> usize {
    usize::try_from(capacity / each).unwrap_or(usize::MAX)
}
