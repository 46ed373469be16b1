//! Why a layout cannot be read or written, and what to do about it.

use std::io;
use std::path::PathBuf;

use thiserror::Error;
use wasmport_artifact::{Descriptor, Digest, DigestError, ManifestError, annotation};

use super::{MARKER, VERSION};

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
