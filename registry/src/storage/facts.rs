//! What the bytes behind a manifest are, kept so that a pull need not read them again.

use serde::{Deserialize, Serialize};
use wasmport_artifact::{Digest, Manifest};
use wasmport_policies::Content;

use super::error::StorageError;
use super::keys::Key;
use super::records::{Batch, CommitError};
use super::store::{Store, decode, encode};

/// Which version of the inspection wrote the facts. Another one may see more, and so what
/// an older one wrote is not believed. Goes up whenever inspection finds more or other things.
const INSPECTOR: u32 = 5;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Facts {
    inspector: u32,
    /// The same bytes may be stored elsewhere as another kind of manifest, and then they carry
    /// something else. What the one wrote is not believed of the other.
    media_type: String,
    content: Content,
}

impl Store {
    /// What was found behind a manifest when it was pushed, unless an older version did it.
    pub(crate) async fn facts(
        &self,
        digest: &Digest,
        manifest: &Manifest,
    ) -> Result<Option<Content>, StorageError> {
        let key = Key::facts(digest);
        let Some(record) = self.records.get(&key).await? else {
            return Ok(None);
        };
        // An older version may have written another shape, too.
        let Ok(facts) = decode::<Facts>(&key, &record) else {
            return Ok(None);
        };
        let is_about_this =
            facts.inspector == INSPECTOR && facts.media_type == manifest.media_type();
        Ok(is_about_this.then_some(facts.content))
    }

    /// Keeps what was found behind a manifest that is stored already.
    pub(crate) async fn put_facts(
        &self,
        digest: &Digest,
        manifest: &Manifest,
        content: &Content,
    ) -> Result<(), StorageError> {
        let batch = with_facts(Batch::new(), digest, manifest, content);
        if batch.is_empty() {
            return Ok(());
        }
        match self.commit(batch).await {
            Ok(()) | Err(CommitError::Changed(_)) => Ok(()),
            Err(CommitError::Storage(error)) => Err(error),
        }
    }
}

/// Adds to `batch` what was found behind a manifest. That nothing was is found as fast as read.
pub(super) fn with_facts(
    batch: Batch,
    digest: &Digest,
    manifest: &Manifest,
    content: &Content,
) -> Batch {
    if *content == Content::Other {
        return batch;
    }
    let facts = Facts {
        inspector: INSPECTOR,
        media_type: manifest.media_type().to_owned(),
        content: content.clone(),
    };
    batch.put(Key::facts(digest), encode(&facts))
}
