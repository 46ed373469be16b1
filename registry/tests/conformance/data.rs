//! A set of blobs, manifests and tags that belong together, and how they are made.

use std::collections::BTreeMap;

use base64::Engine as _;
use serde_json::{Value, json};
use wasmport_artifact::{Algorithm, Digest, media_type};

pub(crate) const EXAMPLE_1: &str = "application/vnd.example.oci.conformance.v1";
pub(crate) const EXAMPLE_2: &str = "application/vnd.example.oci.conformance.v2";
pub(crate) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
pub(crate) const LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// What is pushed, listed, pulled and deleted together.
#[derive(Debug, Default)]
pub(crate) struct Set {
    pub(crate) name: &'static str,
    pub(crate) blobs: BTreeMap<Digest, Vec<u8>>,
    /// In the order in which they are pushed.
    pub(crate) manifests: Vec<(Digest, Vec<u8>)>,
    pub(crate) tags: BTreeMap<String, Digest>,
    /// By subject, the descriptors that the referrers API must list.
    pub(crate) referrers: BTreeMap<Digest, Vec<Value>>,
    /// Tags are set by the query of the push by digest.
    pub(crate) by_parameter: bool,
    made: u64,
}

/// What a manifest, and the images of an index, shall be like.
#[derive(Clone)]
pub(crate) struct Shape {
    pub(crate) algorithm: Algorithm,
    pub(crate) artifact_type: Option<&'static str>,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) config: Option<&'static str>,
    pub(crate) layers: Vec<Layer>,
    pub(crate) subject: Option<Value>,
    pub(crate) with_data: bool,
    pub(crate) with_extra_field: bool,
}

#[derive(Clone)]
pub(crate) enum Layer {
    /// Some bytes of this type.
    Made(&'static str),
    /// `{}`
    Empty,
    /// One that is elsewhere.
    Elsewhere(Value),
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            algorithm: Algorithm::Sha256,
            artifact_type: None,
            annotations: BTreeMap::new(),
            config: None,
            layers: vec![Layer::Made(LAYER_GZIP); 2],
            subject: None,
            with_data: false,
            with_extra_field: false,
        }
    }
}

impl Shape {
    /// An artifact: an empty config, one layer and a type.
    pub(crate) fn artifact(kind: &'static str, layer: Layer) -> Self {
        Self {
            artifact_type: Some(kind),
            config: Some(media_type::EMPTY),
            layers: vec![layer],
            ..Self::default()
        }
    }

    pub(crate) fn about(mut self, subject: &Value) -> Self {
        self.subject = Some(subject.clone());
        self
    }

    pub(crate) fn annotated(mut self, name: &str) -> Self {
        let text = "hello conformance test".to_owned();
        let key = "org.opencontainers.conformance".to_owned();
        self.annotations.insert(key, text);
        self.annotations
            .insert(format!("org.example.{name}"), "unique".to_owned());
        self
    }
}

impl Set {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            ..Self::default()
        }
    }

    pub(crate) fn tagged(mut self, tag: &str, digest: &Digest) -> Self {
        self.tags.insert(tag.to_owned(), digest.clone());
        self
    }

    /// Bytes that no other set has.
    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        self.made += 1;
        let seed = format!("{} {} ", self.name, self.made);
        seed.bytes().cycle().take(length.max(seed.len())).collect()
    }

    pub(crate) fn blob(&mut self, kind: &str, bytes: Vec<u8>, shape: &Shape) -> Value {
        let digest = Digest::with(shape.algorithm, &bytes);
        let mut descriptor = json!({ "mediaType": kind, "digest": digest, "size": bytes.len() });
        if shape.with_data {
            let data = base64::engine::general_purpose::STANDARD.encode(&bytes);
            descriptor["data"] = json!(data);
        }
        self.blobs.insert(digest, bytes);
        descriptor
    }

    /// Makes an image or artifact and gives its descriptor.
    pub(crate) fn image(&mut self, shape: &Shape) -> Value {
        let mut layers = Vec::new();
        for layer in &shape.layers {
            layers.push(match layer {
                Layer::Made(kind) => {
                    let bytes = self.bytes(2048);
                    self.blob(kind, bytes, shape)
                }
                Layer::Empty => self.blob(media_type::EMPTY, b"{}".to_vec(), shape),
                Layer::Elsewhere(descriptor) => descriptor.clone(),
            });
        }
        let config = if let Some(kind) = shape.config {
            self.blob(kind, b"{}".to_vec(), shape)
        } else {
            let diff_ids: Vec<&Value> = layers.iter().map(|layer| &layer["digest"]).collect();
            let bytes = json!({
                "author": "conformance",
                "os": "linux",
                "architecture": self.made.to_string(),
                "rootfs": { "type": "layers", "diff_ids": diff_ids },
            });
            let bytes = bytes.to_string().into_bytes();
            self.blob(media_type::IMAGE_CONFIG, bytes, shape)
        };
        let artifact_type = shape
            .artifact_type
            .map_or(config["mediaType"].clone(), Value::from);
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": media_type::IMAGE_MANIFEST,
            "config": config,
            "layers": layers,
        });
        self.manifest(manifest, shape, Some(&artifact_type))
    }

    /// Makes an index of two images and gives its descriptor.
    pub(crate) fn index(&mut self, shape: &Shape) -> Value {
        let images = [self.image(shape), self.image(shape)];
        self.index_of(&images, shape)
    }

    pub(crate) fn index_of(&mut self, manifests: &[Value], shape: &Shape) -> Value {
        let architectures = ["amd64", "arm64"].into_iter().cycle();
        let platform = |(manifest, architecture): (&Value, &str)| {
            let mut manifest = manifest.clone();
            manifest["platform"] = json!({ "os": "linux", "architecture": architecture });
            manifest
        };
        let manifests: Vec<Value> = manifests.iter().zip(architectures).map(platform).collect();
        let index = json!({
            "schemaVersion": 2,
            "mediaType": media_type::IMAGE_INDEX,
            "manifests": manifests,
        });
        let kind = shape.artifact_type.map(Value::from);
        self.manifest(index, shape, kind.as_ref())
    }

    fn manifest(&mut self, mut manifest: Value, shape: &Shape, kind: Option<&Value>) -> Value {
        if let Some(kind) = shape.artifact_type {
            manifest["artifactType"] = json!(kind);
        }
        if !shape.annotations.is_empty() {
            manifest["annotations"] = json!(shape.annotations);
        }
        if let Some(subject) = &shape.subject {
            manifest["subject"] = subject.clone();
        }
        if shape.with_extra_field {
            manifest["org.example.extra"] = json!({ "nested": [1, null, "x"] });
        }
        let bytes = manifest.to_string().into_bytes();
        let digest = Digest::with(shape.algorithm, &bytes);
        let mut descriptor = json!({
            "mediaType": manifest["mediaType"],
            "digest": digest,
            "size": bytes.len(),
        });
        let plain = descriptor.clone();
        if let Some(subject) = &shape.subject {
            if let Some(kind) = kind {
                descriptor["artifactType"] = kind.clone();
            }
            if !shape.annotations.is_empty() {
                descriptor["annotations"] = json!(shape.annotations);
            }
            let subject: Digest = serde_json::from_value(subject["digest"].clone()).unwrap();
            self.referrers.entry(subject).or_default().push(descriptor);
        }
        self.manifests.push((digest, bytes));
        plain
    }
}

pub(crate) fn digest_of(descriptor: &Value) -> Digest {
    serde_json::from_value(descriptor["digest"].clone()).unwrap()
}
