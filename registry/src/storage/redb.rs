//! Records in one file, with the embedded database `redb`.

use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

use super::error::StorageError;
use super::keys::{Key, Prefix};
use super::records::{Batch, Change, CommitError, Record, Records, Version};

const RECORDS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("records");

/// Records in a `redb` database.
///
/// `redb` blocks, and so every operation runs on tokio's threads for blocking work. A commit
/// is synced before it returns. Only one process can have the file open.
#[derive(Clone, Debug)]
pub struct RedbRecords(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    /// `None` after a failed write: `redb` then refuses everything until it is opened anew,
    /// which the next operation does.
    database: RwLock<Option<Database>>,
}

impl RedbRecords {
    /// Opens the database in the file `path`, and makes it if it is not there. Blocks.
    pub fn open(path: &Path) -> Result<Self, StorageError> {
        let inner = Inner {
            path: path.to_owned(),
            database: RwLock::new(None),
        };
        inner.reopen()?;
        Ok(Self(Arc::new(inner)))
    }

    async fn blocking<T, E>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        let inner = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || work(&inner)).await;
        done.unwrap_or_else(|error| {
            Err(E::from(StorageError::Engine {
                action: "run a database operation".to_owned(),
                source: error.into(),
            }))
        })
    }
}

impl Records for RedbRecords {
    fn get(&self, key: &Key) -> BoxFuture<'_, Result<Option<Record>, StorageError>> {
        let key = key.clone();
        self.blocking(move |inner| inner.run("read a record", |database| read(database, &key)))
            .boxed()
    }

    fn list(
        &self,
        prefix: &Prefix,
        after: Option<&Key>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<(Key, Record)>, StorageError>> {
        let (prefix, after) = (prefix.clone(), after.cloned());
        self.blocking(move |inner| {
            inner.run("list records", |database| {
                list(database, &prefix, after.as_ref(), limit)
            })
        })
        .boxed()
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), CommitError>> {
        let changes = batch.into_changes();
        self.blocking(move |inner| {
            let refused = inner.run("write records", |database| apply(database, changes))?;
            refused.map_or(Ok(()), |key| Err(CommitError::Changed(key)))
        })
        .boxed()
    }
}

impl Inner {
    /// Runs `work` on the database, which is opened anew if the last write to it failed.
    fn run<T>(
        &self,
        action: &str,
        work: impl FnOnce(&Database) -> Result<T, redb::Error>,
    ) -> Result<T, StorageError> {
        if self.is_closed() {
            self.reopen()?;
        }
        let result = {
            let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
            database
                .as_ref()
                .map_or(Err(redb::Error::DatabaseClosed), work)
        };
        result.map_err(|error| {
            let io = matches!(error, redb::Error::Io(_) | redb::Error::PreviousIo);
            if io {
                *self
                    .database
                    .write()
                    .unwrap_or_else(PoisonError::into_inner) = None;
            }
            self.error(action, error)
        })
    }

    fn is_closed(&self) -> bool {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        database.is_none()
    }

    fn reopen(&self) -> Result<(), StorageError> {
        let mut database = self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if database.is_none() {
            let opened = open(&self.path).map_err(|error| self.error("open the store", error))?;
            *database = Some(opened);
        }
        Ok(())
    }

    fn error(&self, action: &str, error: redb::Error) -> StorageError {
        let action = format!("{action} in `{}`", self.path.display());
        match error {
            redb::Error::DatabaseAlreadyOpen => {
                let store = self.path.parent().unwrap_or(&self.path);
                StorageError::InUse(store.display().to_string())
            }
            redb::Error::Io(error) => StorageError::io(action, error),
            other => StorageError::Engine {
                action,
                source: other.into(),
            },
        }
    }
}

/// Opens the file and makes sure that the table is there, so that reading never has to ask.
fn open(path: &Path) -> Result<Database, redb::Error> {
    let database = Database::create(path)?;
    let transaction = database.begin_write()?;
    transaction.open_table(RECORDS)?;
    transaction.commit()?;
    Ok(database)
}

fn read(database: &Database, key: &Key) -> Result<Option<Record>, redb::Error> {
    let table = database.begin_read()?.open_table(RECORDS)?;
    Ok(table.get(key.as_str())?.map(|value| record(value.value())))
}

fn list(
    database: &Database,
    prefix: &Prefix,
    after: Option<&Key>,
    limit: usize,
) -> Result<Vec<(Key, Record)>, redb::Error> {
    let first = prefix.as_str();
    let from = match after.map(Key::as_str) {
        Some(after) if after >= first => Bound::Excluded(after),
        _ => Bound::Included(first),
    };
    let table = database.begin_read()?.open_table(RECORDS)?;
    let mut found = Vec::new();
    for entry in table.range::<&str>((from, Bound::Unbounded))?.take(limit) {
        let (key, value) = entry?;
        if !key.value().starts_with(first) {
            break;
        }
        found.push((
            Key::from_stored(key.value().to_owned()),
            record(value.value()),
        ));
    }
    Ok(found)
}

/// Applies the changes in one transaction, or gives the key whose expectation was not met.
fn apply(database: &Database, changes: Vec<Change>) -> Result<Option<Key>, redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut table = transaction.open_table(RECORDS)?;
        for change in &changes {
            let current = table.get(change.key.as_str())?;
            let version = current.map(|value| record(value.value()).version);
            if !change.expect.is_met_by(version.as_ref()) {
                return Ok(Some(change.key.clone()));
            }
        }
        for change in changes {
            match change.value {
                Some(value) => table.insert(change.key.as_str(), value.as_ref())?,
                None => table.remove(change.key.as_str())?,
            };
        }
    }
    transaction.commit()?;
    Ok(None)
}

fn record(value: &[u8]) -> Record {
    let value = Bytes::copy_from_slice(value);
    Record {
        version: Version(value.clone()),
        value,
    }
}
