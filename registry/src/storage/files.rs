//! Blobs in files: `blobs/sha256/ab/<hex>`, and `uploads/` for what is on its way.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{self, BoxStream, StreamExt};
use tempfile::TempPath;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use wasmport_artifact::{Algorithm, Digest};

use super::blobs::{Blobs, OpenBlob, Stage};
use super::error::StorageError;

/// How much of a blob is in memory while it is sent, in bytes. Larger pieces were no faster.
const PIECE_BYTES: usize = 256 * 1024;

/// What the names in `uploads/` begin with. Nothing else there is ever removed, should the
/// store have been put into a directory that had one already.
const PREFIX: &str = "upload-";

/// Blobs as files in a directory, which one process at a time may use.
///
/// A blob is written to `uploads/`, synced, renamed to its place, and then the directories
/// that changed are synced.
#[derive(Clone, Debug)]
pub struct FileBlobs {
    directory: Arc<Path>,
}

impl FileBlobs {
    /// Opens the blobs in `directory`, and removes what uploads of an earlier run left. Blocks.
    pub fn open(directory: &Path) -> Result<Self, StorageError> {
        let uploads = directory.join("uploads");
        fs::create_dir_all(&uploads)
            .map_err(|error| StorageError::file("create", &uploads, error))?;
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            create_shards(&directory.join("blobs").join(algorithm.name()))?;
        }
        sync_directory(&directory.join("blobs"))?;
        remove_leftovers(&uploads).map_err(|error| StorageError::file("clear", &uploads, error))?;
        sync_directory(directory)?;
        Ok(Self {
            directory: directory.into(),
        })
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        let hex = digest.hex();
        let shard: String = hex.chars().take(2).collect();
        let blobs = self.directory.join("blobs");
        blobs.join(digest.algorithm().name()).join(shard).join(hex)
    }
}

impl Blobs for FileBlobs {
    fn stage(&self) -> BoxFuture<'_, Result<Box<dyn Stage>, StorageError>> {
        let uploads = self.directory.join("uploads");
        let blobs = self.clone();
        async move {
            let (file, path) = blocking(move || {
                let file = tempfile::Builder::new()
                    .prefix(PREFIX)
                    .tempfile_in(&uploads);
                let file = file.map_err(|error| StorageError::file("write to", &uploads, error))?;
                Ok(file.into_parts())
            })
            .await?;
            let file = File::from_std(file);
            Ok(Box::new(FileStage { file, path, blobs }) as Box<dyn Stage>)
        }
        .boxed()
    }

    fn open(
        &self,
        digest: &Digest,
    ) -> BoxFuture<'_, Result<Option<Box<dyn OpenBlob>>, StorageError>> {
        let path = self.path(digest);
        async move {
            let opened = blocking({
                let path = path.clone();
                move || match fs::File::open(&path) {
                    Ok(file) => {
                        let size = file.metadata().map(|metadata| metadata.len());
                        Ok(Some(size.map(|size| (file, size))))
                    }
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                    Err(error) => Ok(Some(Err(error))),
                }
            })
            .await?
            .transpose()
            .map_err(|error| StorageError::file("open", &path, error))?;
            Ok(opened.map(|(file, size)| {
                let file = File::from_std(file);
                Box::new(FileBlob { file, size }) as Box<dyn OpenBlob>
            }))
        }
        .boxed()
    }
}

/// A file in `uploads/`, which is removed when this is dropped.
#[derive(Debug)]
struct FileStage {
    file: File,
    path: TempPath,
    blobs: FileBlobs,
}

impl Stage for FileStage {
    fn append(&mut self, bytes: Bytes) -> BoxFuture<'_, Result<(), StorageError>> {
        async move {
            let written = self.file.write_all(&bytes).await;
            written.map_err(|error| StorageError::file("write to", &self.path, error))
        }
        .boxed()
    }

    fn publish(
        mut self: Box<Self>,
        digest: Digest,
    ) -> BoxFuture<'static, Result<(), StorageError>> {
        async move {
            // The last write is still under way; its error shows here.
            let flushed = self.file.flush().await;
            flushed.map_err(|error| StorageError::file("write to", &self.path, error))?;
            let FileStage { file, path, blobs } = *self;
            let file = file.into_std().await;
            blocking(move || blobs.publish(&file, path, &digest)).await
        }
        .boxed()
    }
}

impl FileBlobs {
    fn publish(
        &self,
        file: &fs::File,
        staged: TempPath,
        digest: &Digest,
    ) -> Result<(), StorageError> {
        file.sync_all()
            .map_err(|error| StorageError::file("sync", &staged, error))?;
        let path = self.path(digest);
        let shard = path.parent().unwrap_or(&path);
        // Over a blob that is there already this changes nothing, and the other upload may
        // not have synced the directory yet.
        staged
            .persist(&path)
            .map_err(|error| StorageError::file("move a blob to", &path, error.error))?;
        sync_directory(shard)
    }
}

/// Makes the directories that blobs will be in, all at once: a blob that is stored later
/// then changes one directory only, and only that one has to be synced.
fn create_shards(directory: &Path) -> Result<(), StorageError> {
    for first_byte in 0..=u8::MAX {
        let shard = directory.join(format!("{first_byte:02x}"));
        fs::create_dir_all(&shard).map_err(|error| StorageError::file("create", &shard, error))?;
    }
    sync_directory(directory)
}

struct FileBlob {
    file: File,
    size: u64,
}

impl OpenBlob for FileBlob {
    fn size(&self) -> u64 {
        self.size
    }

    fn stream(self: Box<Self>, range: Range<u64>) -> BoxStream<'static, io::Result<Bytes>> {
        let start = async move {
            let mut file = self.file;
            if range.start > 0 {
                file.seek(io::SeekFrom::Start(range.start)).await?;
            }
            file.set_max_buf_size(PIECE_BYTES);
            let left = range.end.saturating_sub(range.start);
            Ok(stream::try_unfold((file, left), |(file, left)| {
                read_piece(file, left)
            }))
        };
        stream::once(start)
            .flat_map(|started: io::Result<_>| match started {
                Ok(pieces) => pieces.boxed(),
                Err(error) => stream::iter([Err(error)]).boxed(),
            })
            .boxed()
    }
}

async fn read_piece(mut file: File, left: u64) -> io::Result<Option<(Bytes, (File, u64))>> {
    if left == 0 {
        return Ok(None);
    }
    let wanted = usize::try_from(left).map_or(PIECE_BYTES, |left| left.min(PIECE_BYTES));
    let mut piece = BytesMut::with_capacity(wanted);
    let read = (&mut file).take(wanted as u64).read_buf(&mut piece).await?;
    if read == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some((piece.freeze(), (file, left - read as u64))))
}

fn remove_leftovers(uploads: &Path) -> io::Result<()> {
    for entry in fs::read_dir(uploads)? {
        let entry = entry?;
        let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if is_ours && entry.file_type()?.is_file() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Makes renames in a directory survive a loss of power. Only unix can open directories, and
/// elsewhere the file system does it by itself.
pub(super) fn sync_directory(path: &Path) -> Result<(), StorageError> {
    if !cfg!(unix) {
        return Ok(());
    }
    let synced = fs::File::open(path).and_then(|directory| directory.sync_all());
    synced.map_err(|error| StorageError::file("sync", path, error))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StorageError> + Send + 'static,
) -> Result<T, StorageError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| {
        Err(StorageError::Engine {
            action: "run a file operation".to_owned(),
            source: error.into(),
        })
    })
}
