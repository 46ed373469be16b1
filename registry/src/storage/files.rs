//! Blobs in files: `blobs/sha256/ab/<hex>`, and `uploads/` for what is on its way.

mod blob;
mod layout;
mod listing;
mod pieces;
mod stage;

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::task::Poll;

use futures_util::future::{BoxFuture, FutureExt, ready};
use tokio::task::JoinError;
use wasmport_artifact::Digest;

use self::blob::FileBlob;
use self::layout::Layout;
use self::stage::FileStage;
use super::blobs::{Blobs, ListedBlob, ListedStage, OpenBlob, Stage};
use super::disk::{Disk, RealDisk};
use super::error::StorageError;
use super::stage_id::StageId;

pub(super) use self::layout::sync_directory;

/// Blobs as files in a directory, which one process at a time may use.
///
/// A blob is written to `uploads/`, synced, renamed to its place, and then the directories
/// that changed are synced.
#[derive(Clone, Debug)]
pub struct FileBlobs(Arc<Layout>);

impl FileBlobs {
    /// Opens the blobs in `directory`, and removes what uploads of an earlier run left that
    /// nobody can resume. Blocks.
    pub fn open(directory: &Path) -> Result<Self, StorageError> {
        Self::open_on(directory, Arc::new(RealDisk))
    }

    /// The same on another disk, for tests of what one that fails leaves.
    pub fn open_on(directory: &Path, disk: Arc<dyn Disk>) -> Result<Self, StorageError> {
        Ok(Self(Arc::new(Layout::open(directory, disk)?)))
    }

    fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(Arc<Layout>) -> Result<T, StorageError> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, StorageError>> {
        let layout = Arc::clone(&self.0);
        blocking(move || work(layout)).boxed()
    }
}

impl Blobs for FileBlobs {
    fn stage(&self) -> BoxFuture<'_, Result<Box<dyn Stage>, StorageError>> {
        self.blocking(|layout| Ok(Box::new(FileStage::create(layout)?) as Box<dyn Stage>))
    }

    fn resume<'a>(
        &'a self,
        id: &'a StageId,
        size: u64,
    ) -> BoxFuture<'a, Result<Option<Box<dyn Stage>>, StorageError>> {
        let id = id.clone();
        self.blocking(move |layout| {
            let resumed = FileStage::resume(layout, id, size)?;
            Ok(resumed.map(|stage| Box::new(stage) as Box<dyn Stage>))
        })
    }

    fn discard<'a>(&'a self, id: &'a StageId) -> BoxFuture<'a, Result<(), StorageError>> {
        let path = self.0.kept(id);
        self.blocking(move |layout| remove(layout.disk(), &path).map(drop))
    }

    fn stages<'a>(
        &'a self,
        after: Option<&'a StageId>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<ListedStage>, StorageError>> {
        let after = after.cloned();
        self.blocking(move |layout| listing::stages(&layout, after.as_ref(), limit))
    }

    fn open(
        &self,
        digest: &Digest,
    ) -> BoxFuture<'_, Result<Option<Box<dyn OpenBlob>>, StorageError>> {
        let path = self.0.blob(digest);
        if let Poll::Ready(opened) = open_cached(&path) {
            return ready(Ok(opened)).boxed();
        }
        self.blocking(move |_| open(&path))
    }

    fn delete(&self, digest: &Digest) -> BoxFuture<'_, Result<bool, StorageError>> {
        let path = self.0.blob(digest);
        self.blocking(move |layout| remove(layout.disk(), &path))
    }

    fn list(
        &self,
        after: Option<&Digest>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<ListedBlob>, StorageError>> {
        let after = after.cloned();
        self.blocking(move |layout| listing::blobs(&layout, after.as_ref(), limit))
    }
}

/// Opens a blob whose path the kernel knows already, or says that it is not there, which
/// does not block. Else it has to be tried in the ordinary way.
#[cfg(target_os = "linux")]
fn open_cached(path: &Path) -> Poll<Option<Box<dyn OpenBlob>>> {
    use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
    use rustix::io::Errno;
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    match openat2(CWD, path, flags, Mode::empty(), ResolveFlags::CACHED) {
        Ok(file) => {
            let file = fs::File::from(file);
            match file.metadata() {
                Ok(found) => Poll::Ready(Some(Box::new(FileBlob::new(file, found.len())))),
                Err(_) => Poll::Pending,
            }
        }
        Err(Errno::NOENT) => Poll::Ready(None),
        Err(_) => Poll::Pending,
    }
}

#[cfg(not(target_os = "linux"))]
fn open_cached(_: &Path) -> Poll<Option<Box<dyn OpenBlob>>> {
    Poll::Pending
}

fn open(path: &Path) -> Result<Option<Box<dyn OpenBlob>>, StorageError> {
    let failed = |error| StorageError::file("open", path, error);
    match fs::File::open(path) {
        Ok(file) => {
            let size = file.metadata().map_err(failed)?.len();
            Ok(Some(Box::new(FileBlob::new(file, size))))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

/// Removes a file. True when it was there.
fn remove(disk: &dyn Disk, path: &Path) -> Result<bool, StorageError> {
    match disk.remove(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(StorageError::file("remove", path, error)),
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StorageError> + Send + 'static,
) -> Result<T, StorageError> {
    joined(tokio::task::spawn_blocking(work).await)
}

fn joined<T>(done: Result<Result<T, StorageError>, JoinError>) -> Result<T, StorageError> {
    done.unwrap_or_else(|error| {
        Err(StorageError::Engine {
            action: "run a file operation".to_owned(),
            source: error.into(),
        })
    })
}
