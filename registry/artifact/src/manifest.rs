//! Manifests: the bytes as they came, and what they say.

mod embedded;
mod spelling;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::{limits, media_type};

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

/// Why bytes are not a manifest.
#[derive(Debug, Error)]
pub enum ManifestError {
    /// Larger than the limit.
    #[error("a manifest has at most {max} bytes, got {0}", max = limits::MANIFEST_BYTES)]
    TooLarge(usize),
    /// Not JSON, or not of a manifest's shape.
    #[error("the manifest is not valid JSON of its kind")]
    Json(#[source] serde_json::Error),
    /// Not `"schemaVersion": 2`.
    #[error("the manifest has schema version {0}, expected 2")]
    SchemaVersion(u32),
    /// The type in the body is another than the one it was sent with.
    #[error("the manifest says that it is `{body}`, but it was sent as `{header}`")]
    MediaType {
        /// `Content-Type`.
        header: String,
        /// `mediaType`.
        body: String,
    },
    /// What it was sent as has not the form of a media type.
    #[error("`{0}` is not a media type: expected `type/subtype`")]
    MediaTypeForm(String),
    /// A key that readers which ignore case, as Go's do, take for another.
    #[error(
        "the key `{got}` is spelled like `{expected}`: clients would disagree on what it means"
    )]
    Spelling {
        /// The key that is there.
        got: String,
        /// The key of the specification.
        expected: &'static str,
    },
    /// A descriptor with `data` that is not what its digest and size say.
    #[error("the `data` of the descriptor of `{0}` is not what its digest and size say")]
    Data(String),
    /// A descriptor with Wasm as `data`. A registry can hold back blobs, and not this.
    #[error("the descriptor of `{0}` carries WebAssembly as `data`, expected it in a blob")]
    EmbeddedWasm(String),
    /// An image manifest without config, or an index with layers.
    #[error("a `{media_type}` must have {must}")]
    Shape {
        /// The media type.
        media_type: String,
        /// What is missing or too much.
        must: &'static str,
    },
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
        let view: View = serde_json::from_slice(&bytes).map_err(ManifestError::Json)?;
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

    /// The layers of an image manifest.
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
mod tests {
    use super::*;

    fn wasm_manifest() -> ImageManifest {
        let config = Descriptor::of(media_type::WASM_CONFIG, b"{}");
        let layer = Descriptor::of(media_type::WASM, b"\0asm")
            .annotated("b", "2")
            .annotated("a", "1");
        ImageManifest::new(config, vec![layer])
    }

    #[test]
    fn what_is_written_can_be_read() {
        let bytes = wasm_manifest().to_bytes();
        let manifest = Manifest::parse(bytes.clone(), media_type::IMAGE_MANIFEST).unwrap();
        assert_eq!(manifest.bytes(), bytes);
        assert_eq!(manifest.artifact_type(), Some(media_type::WASM_CONFIG));
        assert_eq!(manifest.layers().len(), 1);
        assert!(manifest.is_wasm());
    }

    #[test]
    fn another_implementation_reads_what_we_write() {
        let mut ours = wasm_manifest();
        ours.artifact_type = Some(media_type::SIGSTORE_BUNDLE.to_owned());
        ours.subject = Some(Descriptor::of(media_type::IMAGE_MANIFEST, b"{}"));
        let theirs = oci_spec::image::ImageManifest::from_reader(&ours.to_bytes()[..]).unwrap();
        assert_eq!(theirs.schema_version(), 2);
        let artifact_type = theirs.artifact_type().as_ref().map(ToString::to_string);
        assert_eq!(artifact_type, ours.artifact_type);
        let subject = theirs.subject().as_ref().unwrap();
        assert_eq!(subject.digest().to_string(), Digest::of(b"{}").to_string());
        let layer = theirs.layers().first().unwrap();
        assert_eq!(layer.media_type().to_string(), media_type::WASM);
        assert_eq!(layer.annotations().as_ref().unwrap()["a"], "1");
    }

    #[test]
    fn annotations_are_written_in_order() {
        let text = String::from_utf8(wasm_manifest().to_bytes()).unwrap();
        assert!(
            text.contains(r#""annotations":{"a":"1","b":"2"}"#),
            "{text}"
        );
    }

    #[test]
    fn a_legacy_layer_makes_a_wasm_artifact_too() {
        let layer = Descriptor::of("application/vnd.wasm.content.layer.v1+wasm", b"\0asm");
        let manifest =
            ImageManifest::new(Descriptor::of(media_type::IMAGE_CONFIG, b"{}"), vec![layer]);
        let manifest = Manifest::parse(manifest.to_bytes(), media_type::IMAGE_MANIFEST).unwrap();
        assert!(manifest.is_wasm());
    }

    #[test]
    fn unknown_fields_and_media_types_are_kept() {
        let bytes = br#"{"schemaVersion":2,"x":{"y":[1]}}"#.to_vec();
        let manifest = Manifest::parse(bytes.clone(), "application/vnd.acme+json").unwrap();
        assert_eq!(manifest.into_bytes(), bytes);
    }

    #[test]
    fn what_is_not_a_manifest_is_refused() {
        let parse =
            |text: &str, kind: &str| Manifest::parse(text.as_bytes().to_vec(), kind).unwrap_err();
        assert!(matches!(
            parse("no", media_type::IMAGE_MANIFEST),
            ManifestError::Json(_)
        ));
        assert!(matches!(
            parse("{}", media_type::IMAGE_MANIFEST),
            ManifestError::SchemaVersion(0)
        ));
        let image = String::from_utf8(wasm_manifest().to_bytes()).unwrap();
        assert!(matches!(
            parse(&image, media_type::IMAGE_INDEX),
            ManifestError::MediaType { .. }
        ));
        let bare = r#"{"schemaVersion":2}"#;
        assert!(matches!(
            parse(bare, media_type::IMAGE_MANIFEST),
            ManifestError::Shape { .. }
        ));
        let large = " ".repeat(limits::MANIFEST_BYTES + 1);
        assert!(matches!(
            parse(&large, media_type::IMAGE_MANIFEST),
            ManifestError::TooLarge(_)
        ));
    }

    #[test]
    fn a_claim_in_any_place_makes_a_wasm_artifact() {
        let parse = |manifest: &ImageManifest| {
            Manifest::parse(manifest.to_bytes(), media_type::IMAGE_MANIFEST).unwrap()
        };
        let layer = Descriptor::of("application/octet-stream", b"x");
        let empty = Descriptor::of(media_type::EMPTY, b"{}");
        let mut manifest = ImageManifest::new(empty, vec![layer.clone()]);
        assert!(!parse(&manifest).is_wasm());
        manifest.artifact_type = Some(media_type::WASM_CONFIG.to_owned());
        assert!(parse(&manifest).is_wasm());
        let legacy = Descriptor::of("application/vnd.wasm.config.v1+json", b"{}");
        assert!(parse(&ImageManifest::new(legacy, vec![layer])).is_wasm());
    }

    #[test]
    fn go_writes_null_for_a_list_that_is_empty() {
        let text = r#"{"schemaVersion":2,"manifests":null,"annotations":null}"#;
        let index = Manifest::parse(text.as_bytes().to_vec(), media_type::IMAGE_INDEX).unwrap();
        assert!(index.manifests().is_empty());
    }

    #[test]
    fn what_cannot_stand_in_a_header_is_no_media_type() {
        let parsed = Manifest::parse(b"{\"schemaVersion\":2}".to_vec(), "a\u{1}b");
        assert!(matches!(parsed, Err(ManifestError::MediaTypeForm(_))));
    }
}
