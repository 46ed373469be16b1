//! Files of this machine: read in pieces, or written as a whole or not at all.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, stream};
use oci_client::errors::OciDistributionError;
use tempfile::{NamedTempFile, TempPath};
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;
use wasmport_artifact::Descriptor;

use crate::error::Failure;

/// How much is read at a time.
const PIECE_BYTES: usize = 256 * 1024;

/// A file that is about to be sent.
pub(crate) struct FileSource {
    file: File,
    path: PathBuf,
    trouble: Trouble,
}

/// What went wrong while a file was read, since a stream's error gets lost on its way
/// through the HTTP client.
#[derive(Clone, Default)]
pub(crate) struct Trouble(Arc<Mutex<Option<Failure>>>);

impl Trouble {
    pub(crate) fn take(&self) -> Option<Failure> {
        self.0.lock().ok().and_then(|mut failure| failure.take())
    }

    fn put(&self, failure: Failure) {
        if let Ok(mut slot) = self.0.lock() {
            *slot = Some(failure);
        }
    }
}

impl FileSource {
    /// Opens a file that must be as large as its descriptor says.
    pub(crate) async fn open(path: &Path, descriptor: &Descriptor) -> Result<Self, Failure> {
        let failed = |source| unreadable(path, source);
        let file = File::open(path).await.map_err(failed)?;
        let got = file.metadata().await.map_err(failed)?.len();
        if got != descriptor.size {
            let (path, expected) = (path.to_owned(), descriptor.size);
            return Err(Failure::OtherFile {
                path,
                expected,
                got,
            });
        }
        Ok(Self {
            file,
            path: path.to_owned(),
            trouble: Trouble::default(),
        })
    }

    pub(crate) fn trouble(&self) -> Trouble {
        self.trouble.clone()
    }

    /// The pieces of the file.
    pub(crate) fn into_stream(
        self,
    ) -> impl Stream<Item = Result<Bytes, OciDistributionError>> + Send {
        stream::try_unfold(self, async |mut source| {
            let mut piece = BytesMut::with_capacity(PIECE_BYTES);
            match source.file.read_buf(&mut piece).await {
                Ok(0) => Ok(None),
                Ok(_) => Ok(Some((piece.freeze(), source))),
                Err(error) => {
                    let copy = std::io::Error::new(error.kind(), error.to_string());
                    source.trouble.put(unreadable(&source.path, error));
                    Err(copy.into())
                }
            }
        })
    }
}

/// A file without its name, which disappears unless it is finished.
pub(crate) struct Incomplete {
    file: File,
    path: TempPath,
}

/// A file that is whole and on disk, but still without its name.
pub(crate) struct Complete(TempPath);

impl Incomplete {
    /// A new temporary file in the directory of `destination`, where it can be renamed.
    pub(crate) fn beside(destination: &Path) -> Result<Self, Failure> {
        let failed = |source| unwritable(destination, source);
        let mut builder = tempfile::Builder::new();
        builder.prefix(".wasmport-").suffix(".part");
        // As an ordinary new file: the umask takes away what it does everywhere.
        #[cfg(unix)]
        let builder = {
            use std::os::unix::fs::PermissionsExt as _;
            builder.permissions(std::fs::Permissions::from_mode(0o666))
        };
        let file: NamedTempFile = builder
            .tempfile_in(directory(destination))
            .map_err(failed)?;
        let (file, path) = file.into_parts();
        let file = File::from_std(file);
        Ok(Self { file, path })
    }

    pub(crate) fn writer(&mut self) -> &mut File {
        &mut self.file
    }

    /// Waits until the bytes are on disk.
    pub(crate) async fn finish(self, destination: &Path) -> Result<Complete, Failure> {
        let synced = self.file.sync_all().await;
        synced.map_err(|source| unwritable(destination, source))?;
        Ok(Complete(self.path))
    }
}

/// Gives a complete file its name, and waits until the name is on disk too.
pub(crate) async fn put(complete: Complete, destination: PathBuf) -> Result<(), Failure> {
    let rename = move || {
        let renamed = complete
            .0
            .persist(&destination)
            .map_err(|error| error.error);
        let synced = renamed.and_then(|()| sync_directory(directory(&destination)));
        synced.map_err(|source| unwritable(&destination, source))
    };
    let stopped = |_| Failure::Protocol("the file system call was stopped".to_owned());
    tokio::task::spawn_blocking(rename).await.map_err(stopped)?
}

pub(crate) fn unwritable(path: &Path, source: std::io::Error) -> Failure {
    let (path, verb) = (path.to_owned(), "written");
    Failure::Io { path, verb, source }
}

fn unreadable(path: &Path, source: std::io::Error) -> Failure {
    let (path, verb) = (path.to_owned(), "read");
    Failure::Io { path, verb, source }
}

fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// A rename is on disk when its directory is. Only Unix lets us ask for that.
fn sync_directory(directory: &Path) -> std::io::Result<()> {
    if cfg!(unix) {
        std::fs::File::open(directory)?.sync_all()?;
    }
    Ok(())
}
