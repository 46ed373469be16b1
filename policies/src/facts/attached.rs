//! What is said about another artifact: signatures, attestations, lists of parts. Nobody asks
//! it to be signed itself, so little may call itself that.

use wasmport_artifact::{Manifest, Tag, media_type};

use super::{Content, Facts};

/// Docker's config of an image.
const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";

/// The layers of what cosign 2 stores under the tag with this ending, and finds by nothing
/// else (cosign, `specs/SIGNATURE_SPEC.md`, `pkg/types/media.go`).
const COSIGN: [(&str, &[&str]); 3] = [
    (".sig", &[media_type::SIMPLE_SIGNING]),
    (".att", &[media_type::DSSE_ENVELOPE]),
    (
        ".sbom",
        &[
            "application/vnd.cyclonedx+json",
            "application/vnd.cyclonedx+xml",
            "application/vnd.syft+json",
            "spdx+json",
            "text/spdx",
            "text/spdx+json",
        ],
    ),
];

/// True when `manifest` says that it is about another one, and is no image that runs: by its
/// subject, or by layers that cosign 2 has. The bytes are another question.
pub(super) fn is_about_another(manifest: &Manifest) -> bool {
    let config = manifest.config().map(|config| config.media_type.as_str());
    let is_program = matches!(config, Some(media_type::IMAGE_CONFIG | DOCKER_CONFIG));
    // Clients know the subject of no other kind of manifest.
    let has_subject = manifest.media_type() == media_type::IMAGE_MANIFEST
        && manifest.subject().is_some()
        && !is_program;
    let layers = manifest.layers().iter();
    let kinds: Vec<&str> = layers.map(|layer| layer.media_type.as_str()).collect();
    let is_image = matches!(
        manifest.media_type(),
        media_type::IMAGE_MANIFEST | media_type::DOCKER_MANIFEST
    );
    let is_cosign = COSIGN.iter().any(|(_, known)| are_all(&kinds, known));
    has_subject || (is_image && is_cosign)
}

impl Facts {
    /// True for an attachment that clients find by what it is attached to: by a digest, or by
    /// a tag that is derived from that of its subject. Under a tag of its own it is an
    /// artifact like others, and would take that tag over.
    ///
    /// What cosign 2 stores names its subject by the tag only, and comes before its subject
    /// sometimes. It is told by its layers.
    pub(crate) fn is_attached(&self) -> bool {
        let is_in_place = |tag: &Tag| match &self.subject {
            Some(subject) => tag.is_derived_from(subject),
            None => self.is_of_cosign(tag),
        };
        self.content == Content::Attachment && self.tags.iter().all(|tag| is_in_place(&tag.name))
    }

    fn is_of_cosign(&self, tag: &Tag) -> bool {
        let kinds: Vec<&str> = self.layers.iter().map(String::as_str).collect();
        let mut cosign = COSIGN.iter();
        cosign.any(|(ending, known)| tag.derived_ending() == Some(ending) && are_all(&kinds, known))
    }
}

fn are_all(kinds: &[&str], known: &[&str]) -> bool {
    !kinds.is_empty() && kinds.iter().all(|kind| known.contains(kind))
}

#[cfg(test)]
mod tests;
