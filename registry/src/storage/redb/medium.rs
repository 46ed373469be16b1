//! What the database is written to, watched for failed syncs.
//!
//! After a failed `fsync` a system may forget what it could not write, while it goes on showing
//! it to whoever reads; the next `fsync` then succeeds and means nothing for it. So the file is
//! written anew, byte by byte the same, and synced, before it is used again.

use std::fs::File;
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use redb::{BackendError, Builder, Database, DatabaseError, StorageBackend};

use crate::storage::disk::Disk;
use crate::storage::records::CommitWatch;

/// How much is written anew at a time, in bytes.
const PIECE_BYTES: usize = 1024 * 1024;

#[derive(Debug)]
pub(super) struct Medium {
    path: PathBuf,
    disk: Arc<dyn Disk>,
    sync_failed: Arc<AtomicBool>,
    watch: WatchPlace,
}

/// Who is told how long syncs take.
type WatchPlace = Arc<OnceLock<Arc<dyn CommitWatch>>>;

#[derive(Debug)]
struct Watched {
    inner: Box<dyn StorageBackend>,
    sync_failed: Arc<AtomicBool>,
    watch: WatchPlace,
}

impl Medium {
    /// The file `path` on this disk.
    pub(super) fn new(path: &Path, disk: Arc<dyn Disk>) -> Self {
        Self {
            path: path.to_owned(),
            disk,
            sync_failed: Arc::default(),
            watch: Arc::default(),
        }
    }

    pub(super) fn watch(&self) -> &OnceLock<Arc<dyn CommitWatch>> {
        &self.watch
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the database, and makes it if it is not there. What a failed sync may have
    /// forgotten is written anew before.
    pub(super) fn open(&self, builder: &Builder) -> Result<Database, DatabaseError> {
        if !self.path.try_exists()? {
            self.create(builder)?;
        }
        if self.sync_failed.load(Ordering::SeqCst) {
            rewrite(&*self.backend(&self.path)?)?;
            self.sync_failed.store(false, Ordering::SeqCst);
        }
        builder.create_with_backend(Watched {
            inner: self.backend(&self.path)?,
            sync_failed: Arc::clone(&self.sync_failed),
            watch: Arc::clone(&self.watch),
        })
    }

    /// Makes an empty database under another name first: one that is made half way is none,
    /// and could never be opened.
    fn create(&self, builder: &Builder) -> Result<(), DatabaseError> {
        let passing = self.path.with_extension("new");
        match self.disk.remove(&passing) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let file = self.disk.create(&passing)?;
        let database = Watched {
            inner: Arc::clone(&self.disk).database(file)?,
            sync_failed: Arc::clone(&self.sync_failed),
            watch: Arc::clone(&self.watch),
        };
        drop(builder.create_with_backend(database)?);
        if self.sync_failed.swap(false, Ordering::SeqCst) {
            return Err(io::Error::other("the new database could not be synced").into());
        }
        self.disk.rename(&passing, &self.path)?;
        let directory = self
            .path
            .parent()
            .filter(|path| !path.as_os_str().is_empty());
        Ok(self
            .disk
            .sync_directory(directory.unwrap_or(Path::new(".")))?)
    }

    fn backend(&self, path: &Path) -> Result<Box<dyn StorageBackend>, DatabaseError> {
        let file = File::options().read(true).write(true).open(path)?;
        Arc::clone(&self.disk).database(file)
    }
}

fn rewrite(backend: &dyn StorageBackend) -> io::Result<()> {
    let length = backend.len()?;
    let mut piece = vec![0; PIECE_BYTES];
    let mut at = 0;
    while at < length {
        let wanted = usize::try_from(length - at).map_or(PIECE_BYTES, |left| left.min(PIECE_BYTES));
        let Some(part) = piece.get_mut(..wanted) else {
            break;
        };
        backend.read(at, part)?;
        backend.write(at, part)?;
        at += wanted as u64;
    }
    backend.sync_data()?;
    backend.close()
}

impl StorageBackend for Watched {
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.inner.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.inner.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        let begun = Instant::now();
        let synced = self.inner.sync_data().inspect_err(|_| {
            self.sync_failed.store(true, Ordering::SeqCst);
        });
        if let Some(watch) = self.watch.get() {
            watch.synced(begun.elapsed());
        }
        synced
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.inner.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.inner.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.inner.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.query_lock_range(start, end)
    }
}
