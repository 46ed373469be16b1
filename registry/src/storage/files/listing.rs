//! What is in the directories: blobs, and stages that stay.

use std::fs;
use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

use wasmport_artifact::{Algorithm, Digest};

use super::layout::Layout;
use crate::storage::blobs::{ListedBlob, ListedStage};
use crate::storage::error::StorageError;
use crate::storage::stage_id::StageId;

/// Blobs in the order of their digests, shard by shard, so that only the names of one shard
/// are in memory at a time.
pub(super) fn blobs(
    layout: &Layout,
    after: Option<&Digest>,
    limit: usize,
) -> Result<Vec<ListedBlob>, StorageError> {
    let mut found = Vec::new();
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        for first_byte in 0..=u8::MAX {
            if found.len() >= limit {
                return Ok(found);
            }
            let shard = format!("{first_byte:02x}");
            let is_before = after.is_some_and(|after| {
                (algorithm, shard.as_str())
                    < (after.algorithm(), after.hex().get(..2).unwrap_or_default())
            });
            if !is_before {
                let directory = layout.shard(algorithm, &shard);
                let wanted = limit - found.len();
                found.extend(blobs_in(&directory, algorithm, after, wanted)?);
            }
        }
    }
    Ok(found)
}

fn blobs_in(
    directory: &Path,
    algorithm: Algorithm,
    after: Option<&Digest>,
    limit: usize,
) -> Result<Vec<ListedBlob>, StorageError> {
    let digest = |name: &str| {
        format!("{}:{name}", algorithm.name())
            .parse::<Digest>()
            .ok()
    };
    let mut digests: Vec<Digest> = names(directory)?.iter().filter_map(|n| digest(n)).collect();
    digests.retain(|digest| after.is_none_or(|after| digest > after));
    digests.sort_unstable();
    let mut found = Vec::new();
    for digest in digests {
        if found.len() == limit {
            break;
        }
        if let Some((size, published)) = measure(&directory.join(digest.hex()))? {
            found.push(ListedBlob {
                digest,
                size,
                published,
            });
        }
    }
    Ok(found)
}

/// Stages that stay, in the order of their identifiers.
pub(super) fn stages(
    layout: &Layout,
    after: Option<&StageId>,
    limit: usize,
) -> Result<Vec<ListedStage>, StorageError> {
    let names = names(layout.uploads())?;
    let mut ids: Vec<StageId> = names.iter().filter_map(|n| Layout::kept_id(n)).collect();
    ids.retain(|id| after.is_none_or(|after| id > after));
    ids.sort_unstable();
    let mut found = Vec::new();
    for id in ids {
        if found.len() == limit {
            break;
        }
        if let Some((size, written)) = measure(&layout.kept(&id))? {
            found.push(ListedStage { id, size, written });
        }
    }
    Ok(found)
}

fn names(directory: &Path) -> Result<Vec<String>, StorageError> {
    let names = fs::read_dir(directory).and_then(|entries| {
        let name = |entry: io::Result<fs::DirEntry>| entry.map(|entry| entry.file_name());
        entries.map(name).collect::<io::Result<Vec<_>>>()
    });
    let names = names.map_err(|error| StorageError::file("list", directory, error))?;
    Ok(names
        .into_iter()
        .filter_map(|name| name.into_string().ok())
        .collect())
}

/// Size, and the time of the last change in seconds since 1970. `None` for what has gone in
/// the meantime, and for what is no file.
fn measure(path: &Path) -> Result<Option<(u64, u64)>, StorageError> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => metadata,
        Ok(_) => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StorageError::file("read", path, error)),
    };
    let modified = metadata.modified().ok();
    let since = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    Ok(Some((
        metadata.len(),
        since.map_or(0, |time| time.as_secs()),
    )))
}
