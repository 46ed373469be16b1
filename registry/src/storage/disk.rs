//! What the engines do to a disk, in one place, so that tests can put one there that fails.

use std::fmt::Debug;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use ::redb::backends::FileBackend;
use ::redb::{DatabaseError, StorageBackend};

/// Whatever changes a disk. Reading goes past it.
///
/// Only what was synced survives the loss of power: the bytes of a file after
/// [`sync`](Self::sync), and its names after [`sync_directory`](Self::sync_directory).
pub trait Disk: Debug + Send + Sync {
    /// Makes a directory and those above it, if they are not there.
    fn create_directory(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a directory survive the loss of power.
    fn sync_directory(&self, path: &Path) -> io::Result<()>;

    /// Makes a file, to read and write it. There must be none.
    fn create(&self, path: &Path) -> io::Result<File>;

    /// Writes all `bytes` where the file's position is.
    fn write(&self, file: &File, bytes: &[u8]) -> io::Result<()>;

    /// Cuts a file off, or adds zeros to it.
    fn set_len(&self, file: &File, length: u64) -> io::Result<()>;

    /// Makes what was written survive the loss of power.
    fn sync(&self, file: &File) -> io::Result<()>;

    /// Gives a file another name, which it takes from the file that has it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Gives a file one more name.
    fn link(&self, file: &Path, name: &Path) -> io::Result<()>;

    /// Removes the name of a file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// A file for a database to work on, locked as long as it has it open.
    fn database(self: Arc<Self>, file: File) -> Result<Box<dyn StorageBackend>, DatabaseError>;
}

/// The file system of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn create_directory(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    /// Only unix can open directories, and elsewhere the file system does it by itself.
    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        if !cfg!(unix) {
            return Ok(());
        }
        File::open(path)?.sync_all()
    }

    fn create(&self, path: &Path) -> io::Result<File> {
        File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path)
    }

    fn write(&self, mut file: &File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    fn set_len(&self, file: &File, length: u64) -> io::Result<()> {
        file.set_len(length)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn link(&self, file: &Path, name: &Path) -> io::Result<()> {
        fs::hard_link(file, name)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn database(self: Arc<Self>, file: File) -> Result<Box<dyn StorageBackend>, DatabaseError> {
        Ok(Box::new(FileBackend::new(file)?))
    }
}
