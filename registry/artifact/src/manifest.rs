//! Manifests: the bytes as they came, and what they say.

mod embedded;
mod error;
mod spelling;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::{limits, media_type};
pub use error::ManifestError;

/// An image manifest in the one byte form that we write (image specification,
/// `manifest.md`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageManifest {
    schema_version: u32,
    media_type: &'static str,
    /// What kind of artifact this is, where the config does not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The config blob.
    pub config: Descriptor,
    /// The layers in order.
    pub layers: Vec<Descriptor>,
    /// The manifest that this one says something about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Words about the artifact, sorted by key.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl ImageManifest {
    /// A manifest with a config and layers and nothing else.
    pub fn new(config: Descriptor, layers: Vec<Descriptor>) -> Self {
        Self {
            schema_version: 2,
            media_type: media_type::IMAGE_MANIFEST,
            artifact_type: None,
            config,
            layers,
            subject: None,
            annotations: BTreeMap::new(),
        }
    }

    /// The JSON that is stored and signed.
    pub fn to_bytes(&self) -> Vec<u8> {
        // A struct of strings and numbers always has a JSON form.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// A manifest or index as it was received. The bytes are never written anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    bytes: Vec<u8>,
    media_type: String,
    view: View,
}

/// The fields that we read. Others are kept in the bytes and otherwise left alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct View {
    schema_version: u32,
    media_type: Option<String>,
    artifact_type: Option<String>,
    config: Option<Descriptor>,
    #[serde(deserialize_with = "null_is_default")]
    layers: Vec<Descriptor>,
    #[serde(deserialize_with = "null_is_default")]
    manifests: Vec<Descriptor>,
    subject: Option<Descriptor>,
    #[serde(deserialize_with = "null_is_default")]
    annotations: BTreeMap<String, String>,
}

/// What only the former artifact manifest has.
#[derive(Deserialize)]
struct Blobs {
    #[serde(default, deserialize_with = "null_is_default")]
    blobs: Vec<Descriptor>,
}

impl Manifest {
    /// Reads `bytes` that came as `media_type`. The media type may be unknown: then the
    /// manifest is carried as it is, and only common fields are read.
    pub fn parse(bytes: Vec<u8>, media_type: &str) -> Result<Self, ManifestError> {
        if bytes.len() > limits::MANIFEST_BYTES {
            return Err(ManifestError::TooLarge(bytes.len()));
        }
        Self::parse_unlimited(bytes, media_type)
    }

    /// The same for bytes that were limited where they came from.
    pub fn parse_unlimited(bytes: Vec<u8>, media_type: &str) -> Result<Self, ManifestError> {
        let mut view: View = serde_json::from_slice(&bytes).map_err(ManifestError::Json)?;
        if media_type == media_type::ARTIFACT_MANIFEST {
            let more: Blobs = serde_json::from_slice(&bytes).map_err(ManifestError::Json)?;
            view.layers.extend(more.blobs);
        }
        check(&view, media_type)?;
        spelling::check(&bytes)?;
        Ok(Self {
            bytes,
            media_type: media_type.to_owned(),
            view,
        })
    }

    /// The bytes as they came.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes as they came, without a copy.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The sha256 digest of the bytes.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }

    /// The media type it came with.
    pub fn media_type(&self) -> &str {
        &self.media_type
    }

    /// A descriptor of this manifest.
    pub fn descriptor(&self) -> Descriptor {
        Descriptor::of(&self.media_type, &self.bytes)
    }

    /// The config, which an index has not.
    pub fn config(&self) -> Option<&Descriptor> {
        self.view.config.as_ref()
    }

    /// The layers of an image manifest, and the blobs of the former artifact manifest.
    pub fn layers(&self) -> &[Descriptor] {
        &self.view.layers
    }

    /// The manifests of an index.
    pub fn manifests(&self) -> &[Descriptor] {
        &self.view.manifests
    }

    /// What this manifest is about.
    pub fn subject(&self) -> Option<&Descriptor> {
        self.view.subject.as_ref()
    }

    /// The annotations, sorted by key.
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        &self.view.annotations
    }

    /// The artifact type as the referrers API gives it: the field, else the config's
    /// media type (distribution specification, "Listing Referrers").
    pub fn artifact_type(&self) -> Option<&str> {
        let field = self
            .view
            .artifact_type
            .as_deref()
            .filter(|kind| !kind.is_empty());
        field.or_else(|| self.config().map(|config| config.media_type.as_str()))
    }

    /// True for manifests of which it is known what they name: a config and layers.
    pub fn is_image(&self) -> bool {
        matches!(
            self.media_type.as_str(),
            media_type::IMAGE_MANIFEST
                | media_type::DOCKER_MANIFEST
                | media_type::ARTIFACT_MANIFEST
        )
    }

    /// What stands in this manifest as `data` of a descriptor, each with what it stands for.
    pub fn embedded(&self) -> Vec<(Descriptor, Vec<u8>)> {
        embedded::all(&self.bytes)
    }

    /// True for indexes.
    pub fn is_index(&self) -> bool {
        media_type::is_index(&self.media_type)
    }

    /// The layers that carry Wasm as it is.
    pub fn wasm_layers(&self) -> impl Iterator<Item = &Descriptor> {
        self.layers()
            .iter()
            .filter(|layer| media_type::is_wasm_layer(&layer.media_type))
    }

    /// True when this is, or claims to be, a Wasm artifact.
    pub fn is_wasm(&self) -> bool {
        let says_so = self.artifact_type().is_some_and(media_type::is_wasm_config)
            || self
                .config()
                .is_some_and(|config| media_type::is_wasm_config(&config.media_type));
        says_so || self.wasm_layers().next().is_some()
    }
}

fn check(view: &View, media_type: &str) -> Result<(), ManifestError> {
    if !media_type::is_well_formed(media_type) {
        return Err(ManifestError::MediaTypeForm(media_type.to_owned()));
    }
    if view.schema_version != 2 {
        return Err(ManifestError::SchemaVersion(view.schema_version));
    }
    if let Some(body) = view
        .media_type
        .as_deref()
        .filter(|body| *body != media_type)
    {
        return Err(ManifestError::MediaType {
            header: media_type.to_owned(),
            body: body.to_owned(),
        });
    }
    let must = |must| {
        Err(ManifestError::Shape {
            media_type: media_type.to_owned(),
            must,
        })
    };
    match media_type {
        media_type::IMAGE_MANIFEST | media_type::DOCKER_MANIFEST => {
            if view.config.is_none() {
                return must("a `config`");
            }
            if view.manifests.is_empty() {
                return Ok(());
            }
            must("no `manifests`, which an index has")
        }
        media_type::IMAGE_INDEX | media_type::DOCKER_MANIFEST_LIST => {
            if view.config.is_none() && view.layers.is_empty() {
                return Ok(());
            }
            must("no `config` and no `layers`, which an image manifest has")
        }
        _ => Ok(()),
    }
}

fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests;
