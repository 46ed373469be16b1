//! Tags: names that point to manifests, and move.

use serde::{Deserialize, Serialize};
use wasmport_artifact::{Digest, RepositoryName, Tag};

use super::error::StorageError;
use super::keys::{Key, Prefix};
use super::store::{Store, decode, encode, now};
use crate::admission::Judged;

/// Where a tag points. The digest is kept as it was used, so that what was pushed by a
/// sha512 digest answers with it.
#[derive(Serialize, Deserialize)]
struct Pointer {
    digest: Digest,
    moved: u64,
}

impl Store {
    /// The manifest that a tag points to.
    pub(crate) async fn tag(
        &self,
        repository: &RepositoryName,
        tag: &Tag,
    ) -> Result<Option<Digest>, StorageError> {
        let key = Key::tag(repository, tag);
        let Some(record) = self.records.get(&key).await? else {
            return Ok(None);
        };
        Ok(Some(decode::<Pointer>(&key, &record)?.digest))
    }

    /// At most `limit` tags in the order of their bytes, those strictly after `last`.
    pub(crate) async fn tags(
        &self,
        repository: &RepositoryName,
        last: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Tag>, StorageError> {
        let after = last.map(|last| Key::tag_position(repository, last));
        let prefix = Prefix::tags(repository);
        let found = self.records.list(&prefix, after.as_ref(), limit).await?;
        Ok(found.iter().filter_map(|(key, _)| key.as_tag()).collect())
    }
}

pub(super) fn pointing_at(judged: &Judged) -> Vec<u8> {
    encode(&Pointer {
        digest: judged.digest().clone(),
        moved: now(),
    })
}
