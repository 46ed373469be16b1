//! The database file: opened, read, written in one transaction, and opened anew after a failure.

use std::fmt;
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use redb::{Builder, Database, ReadableDatabase, ReadableTable, Table, TableDefinition};
use serde::{Deserialize, Serialize};
use tracing::warn;

use super::medium::Medium;
use crate::settings::ByteSize;
use crate::storage::error::StorageError;
use crate::storage::keys::{Key, Prefix};
use crate::storage::records::{Change, CommitWatch, Record, Version};

const RECORDS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("records");

/// `[store.records]`: how the database of the records works.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RedbSettings {
    /// How much of the database is kept in memory. Default: `"24 MiB"`, since what is read
    /// often is in the caches above, and the system caches the file's pages.
    pub cache: ByteSize,
    /// Whether every commit writes what makes the database open at once after a crash. It
    /// then costs two syncs instead of one. Default: `false`: that is written whenever
    /// nothing was committed for half a second, and only after a crash under load the whole
    /// database is read once, about a second for each 300 MB.
    pub quick_repair: bool,
}

impl Default for RedbSettings {
    fn default() -> Self {
        Self {
            cache: ByteSize::mib(24),
            quick_repair: false,
        }
    }
}

/// The database in one file.
pub(super) struct RecordsFile {
    medium: Medium,
    settings: RedbSettings,
    repairs: Arc<AtomicU64>,
    /// `None` after a failed write: `redb` then refuses everything until it is opened anew,
    /// which the next operation does.
    database: RwLock<Option<Database>>,
}

/// What became of each batch in a transaction: applied, or refused for this key.
pub(super) type Outcomes = Vec<Result<(), Key>>;

impl RecordsFile {
    pub(super) fn open(settings: &RedbSettings, medium: Medium) -> Result<Self, StorageError> {
        let file = Self {
            medium,
            settings: settings.clone(),
            repairs: Arc::default(),
            database: RwLock::new(None),
        };
        let opened = file.reopen();
        opened.map_err(|error| file.error("open the store", Arc::new(error)))?;
        Ok(file)
    }

    /// Tells `watch` of each transaction from now on, unless somebody is told already.
    pub(super) fn watch(&self, watch: Arc<dyn CommitWatch>) {
        let _told_already = self.medium.watch().set(watch);
    }

    /// Who is told, if anyone is.
    pub(super) fn watcher(&self) -> Option<&Arc<dyn CommitWatch>> {
        self.medium.watch().get()
    }

    pub(super) fn get(&self, key: &Key) -> Result<Option<Record>, StorageError> {
        self.read("read a record", |database| get(database, key))
    }

    pub(super) fn list(
        &self,
        prefix: &Prefix,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Record)>, StorageError> {
        self.read("list records", |database| {
            list(database, prefix, after, limit)
        })
    }

    /// Applies or refuses each batch on its own, in one transaction that is synced once. The
    /// later ones see what the earlier ones changed. After an error nothing can be said of
    /// any of them.
    pub(super) fn write(&self, batches: &[Vec<Change>]) -> Result<Outcomes, Arc<redb::Error>> {
        self.change(|database| write(database, batches, self.settings.quick_repair))
    }

    /// Writes what makes the database open at once after a crash.
    pub(super) fn checkpoint(&self) -> Result<(), Arc<redb::Error>> {
        if self.settings.quick_repair {
            return Ok(());
        }
        self.change(|database| {
            let mut transaction = database.begin_write()?;
            transaction.set_quick_repair(true);
            Ok(transaction.commit()?)
        })
    }

    /// How often the database had to be read in whole when it was opened.
    pub(super) fn repairs(&self) -> u64 {
        self.repairs.load(Ordering::Relaxed)
    }

    /// Lets go of the database; the next operation opens it.
    pub(super) fn close(&self) {
        *self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(super) fn error(&self, action: &str, error: Arc<redb::Error>) -> StorageError {
        let path = self.medium.path();
        let action = format!("{action} in `{}`", path.display());
        match &*error {
            redb::Error::DatabaseAlreadyOpen => {
                let store = path.parent().unwrap_or(path);
                StorageError::InUse(store.display().to_string())
            }
            redb::Error::Io(io) if StorageError::is_full(io) => StorageError::Full(error.into()),
            _ => StorageError::Engine {
                action,
                source: error.into(),
            },
        }
    }

    fn change<T>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, redb::Error>,
    ) -> Result<T, Arc<redb::Error>> {
        self.with(work).map_err(|error| {
            self.close();
            Arc::new(error)
        })
    }

    fn read<T>(
        &self,
        action: &str,
        work: impl FnOnce(&Database) -> Result<T, redb::Error>,
    ) -> Result<T, StorageError> {
        self.with(work).map_err(|error| {
            if matches!(error, redb::Error::Io(_) | redb::Error::PreviousIo) {
                self.close();
            }
            self.error(action, Arc::new(error))
        })
    }

    fn with<T>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, redb::Error>,
    ) -> Result<T, redb::Error> {
        if self.is_closed() {
            self.reopen()?;
        }
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        database
            .as_ref()
            .map_or(Err(redb::Error::DatabaseClosed), work)
    }

    fn is_closed(&self) -> bool {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        database.is_none()
    }

    fn builder(&self) -> Builder {
        let mut builder = Database::builder();
        builder.set_cache_size(self.settings.cache.to_usize());
        let count = Arc::clone(&self.repairs);
        builder.set_repair_callback(move |session| {
            // It is called several times for one repair.
            if session.progress() == 0.0 {
                warn!("the records were not closed cleanly, and are read in whole once");
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        builder
    }

    /// Opens the file and makes sure that the table is there, so that reading never has to ask.
    fn reopen(&self) -> Result<(), redb::Error> {
        let mut database = self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if database.is_none() {
            let opened = self.medium.open(&self.builder())?;
            let has_table = opened.begin_read()?.open_table(RECORDS).is_ok();
            if !has_table {
                let transaction = opened.begin_write()?;
                transaction.open_table(RECORDS)?;
                transaction.commit()?;
            }
            *database = Some(opened);
        }
        Ok(())
    }
}

impl fmt::Debug for RecordsFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("RecordsFile");
        debug.field("medium", &self.medium).finish_non_exhaustive()
    }
}

fn get(database: &Database, key: &Key) -> Result<Option<Record>, redb::Error> {
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

fn write(
    database: &Database,
    batches: &[Vec<Change>],
    quick_repair: bool,
) -> Result<Outcomes, redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_quick_repair(quick_repair);
    let mut outcomes = Vec::with_capacity(batches.len());
    {
        let mut table = transaction.open_table(RECORDS)?;
        for batch in batches {
            outcomes.push(match first_unmet(&table, batch)? {
                Some(key) => Err(key.clone()),
                None => Ok(apply(&mut table, batch)?),
            });
        }
    }
    if outcomes.iter().any(Result::is_ok) {
        transaction.commit()?;
    } else {
        transaction.abort()?;
    }
    Ok(outcomes)
}

/// The first key whose expectation is not met.
fn first_unmet<'a>(
    table: &Table<'_, &str, &[u8]>,
    batch: &'a [Change],
) -> Result<Option<&'a Key>, redb::Error> {
    for change in batch {
        let current = table.get(change.key.as_str())?;
        let version = current.map(|value| record(value.value()).version);
        if !change.expect.is_met_by(version.as_ref()) {
            return Ok(Some(&change.key));
        }
    }
    Ok(None)
}

fn apply(table: &mut Table<'_, &str, &[u8]>, batch: &[Change]) -> Result<(), redb::Error> {
    for change in batch {
        match &change.value {
            Some(value) => table.insert(change.key.as_str(), value.as_ref())?,
            None => table.remove(change.key.as_str())?,
        };
    }
    Ok(())
}

fn record(value: &[u8]) -> Record {
    let value = Bytes::copy_from_slice(value);
    Record {
        version: Version(value.clone()),
        value,
    }
}
