//! A file in `uploads/`, on its way to be a blob.

use std::fs;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt};
use tokio::task::JoinHandle;
use wasmport_artifact::Digest;

use super::blob::FileBlob;
use super::layout::Layout;
use super::{blocking, joined};
use crate::storage::blobs::{OpenBlob, Pieces, Stage};
use crate::storage::error::StorageError;
use crate::storage::stage_id::StageId;

/// A file that is removed when this is dropped, unless it was synced.
#[derive(Debug)]
pub(super) struct FileStage {
    id: StageId,
    layout: Arc<Layout>,
    file: Arc<fs::File>,
    size: u64,
    /// True once it has been synced, and so has the name that is kept.
    kept: bool,
    /// The piece that is being written. There is one at most, so that the next one can
    /// arrive and be hashed meanwhile, and the memory stays bounded.
    writing: Option<JoinHandle<io::Result<()>>>,
}

impl FileStage {
    /// Makes an empty one. Blocks.
    pub(super) fn create(layout: Arc<Layout>) -> Result<Self, StorageError> {
        let id = StageId::random()?;
        let path = layout.passing(&id);
        let made = layout.disk().create(&path);
        let file = made.map_err(|error| StorageError::file("write to", &path, error))?;
        Ok(Self {
            id,
            layout,
            file: Arc::new(file),
            size: 0,
            kept: false,
            writing: None,
        })
    }

    /// Opens one that was synced, and cuts off what came after its first `size` bytes. Blocks.
    pub(super) fn resume(
        layout: Arc<Layout>,
        id: StageId,
        size: u64,
    ) -> Result<Option<Self>, StorageError> {
        let path = layout.kept(&id);
        let failed = |error| StorageError::file("resume", &path, error);
        let Some(mut file) = open(&path).map_err(failed)? else {
            return Ok(None);
        };
        let metadata = file.metadata().map_err(failed)?;
        if metadata.len() < size {
            return Ok(None);
        }
        if is_published(&metadata) {
            file = copy(&layout, &file, &id, size).map_err(failed)?;
            layout.sync_directory(layout.uploads())?;
        }
        layout.disk().set_len(&file, size).map_err(failed)?;
        file.seek(io::SeekFrom::Start(size)).map_err(failed)?;
        Ok(Some(Self {
            id,
            layout,
            file: Arc::new(file),
            size,
            kept: true,
            writing: None,
        }))
    }

    fn path(&self) -> PathBuf {
        if self.kept {
            return self.layout.kept(&self.id);
        }
        self.layout.passing(&self.id)
    }

    /// Waits until what was appended is in the file.
    async fn settle(&mut self) -> Result<(), StorageError> {
        let Some(writing) = &mut self.writing else {
            return Ok(());
        };
        let written = writing.await;
        self.writing = None;
        let written = written.unwrap_or_else(|error| Err(io::Error::other(error)));
        written.map_err(|error| StorageError::file("write to", &self.path(), error))
    }
}

impl Stage for FileStage {
    fn id(&self) -> &StageId {
        &self.id
    }

    fn append(&mut self, bytes: Bytes) -> BoxFuture<'_, Result<(), StorageError>> {
        async move {
            self.settle().await?;
            self.size += bytes.len() as u64;
            let file = Arc::clone(&self.file);
            let layout = Arc::clone(&self.layout);
            let write = move || layout.disk().write(&file, &bytes);
            self.writing = Some(tokio::task::spawn_blocking(write));
            Ok(())
        }
        .boxed()
    }

    fn sync(&mut self) -> BoxFuture<'_, Result<(), StorageError>> {
        async move {
            self.settle().await?;
            let (file, layout) = (Arc::clone(&self.file), Arc::clone(&self.layout));
            let (id, is_new) = (self.id.clone(), !self.kept);
            let synced = blocking(move || {
                let passing = layout.passing(&id);
                let synced = layout.disk().sync(&file);
                synced.map_err(|error| StorageError::file("sync", &passing, error))?;
                if is_new {
                    let kept = layout.disk().rename(&passing, &layout.kept(&id));
                    kept.map_err(|error| StorageError::file("keep", &passing, error))?;
                    layout.sync_directory(layout.uploads())?;
                }
                Ok(())
            });
            synced.await?;
            self.kept = true;
            Ok(())
        }
        .boxed()
    }

    fn read(&mut self) -> BoxFuture<'_, Result<Pieces, StorageError>> {
        async move {
            self.settle().await?;
            let (path, size) = (self.path(), self.size);
            let file = blocking(move || {
                let opened = fs::File::open(&path);
                opened.map_err(|error| StorageError::file("open", &path, error))
            });
            let blob = Box::new(FileBlob::new(file.await?, size));
            Ok(blob.stream(0..size))
        }
        .boxed()
    }

    fn publish(
        mut self: Box<Self>,
        digest: Digest,
    ) -> BoxFuture<'static, Result<(), StorageError>> {
        async move {
            self.settle().await?;
            joined(tokio::task::spawn_blocking(move || self.publish_file(&digest)).await)
        }
        .boxed()
    }
}

impl FileStage {
    /// Syncs the file, gives it its name among the blobs, and syncs that. Over a blob that is
    /// there already this changes nothing, and the other upload may not have synced the
    /// directory yet; what was damaged is made whole.
    fn publish_file(mut self, digest: &Digest) -> Result<(), StorageError> {
        let path = self.path();
        let disk = self.layout.disk();
        let synced = disk.sync(&self.file);
        synced.map_err(|error| StorageError::file("sync", &path, error))?;
        let blob = self.layout.blob(digest);
        let shard = blob.parent().unwrap_or(&blob).to_owned();
        let moved = if self.kept {
            // It keeps its own name too, until who wrote that down has taken it back.
            let passing = self.layout.passing(&self.id);
            // An attempt that failed may have left it.
            let _ = disk.remove(&passing);
            disk.link(&path, &passing)
                .and_then(|()| disk.rename(&passing, &blob))
        } else {
            disk.rename(&path, &blob)
        };
        moved.map_err(|error| StorageError::file("move a blob to", &blob, error))?;
        // Nothing is left to be removed.
        self.kept = true;
        self.layout.sync_directory(&shard)
    }
}

impl Drop for FileStage {
    fn drop(&mut self) {
        if !self.kept {
            // Should it fail, the file is removed at the next start.
            let _ = self.layout.disk().remove(&self.path());
        }
    }
}

fn open(path: &Path) -> io::Result<Option<fs::File>> {
    match fs::File::options().read(true).write(true).open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// True when the file is a blob already: the process ended after that, and before the stage
/// was discarded. A blob must never be written to.
fn is_published(metadata: &fs::Metadata) -> bool {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::nlink(metadata) > 1;
    #[cfg(not(unix))]
    return true;
}

/// Puts a copy of the first `size` bytes into the place of a stage.
fn copy(layout: &Layout, file: &fs::File, id: &StageId, size: u64) -> io::Result<fs::File> {
    let (disk, passing) = (layout.disk(), layout.passing(id));
    // An attempt that failed may have left it.
    let _ = disk.remove(&passing);
    let copy = disk.create(&passing)?;
    let mut rest = file.take(size);
    let mut piece = vec![0; 64 * 1024];
    loop {
        let length = rest.read(&mut piece)?;
        let Some(read) = piece.get(..length).filter(|read| !read.is_empty()) else {
            break;
        };
        disk.write(&copy, read)?;
    }
    disk.sync(&copy)?;
    disk.rename(&passing, &layout.kept(id))?;
    Ok(copy)
}
