//! Where the files are, and how a directory survives a loss of power.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use wasmport_artifact::{Algorithm, Digest};

use crate::storage::error::StorageError;
use crate::storage::stage_id::StageId;

/// What the name of a stage begins with until it is synced. Such a file belongs to a process
/// that is gone or to a request that is under way.
const PASSING: &str = "upload-";

/// What the name of a stage begins with from then on.
const KEPT: &str = "session-";

/// `blobs/<algorithm>/<two digits>/<hex>`, and `uploads/` for what is on its way.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    blobs: PathBuf,
    uploads: PathBuf,
}

impl Layout {
    /// Makes the directories that are missing, and removes the stages that nobody can resume.
    pub(super) fn open(directory: &Path) -> Result<Self, StorageError> {
        let layout = Self {
            blobs: directory.join("blobs"),
            uploads: directory.join("uploads"),
        };
        let uploads = &layout.uploads;
        fs::create_dir_all(uploads)
            .map_err(|error| StorageError::file("create", uploads, error))?;
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            create_shards(&layout.blobs.join(algorithm.name()))?;
        }
        sync_directory(&layout.blobs)?;
        remove_leftovers(uploads).map_err(|error| StorageError::file("clear", uploads, error))?;
        sync_directory(directory)?;
        Ok(layout)
    }

    /// Where a blob is.
    pub(super) fn blob(&self, digest: &Digest) -> PathBuf {
        let shard: String = digest.hex().chars().take(2).collect();
        self.shard(digest.algorithm(), &shard).join(digest.hex())
    }

    /// A directory of blobs whose digests begin alike.
    pub(super) fn shard(&self, algorithm: Algorithm, shard: &str) -> PathBuf {
        self.blobs.join(algorithm.name()).join(shard)
    }

    /// Where stages are.
    pub(super) fn uploads(&self) -> &Path {
        &self.uploads
    }

    /// Where a stage is that was not synced yet.
    pub(super) fn passing(&self, id: &StageId) -> PathBuf {
        self.uploads.join(format!("{PASSING}{id}"))
    }

    /// Where a stage is that was.
    pub(super) fn kept(&self, id: &StageId) -> PathBuf {
        self.uploads.join(format!("{KEPT}{id}"))
    }

    /// The identifier in the name of a stage that was synced.
    pub(super) fn kept_id(name: &str) -> Option<StageId> {
        name.strip_prefix(KEPT)?.to_owned().try_into().ok()
    }
}

/// Makes the directories that blobs will be in, all at once: a blob that is stored later
/// then changes one directory only, and only that one has to be synced.
fn create_shards(directory: &Path) -> Result<(), StorageError> {
    fs::create_dir_all(directory)
        .map_err(|error| StorageError::file("create", directory, error))?;
    for first_byte in 0..=u8::MAX {
        let shard = directory.join(format!("{first_byte:02x}"));
        fs::create_dir_all(&shard).map_err(|error| StorageError::file("create", &shard, error))?;
    }
    sync_directory(directory)
}

/// Nothing but what is named like a stage is removed, should the store have been put into a
/// directory that had an `uploads` already.
fn remove_leftovers(uploads: &Path) -> io::Result<()> {
    for entry in fs::read_dir(uploads)? {
        let entry = entry?;
        let is_ours = entry.file_name().to_string_lossy().starts_with(PASSING);
        if is_ours && entry.file_type()?.is_file() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Makes renames in a directory survive a loss of power. Only unix can open directories, and
/// elsewhere the file system does it by itself.
pub(in crate::storage) fn sync_directory(path: &Path) -> Result<(), StorageError> {
    if !cfg!(unix) {
        return Ok(());
    }
    let synced = fs::File::open(path).and_then(|directory| directory.sync_all());
    synced.map_err(|error| StorageError::file("sync", path, error))
}
