//! An OCI image layout: a directory with blobs and an index (image specification,
//! `image-layout.md`).

mod error;
mod write;

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use wasmport_artifact::{Descriptor, Digest, Manifest, annotation, limits, media_type};

pub use error::LayoutError;
pub(crate) use write::check_destination;
pub use write::write;

/// The file that makes a directory a layout.
const MARKER: &str = "oci-layout";
const INDEX: &str = "index.json";
const BLOBS: &str = "blobs";
const VERSION: &str = "1.0.0";

/// A layout on disk with one artifact in it.
#[derive(Clone, Debug)]
pub struct Layout {
    directory: PathBuf,
    index: Manifest,
    manifest: Manifest,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Marker {
    image_layout_version: String,
}

impl Layout {
    /// Opens the layout in `directory`. The manifest is read and checked, its config and
    /// layers are looked for, and their bytes are checked when they are read.
    pub fn open(directory: impl Into<PathBuf>) -> Result<Self, LayoutError> {
        let directory = directory.into();
        check_marker(&directory)?;
        let index = read_index(&directory)?;
        let entry = only_entry(&directory, &index)?.clone();
        let bytes = read_blob(&directory, &entry.digest)?;
        let manifest = parse(
            blob_path(&directory, &entry.digest),
            bytes,
            &entry.media_type,
        )?;
        for part in manifest.config().into_iter().chain(manifest.layers()) {
            if !blob_path(&directory, &part.digest).is_file() {
                return Err(missing(&directory, &part.digest));
            }
        }
        Ok(Self {
            directory,
            index,
            manifest,
        })
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Everything that the index names.
    pub fn entries(&self) -> &[Descriptor] {
        self.index.manifests()
    }

    /// The artifact's manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The artifact's digest.
    pub fn digest(&self) -> Digest {
        self.manifest.digest()
    }

    /// The tag that the index gives the artifact.
    pub fn tag(&self) -> Option<&str> {
        let digest = self.digest();
        let mut entries = self.entries().iter();
        let entry = entries.find(|entry| entry.digest == digest)?;
        entry
            .annotations
            .get(annotation::REF_NAME)
            .map(String::as_str)
    }

    /// Reads a blob and checks it against its digest.
    pub fn blob(&self, digest: &Digest) -> Result<Vec<u8>, LayoutError> {
        read_blob(&self.directory, digest)
    }

    /// Where a blob is, if it is there.
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        blob_path(&self.directory, digest)
    }
}

fn check_marker(directory: &Path) -> Result<(), LayoutError> {
    let path = directory.join(MARKER);
    if !directory.exists() {
        return Err(LayoutError::NotThere(directory.to_owned()));
    }
    if !path.is_file() {
        return Err(LayoutError::NotALayout(directory.to_owned()));
    }
    let bytes = read(&path, limits::MANIFEST_BYTES as u64)?;
    match serde_json::from_slice::<Marker>(&bytes) {
        Ok(marker) if marker.image_layout_version == VERSION => Ok(()),
        _ => Err(LayoutError::Version {
            path,
            found: String::from_utf8_lossy(&bytes).chars().take(80).collect(),
        }),
    }
}

fn read_index(directory: &Path) -> Result<Manifest, LayoutError> {
    let path = directory.join(INDEX);
    let bytes = read(&path, limits::MANIFEST_BYTES as u64)?;
    parse(path, bytes, media_type::IMAGE_INDEX)
}

fn parse(path: PathBuf, bytes: Vec<u8>, media_type: &str) -> Result<Manifest, LayoutError> {
    Manifest::parse(bytes, media_type).map_err(|source| LayoutError::Manifest { path, source })
}

/// The one entry that is an artifact; what is only about another manifest does not count.
fn only_entry<'a>(directory: &Path, index: &'a Manifest) -> Result<&'a Descriptor, LayoutError> {
    let mut found: Vec<&Descriptor> = Vec::new();
    for entry in index.manifests() {
        let is_known = found.iter().any(|known| known.digest == entry.digest);
        if entry.media_type == media_type::IMAGE_MANIFEST && !is_known {
            found.push(entry);
        }
    }
    if found.len() > 1 {
        found.retain(|entry| !is_about_another(directory, entry));
    }
    match found.as_slice() {
        [only] => Ok(only),
        [] => Err(LayoutError::Empty(directory.to_owned())),
        several => Err(LayoutError::Several {
            path: directory.to_owned(),
            entries: several.iter().map(|entry| (*entry).clone()).collect(),
        }),
    }
}

fn is_about_another(directory: &Path, entry: &Descriptor) -> bool {
    let bytes = read_blob(directory, &entry.digest).unwrap_or_default();
    Manifest::parse(bytes, &entry.media_type).is_ok_and(|manifest| manifest.subject().is_some())
}

fn blob_path(directory: &Path, digest: &Digest) -> PathBuf {
    let algorithm = directory.join(BLOBS).join(digest.algorithm().name());
    algorithm.join(digest.hex())
}

fn read_blob(directory: &Path, digest: &Digest) -> Result<Vec<u8>, LayoutError> {
    let path = blob_path(directory, digest);
    if !path.is_file() {
        return Err(missing(directory, digest));
    }
    let bytes = read(&path, limits::WASM_BYTES)?;
    match digest.check(&bytes) {
        Ok(()) => Ok(bytes),
        Err(source) => Err(LayoutError::Damaged { path, source }),
    }
}

fn missing(directory: &Path, digest: &Digest) -> LayoutError {
    LayoutError::MissingBlob {
        path: directory.to_owned(),
        digest: digest.clone(),
    }
}

fn read(path: &Path, max: u64) -> Result<Vec<u8>, LayoutError> {
    let failed = |source| LayoutError::Read {
        path: path.to_owned(),
        source,
    };
    let file = fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(max + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > max {
        return Err(LayoutError::TooLarge {
            path: path.to_owned(),
            max,
        });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
