//! Referrers: one record each, so that two pushes never write the same one.

use wasmport_artifact::{Descriptor, Digest, RepositoryName};

use super::error::StorageError;
use super::keys::{Key, Prefix};
use super::store::{PAGE, Store, decode};
use crate::admission::Judged;

impl Store {
    /// Descriptors of the manifests whose subject is `subject`, at most `limit`, in the
    /// order of their digests.
    pub(crate) async fn referrers(
        &self,
        repository: &RepositoryName,
        subject: &Digest,
        limit: usize,
    ) -> Result<Vec<Descriptor>, StorageError> {
        let prefix = Prefix::referrers(repository, subject);
        let mut found = Vec::new();
        let mut after: Option<Key> = None;
        while found.len() < limit {
            let wanted = PAGE.min(limit - found.len());
            let page = self.records.list(&prefix, after.as_ref(), wanted).await?;
            let Some((last, _)) = page.last() else {
                break;
            };
            after = Some(last.clone());
            for (key, record) in &page {
                found.push(decode(key, record)?);
            }
        }
        Ok(found)
    }
}

/// The descriptor of a referrer (distribution specification, "Listing Referrers").
pub(super) fn referrer(judged: &Judged) -> Descriptor {
    let manifest = judged.manifest();
    let size = manifest.bytes().len() as u64;
    Descriptor {
        artifact_type: manifest.artifact_type().map(str::to_owned),
        annotations: manifest.annotations().clone(),
        ..Descriptor::new(manifest.media_type(), judged.digest().clone(), size)
    }
}
