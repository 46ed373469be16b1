//! What the bytes behind a manifest are, kept so that a pull need not read them again.

use serde::{Deserialize, Serialize};
use wasmport_artifact::Digest;
use wasmport_policies::Content;

use super::error::StorageError;
use super::keys::Key;
use super::records::{Batch, CommitError};
use super::store::{Store, decode, encode};

/// Which version of the inspection wrote the facts. Another one may see more, and so what
/// an older one wrote is not believed. Goes up whenever inspection finds more or other things.
const INSPECTOR: u32 = 3;

#[derive(Serialize, Deserialize)]
struct Facts {
    inspector: u32,
    content: Content,
}

impl Store {
    /// What was found behind a manifest when it was pushed, unless an older version did it.
    pub(crate) async fn facts(&self, manifest: &Digest) -> Result<Option<Content>, StorageError> {
        let key = Key::facts(manifest);
        let Some(record) = self.records.get(&key).await? else {
            return Ok(None);
        };
        // An older version may have written another shape, too.
        let Ok(facts) = decode::<Facts>(&key, &record) else {
            return Ok(None);
        };
        Ok((facts.inspector == INSPECTOR).then_some(facts.content))
    }

    /// Keeps what was found behind a manifest that is stored already.
    pub(crate) async fn put_facts(
        &self,
        manifest: &Digest,
        content: &Content,
    ) -> Result<(), StorageError> {
        let batch = Batch::new().put(Key::facts(manifest), facts_of(content));
        match self.commit(batch).await {
            Ok(()) | Err(CommitError::Changed(_)) => Ok(()),
            Err(CommitError::Storage(error)) => Err(error),
        }
    }
}

pub(super) fn facts_of(content: &Content) -> Vec<u8> {
    encode(&Facts {
        inspector: INSPECTOR,
        content: content.clone(),
    })
}
