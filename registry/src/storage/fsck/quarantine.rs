//! Where broken things go: files that nobody serves and nobody deletes.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::Path;

use futures_util::StreamExt;
use wasmport_artifact::Digest;

use crate::storage::blobs::OpenBlob;
use crate::storage::error::StorageError;
use crate::storage::files::sync_directory;
use crate::storage::keys::Key;
use crate::storage::records::Record;

/// Copies a blob there. The caller deletes it then. A blob can be there already, from an
/// earlier run or because both its record and its file are broken, and is not overwritten.
pub(super) async fn blob(
    directory: &Path,
    digest: &Digest,
    blob: Box<dyn OpenBlob>,
) -> Result<(), StorageError> {
    let name = digest.as_str().replace(':', "-");
    let mut path = directory.join(&name);
    fs::create_dir_all(directory).map_err(|error| StorageError::file("write to", &path, error))?;
    let mut number = 1_u64;
    let created = loop {
        match File::create_new(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                number += 1;
                path = directory.join(format!("{name}-{number}"));
            }
            created => break created,
        }
    };
    let failed = |error| StorageError::file("write to", &path, error);
    let mut file = created.map_err(failed)?;
    let size = blob.size();
    let mut pieces = blob.stream(0..size);
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(failed)?;
        file.write_all(&piece).map_err(failed)?;
    }
    file.sync_all().map_err(failed)?;
    synced(directory)
}

/// Copies a record there: its name on the first line, and then its bytes.
pub(super) fn record(directory: &Path, key: &Key, record: &Record) -> Result<(), StorageError> {
    let name = Digest::of(key.as_str().as_bytes());
    let path = directory.join(format!("record-{}", name.hex()));
    let failed = |error| StorageError::file("write to", &path, error);
    fs::create_dir_all(directory).map_err(failed)?;
    let mut file = File::create(&path).map_err(failed)?;
    file.write_all(format!("{key}\n").as_bytes())
        .map_err(failed)?;
    file.write_all(&record.value).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    synced(directory)
}

fn synced(directory: &Path) -> Result<(), StorageError> {
    sync_directory(directory)?;
    directory.parent().map_or(Ok(()), sync_directory)
}
