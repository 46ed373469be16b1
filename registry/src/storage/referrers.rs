//! Referrers: one record each, so that two pushes never write the same one.

use wasmport_artifact::{Descriptor, Digest, Manifest, RepositoryName};

use super::error::StorageError;
use super::keys::{Key, Prefix};
use super::store::{Store, decode};
use crate::admission::Judged;

impl Store {
    /// Descriptors of at most `limit` manifests whose subject is `subject`, in the order of
    /// their digests, those after `after`.
    pub(crate) async fn referrers_after(
        &self,
        repository: &RepositoryName,
        subject: &Digest,
        after: Option<&Digest>,
        limit: usize,
    ) -> Result<Vec<Descriptor>, StorageError> {
        let prefix = Prefix::referrers(repository, subject);
        let after = after.map(|digest| Key::referrer(repository, subject, digest));
        let page = self.records.list(&prefix, after.as_ref(), limit).await?;
        page.iter()
            .map(|(key, record)| decode(key, record))
            .collect()
    }
}

/// The descriptor of a referrer (distribution specification, "Listing Referrers").
pub(super) fn referrer(judged: &Judged) -> Descriptor {
    descriptor_of(judged.manifest(), judged.digest())
}

/// The same, of any manifest.
pub(super) fn descriptor_of(manifest: &Manifest, digest: &Digest) -> Descriptor {
    let size = manifest.bytes().len() as u64;
    Descriptor {
        artifact_type: manifest.artifact_type().map(str::to_owned),
        annotations: manifest.annotations().clone(),
        ..Descriptor::new(manifest.media_type(), digest.clone(), size)
    }
}
