//! An OCI image layout: a directory with blobs and an index (image specification,
//! `image-layout.md`).

mod write;

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;
use wasmport_artifact::{
    Descriptor, Digest, DigestError, Manifest, ManifestError, annotation, limits, media_type,
};

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

/// Why a layout cannot be read or written.
#[derive(Debug, Error)]
pub enum LayoutError {
    /// There is nothing at that path.
    #[error("there is no image layout at `{0}`")]
    NotThere(PathBuf),
    /// A directory without `oci-layout`, or a file.
    #[error("`{0}` is not an OCI image layout: it has no file `{MARKER}`")]
    NotALayout(PathBuf),
    /// `oci-layout` has another version, or is not JSON.
    #[error("`{path}` says `{found}`, expected the layout version `{VERSION}`")]
    Version {
        /// The file.
        path: PathBuf,
        /// What is in it.
        found: String,
    },
    /// A file cannot be read.
    #[error("cannot read `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file is larger than what is read of its kind.
    #[error("`{path}` has more than {max} bytes")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit.
        max: u64,
    },
    /// The index or the manifest is not one.
    #[error("`{path}` is not usable")]
    Manifest {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: ManifestError,
    },
    /// No artifact in the index.
    #[error("the layout `{0}` holds no image manifest")]
    Empty(PathBuf),
    /// More than one artifact in the index.
    #[error(
        "the layout `{path}` holds several manifests, expected one: {}",
        list(entries)
    )]
    Several {
        /// The layout.
        path: PathBuf,
        /// The manifests.
        entries: Vec<Descriptor>,
    },
    /// A blob that is named and not there.
    #[error("the layout `{path}` has no blob `{digest}`")]
    MissingBlob {
        /// The layout.
        path: PathBuf,
        /// The blob.
        digest: Digest,
    },
    /// A blob that has changed.
    #[error("the blob `{path}` is damaged")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What it is and should be.
        source: DigestError,
    },
    /// A file or directory cannot be written: no space, no permission.
    #[error("cannot write `{path}`")]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Something else is where the layout should go.
    #[error("`{0}` is there already and is not an OCI image layout, so it is not replaced")]
    NotReplaced(PathBuf),
}

impl LayoutError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NotThere(_) | Self::NotALayout(_) => "`wasmport build` writes one",
            Self::MissingBlob { .. } | Self::Damaged { .. } => {
                "the layout was copied in part or changed; build it again"
            }
            Self::NotReplaced(_) => "choose another directory with `-o`, or remove it",
            Self::Several { .. } => "use a layout of its own for each artifact",
            _ => return None,
        };
        Some(hint.to_owned())
    }
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

fn list(entries: &[Descriptor]) -> String {
    let names = entries.iter().map(|entry| {
        let name = entry.annotations.get(annotation::REF_NAME);
        name.map_or_else(
            || format!("`{}`", entry.digest),
            |name| format!("`{}` ({name})", entry.digest),
        )
    });
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
