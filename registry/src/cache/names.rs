//! What things are asked for by.

use wasmport_artifact::{Digest, RepositoryName, Selector};

/// A manifest as a request names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ManifestName {
    pub(crate) repository: RepositoryName,
    pub(crate) reference: Selector,
}

/// A blob as a request names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct BlobName {
    pub(crate) repository: RepositoryName,
    pub(crate) digest: Digest,
}

impl ManifestName {
    pub(super) fn len(&self) -> usize {
        let reference = match &self.reference {
            Selector::Tag(tag) => tag.as_str().len(),
            Selector::Digest(digest) => digest.as_str().len(),
        };
        self.repository.as_str().len() + reference
    }
}

impl BlobName {
    pub(super) fn len(&self) -> usize {
        self.repository.as_str().len() + self.digest.as_str().len()
    }
}
