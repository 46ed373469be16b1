//! Writing a layout so that at every moment there is a whole one or none.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde_json::json;
use wasmport_artifact::{Descriptor, Digest, annotation, media_type};

use super::{BLOBS, INDEX, Layout, LayoutError, MARKER, VERSION, blob_path};
use crate::pack::Artifact;

/// Writes `artifact` as an image layout with nothing else in it.
///
/// It is written beside `directory` first. A new directory then appears at once, by
/// renaming. In an older layout the new blobs appear, then the new index in place of the
/// old, and then the old blobs go; so it is whole at every moment, and whoever reads it
/// gets the old or the new artifact. A directory that is not empty and not a layout with
/// one artifact is left alone.
pub fn write(artifact: &Artifact, directory: impl Into<PathBuf>) -> Result<Layout, LayoutError> {
    let directory = std::path::absolute(directory.into()).map_err(|source| LayoutError::Write {
        path: PathBuf::new(),
        source,
    })?;
    let replaces = check_destination(&directory)?;
    let parent = directory.parent().unwrap_or(&directory);
    fs::create_dir_all(parent).map_err(|source| failed(parent, source))?;
    let staging = tempfile::Builder::new()
        .prefix(".wasmport-")
        .tempdir_in(parent)
        .map_err(|source| failed(parent, source))?;
    // The temporary directory itself is closed to others; what is inside need not be.
    let staged = staging.path().join("layout");
    let blobs = stage(artifact, &staged)?;
    if replaces {
        replace(&staged, &directory, &blobs)?;
    } else {
        rename(&staged, &directory)?;
    }
    sync_directory(parent)?;
    Layout::open(directory)
}

/// True when an older layout is there, false when nothing is, and an error when it is
/// something that must not be replaced.
pub(crate) fn check_destination(directory: &Path) -> Result<bool, LayoutError> {
    if let Ok(mut entries) = directory.read_dir()
        && entries.next().is_none()
    {
        return Ok(false);
    }
    match Layout::open(directory) {
        Err(LayoutError::NotThere(_)) => Ok(false),
        Err(LayoutError::NotALayout(path)) => Err(LayoutError::NotReplaced(path)),
        // Several artifacts are somebody's collection.
        Err(error @ LayoutError::Several { .. }) => Err(error),
        // A damaged layout is a layout, and to be replaced all the more.
        Ok(_) | Err(_) => Ok(true),
    }
}

/// Writes a whole layout and gives the digests of its blobs.
fn stage(artifact: &Artifact, directory: &Path) -> Result<BTreeSet<Digest>, LayoutError> {
    let mut blobs = BTreeSet::new();
    for content in [&artifact.layer, &artifact.config, &artifact.manifest] {
        let digest = Digest::of(content);
        write_file(&blob_path(directory, &digest), content)?;
        blobs.insert(digest);
    }
    write_file(&directory.join(INDEX), &index(artifact))?;
    let marker = json!({ "imageLayoutVersion": VERSION }).to_string();
    write_file(&directory.join(MARKER), marker.as_bytes())?;
    Ok(blobs)
}

fn index(artifact: &Artifact) -> Vec<u8> {
    let mut entry = Descriptor::of(media_type::IMAGE_MANIFEST, &artifact.manifest);
    if let Some(tag) = &artifact.tag {
        entry = entry.annotated(annotation::REF_NAME, tag.as_str());
    }
    let index = json!({
        "schemaVersion": 2,
        "mediaType": media_type::IMAGE_INDEX,
        "manifests": [entry],
    });
    index.to_string().into_bytes()
}

/// Moves the staged files into an older layout, the index after the blobs that it names.
fn replace(staged: &Path, directory: &Path, blobs: &BTreeSet<Digest>) -> Result<(), LayoutError> {
    for digest in blobs {
        rename(&blob_path(staged, digest), &blob_path(directory, digest))?;
    }
    rename(&staged.join(MARKER), &directory.join(MARKER))?;
    rename(&staged.join(INDEX), &directory.join(INDEX))?;
    sync_directory(directory)?;
    remove_others(directory, blobs);
    Ok(())
}

/// Removes blobs that nothing names any more. One that cannot be removed does no harm.
fn remove_others(directory: &Path, blobs: &BTreeSet<Digest>) {
    let keep: BTreeSet<PathBuf> = blobs
        .iter()
        .map(|digest| blob_path(directory, digest))
        .collect();
    let algorithms = directory.join(BLOBS).read_dir();
    let algorithms = algorithms.into_iter().flatten().flatten();
    let files = algorithms.flat_map(|algorithm| algorithm.path().read_dir());
    for file in files.flatten().flatten() {
        if !keep.contains(&file.path()) {
            let _best_effort = fs::remove_file(file.path());
        }
    }
}

/// Writes a file to the disk and not only to memory: a rename must not come before it.
fn write_file(path: &Path, content: &[u8]) -> Result<(), LayoutError> {
    let write = || {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut file = File::create(path)?;
        file.write_all(content)?;
        file.sync_all()
    };
    write().map_err(|source| failed(path, source))
}

fn rename(from: &Path, to: &Path) -> Result<(), LayoutError> {
    let rename = || {
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::rename(from, to)
    };
    rename().map_err(|source| failed(to, source))
}

/// Makes renames in a directory survive power loss. Windows has no such call.
fn sync_directory(directory: &Path) -> Result<(), LayoutError> {
    if cfg!(unix) {
        let sync = || File::open(directory)?.sync_all();
        sync().map_err(|source| failed(directory, source))?;
    }
    Ok(())
}

fn failed(path: &Path, source: io::Error) -> LayoutError {
    LayoutError::Write {
        path: path.to_owned(),
        source,
    }
}
