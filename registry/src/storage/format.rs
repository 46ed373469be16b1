//! The form that the records of a store have, and how those of older versions come into it.
//!
//! | format | since then |
//! |---|---|
//! | 1 | grants count their uses; there is no record of the format |
//! | 2 | grants say since when they are; `holders/` says who has a blob |

use serde::{Deserialize, Serialize};

use super::error::StorageError;
use super::grants::{Grant, grant};
use super::keys::{Key, Kind, Named, Prefix};
use super::records::{Batch, CommitError};
use super::store::{Store, decode, encode, now};
use super::walk::{SMALL, Walk};

/// The format that this version writes.
const FORMAT: u32 = 2;

#[derive(Serialize, Deserialize)]
struct Format {
    version: u32,
}

/// A grant of any format.
#[derive(Deserialize)]
struct AnyGrant {
    size: u64,
    since: Option<u64>,
}

impl Store {
    /// Brings what an older version wrote into the form of this one. What a newer one wrote
    /// is refused. When it breaks off, the next call goes on.
    pub async fn upgrade(&self) -> Result<(), StorageError> {
        if self.is_current().await? {
            return Ok(());
        }
        self.add_holders().await?;
        let format = encode(&Format { version: FORMAT });
        self.write(Batch::new().put(Key::format(), format)).await
    }

    /// True when the records have today's form. An error when a newer version wrote them.
    pub(super) async fn is_current(&self) -> Result<bool, StorageError> {
        let key = Key::format();
        let Some(record) = self.records.get(&key).await? else {
            return Ok(false);
        };
        let found = decode::<Format>(&key, &record)?.version;
        if found > FORMAT {
            return Err(StorageError::Format {
                found,
                known: FORMAT,
            });
        }
        Ok(found == FORMAT)
    }

    /// From 1 to 2. How old the grants are nobody knows, and so they are young.
    async fn add_holders(&self) -> Result<(), StorageError> {
        let mut grants = Walk::new(&*self.records, Prefix::all(Kind::Grants), SMALL);
        let mut batch = Batch::new();
        while let Some((key, record)) = grants.next().await? {
            let Some(Named::Grant(repository, blob)) = key.named() else {
                continue;
            };
            let AnyGrant { size, since } = decode(&key, &record)?;
            let since = since.unwrap_or_else(now);
            batch = grant(batch, &repository, &blob, &Grant { size, since });
            if batch.changes().len() >= SMALL {
                self.write(std::mem::take(&mut batch)).await?;
            }
        }
        self.write(batch).await
    }

    /// Applies a batch that expects nothing.
    pub(super) async fn write(&self, batch: Batch) -> Result<(), StorageError> {
        if batch.changes().is_empty() {
            return Ok(());
        }
        match self.commit(batch).await {
            Ok(()) | Err(CommitError::Changed(_)) => Ok(()),
            Err(CommitError::Storage(error)) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use wasmport_artifact::{Digest, RepositoryName};

    use super::*;

    #[tokio::test]
    async fn a_store_of_format_1_gets_its_holders() {
        let store = Store::in_memory();
        let (app, blob): (RepositoryName, _) = ("app".parse().unwrap(), Digest::of(b"blob"));
        let old = Batch::new().put(Key::grant(&app, &blob), r#"{"size":4,"uses":3}"#);
        store.write(old).await.unwrap();
        store.upgrade().await.unwrap();
        assert_eq!(store.granted(&app, &blob).await.unwrap(), Some(4));
        let holder = Key::holder(&blob, &app);
        assert!(store.records.get(&holder).await.unwrap().is_some());
        let grant = store.read_grant(&app, &blob).await.unwrap().unwrap();
        assert!(grant.since + 60 > now());
        store.upgrade().await.unwrap();
    }

    #[tokio::test]
    async fn a_store_of_a_newer_version_is_refused() {
        let store = Store::in_memory();
        let newer = Batch::new().put(Key::format(), r#"{"version":99}"#);
        store.write(newer).await.unwrap();
        let error = store.upgrade().await.unwrap_err().to_string();
        assert!(error.contains("format 99"), "{error}");
    }
}
