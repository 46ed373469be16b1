//! What is known about an artifact when a policy is applied to it.

mod attached;
mod gather;
mod image;
#[cfg(test)]
mod page;
mod part;
mod wasm;

use std::collections::{BTreeMap, BTreeSet};

pub use image::{ImageSurvey, LayerFacts, LayerLimits};
pub use part::Part;
use serde::{Deserialize, Serialize};
pub use wasm::Wasm;
use wasmport_artifact::{
    Descriptor, Digest, Disagreement, Import, Inspection, Manifest, RepositoryName, Tag,
};

/// Everything that a decision is taken on, but for the day. Its JSON form is documented, so
/// that another engine can be given the same facts, and this one facts from elsewhere.
///
/// What may be left out is what an artifact may not have. Where a rule asks for something
/// that is not known (`size`), it is denied and not taken for granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// Where the artifact is, or shall be.
    pub repository: RepositoryName,
    /// The tags that it shall have, or is asked for by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<TagFacts>,
    /// The manifest's digest.
    pub digest: Digest,
    /// The manifest's media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The manifest that this one is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Digest>,
    /// The manifest's artifact type, or its config's type where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The media types of its layers, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<String>,
    /// The sum of its layers' sizes in bytes; none when it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// What the manifest carries.
    pub content: Content,
    /// The manifest's annotations.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
    /// Names of the policy's signers that have made a verified signature of `digest`.
    #[serde(default)]
    pub signed_by: BTreeSet<String>,
    /// Verified attestations about `digest`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attestations: Vec<Attestation>,
    /// How many signatures and attestations were not looked at, since there are too many.
    #[serde(default, skip_serializing_if = "is_none")]
    pub unread: usize,
    /// The version before it in this repository; none when it is the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Previous>,
    /// Who pushes it, when that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pushed_by: Option<String>,
}

/// A tag, and what it stands for so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TagFacts {
    /// The tag.
    pub name: Tag,
    /// The manifest that it points to before this is decided; none when it is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points_to: Option<Digest>,
}

/// Something that signers have said about the artifact, and that was verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attestation {
    /// What kind of statement: `https://slsa.dev/provenance/v1`.
    pub predicate_type: String,
    /// Names of the policy's signers that have made it.
    pub signed_by: BTreeSet<String>,
}

/// The version before an artifact, in the same repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Previous {
    /// The tag that it was found by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<Tag>,
    /// Its manifest's digest.
    pub digest: Digest,
    /// What it imports: of every Wasm that it carries.
    pub imports: Vec<Import>,
}

/// What a manifest carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Content {
    /// Wasm that was read and is valid.
    Wasm {
        /// What the bytes are, import and export.
        inspection: Box<Inspection>,
        /// What the config says wrongly about them.
        disagreements: Vec<Disagreement>,
    },
    /// An image of another kind, or whatever has layers: they and the config were looked
    /// through for Wasm.
    Image {
        /// The Wasm inside, in the order of the layers.
        wasm: Vec<InnerWasm>,
        /// What begins as Wasm and cannot be judged: it is not valid, or too large.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        unreadable: Vec<Unseen>,
        /// What may hold Wasm too, for all that is known.
        unseen: Vec<Unseen>,
    },
    /// Something that claims to be Wasm, and could not be read as such.
    Unreadable {
        /// Why not, as a fragment of a sentence.
        reason: String,
    },
    /// Words about another artifact: a signature, an attestation, a list of parts. All of it
    /// was looked through, and there is neither Wasm in it nor an archive.
    Attachment,
    /// Anything else: an index, or something in which nobody has looked.
    Other,
}

/// A Wasm file inside a layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InnerWasm {
    /// The digest of the layer.
    pub layer: Digest,
    /// The path of the file in it; empty when the layer is the file itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// What the bytes are, import and export.
    pub inspection: Inspection,
}

/// A part of an image that could not be looked into, or judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unseen {
    /// The digest of the layer.
    pub layer: Digest,
    /// The path of the file in it; empty for the layer as a whole.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// Why not, as a fragment of a sentence.
    pub reason: String,
}

impl Facts {
    /// What `manifest` says of itself, and `content` of its bytes. Tags, signatures and what
    /// else depends on the place are left empty, for the caller to fill in.
    pub fn of(repository: RepositoryName, manifest: &Manifest, content: Content) -> Self {
        let layers = manifest.layers();
        let sizes = layers.iter().map(|layer| layer.size);
        Self {
            repository,
            tags: Vec::new(),
            digest: manifest.digest(),
            media_type: Some(manifest.media_type().to_owned()),
            subject: manifest.subject().map(|subject| subject.digest.clone()),
            artifact_type: manifest.artifact_type().map(str::to_owned),
            layers: layers.iter().map(media_type).collect(),
            // Sizes are what a manifest claims; two of them may overflow together.
            size: Some(sizes.fold(0, u64::saturating_add)),
            content,
            annotations: manifest.annotations().clone(),
            signed_by: BTreeSet::new(),
            attestations: Vec::new(),
            unread: 0,
            previous: None,
            pushed_by: None,
        }
    }
}

impl Content {
    /// Every import of the Wasm that this is or carries, those of code that it exports too.
    pub fn imports(&self) -> impl Iterator<Item = &Import> {
        let inspections = self.inspections();
        inspections.flat_map(|(_, inspection)| inspection.import_groups().flatten())
    }

    /// Every Wasm that this is or carries, each with its path when it is inside something.
    pub fn inspections(&self) -> impl Iterator<Item = (Option<&str>, &Inspection)> {
        let (own, inner) = match self {
            Self::Wasm { inspection, .. } => (Some(&**inspection), [].as_slice()),
            Self::Image { wasm, .. } => (None, wasm.as_slice()),
            Self::Unreadable { .. } | Self::Attachment | Self::Other => (None, [].as_slice()),
        };
        let inner = inner
            .iter()
            .map(|wasm| (Some(wasm.path.as_str()), &wasm.inspection));
        own.map(|inspection| (None, inspection))
            .into_iter()
            .chain(inner)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_none(count: &usize) -> bool {
    *count == 0
}

fn media_type(layer: &Descriptor) -> String {
    layer.media_type.clone()
}
