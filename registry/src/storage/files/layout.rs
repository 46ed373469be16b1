//! Where the files are, and how a directory survives a loss of power.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wasmport_artifact::{Algorithm, Digest};

use crate::storage::disk::{Disk, RealDisk};
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
    disk: Arc<dyn Disk>,
}

impl Layout {
    /// Makes the directories that are missing, and removes the stages that nobody can resume.
    pub(super) fn open(directory: &Path, disk: Arc<dyn Disk>) -> Result<Self, StorageError> {
        let layout = Self {
            blobs: directory.join("blobs"),
            uploads: directory.join("uploads"),
            disk,
        };
        let (uploads, disk) = (&layout.uploads, &*layout.disk);
        disk.create_directory(uploads)
            .map_err(|error| StorageError::file("create", uploads, error))?;
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            create_shards(disk, &layout.blobs.join(algorithm.name()))?;
        }
        layout.sync_directory(&layout.blobs)?;
        remove_leftovers(disk, uploads)
            .map_err(|error| StorageError::file("clear", uploads, error))?;
        layout.sync_directory(directory)?;
        Ok(layout)
    }

    /// What writes.
    pub(super) fn disk(&self) -> &dyn Disk {
        &*self.disk
    }

    /// Makes the names in a directory survive the loss of power.
    pub(super) fn sync_directory(&self, path: &Path) -> Result<(), StorageError> {
        sync_directory_on(&*self.disk, path)
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
fn create_shards(disk: &dyn Disk, directory: &Path) -> Result<(), StorageError> {
    disk.create_directory(directory)
        .map_err(|error| StorageError::file("create", directory, error))?;
    for first_byte in 0..=u8::MAX {
        let shard = directory.join(format!("{first_byte:02x}"));
        disk.create_directory(&shard)
            .map_err(|error| StorageError::file("create", &shard, error))?;
    }
    sync_directory_on(disk, directory)
}

/// Nothing but what is named like a stage is removed, should the store have been put into a
/// directory that had an `uploads` already.
fn remove_leftovers(disk: &dyn Disk, uploads: &Path) -> io::Result<()> {
    for entry in fs::read_dir(uploads)? {
        let entry = entry?;
        let is_ours = entry.file_name().to_string_lossy().starts_with(PASSING);
        if is_ours && entry.file_type()?.is_file() {
            disk.remove(&entry.path())?;
        }
    }
    Ok(())
}

/// Makes the names in a directory of this machine survive the loss of power.
pub(in crate::storage) fn sync_directory(path: &Path) -> Result<(), StorageError> {
    sync_directory_on(&RealDisk, path)
}

fn sync_directory_on(disk: &dyn Disk, path: &Path) -> Result<(), StorageError> {
    let synced = disk.sync_directory(path);
    synced.map_err(|error| StorageError::file("sync", path, error))
}
