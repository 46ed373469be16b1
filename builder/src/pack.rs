//! The artifact: a config that says what the component is, one layer, and a manifest.

use std::collections::BTreeMap;

use wasmport_artifact::{
    Descriptor, Digest, ImageManifest, Inspection, Tag, WasmConfig, annotation, media_type,
};

/// What people want to know of an artifact, and what its bytes do not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// A name; the layer is called `<name>.wasm`.
    pub name: String,
    /// A version, if it has one.
    pub version: Option<String>,
    /// When it was made, RFC 3339.
    pub created: Option<String>,
    /// Who made it.
    pub author: Option<String>,
    /// Annotations of the manifest.
    pub annotations: BTreeMap<String, String>,
}

/// An artifact with the bytes of all its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// The manifest, in the one form that has its digest.
    pub manifest: Vec<u8>,
    /// The digest of the manifest: the digest of the artifact.
    pub digest: Digest,
    /// The config, `application/vnd.wasm.config.v0+json`.
    pub config: Vec<u8>,
    /// The layer, `application/wasm`.
    pub layer: Vec<u8>,
    /// The tag that goes with the version.
    pub tag: Option<Tag>,
}

/// Packs `wasm`, of which `inspection` is the inspection (CNCF TAG Runtime, "Wasm OCI
/// Artifact layout"). The same input gives the same bytes.
pub fn pack(wasm: &[u8], inspection: &Inspection, metadata: &Metadata) -> Artifact {
    let layer = Descriptor::of(media_type::WASM, wasm)
        .annotated(annotation::TITLE, &format!("{}.wasm", metadata.name));
    let config = WasmConfig::describe(
        inspection,
        layer.digest.clone(),
        metadata.created.clone(),
        metadata.author.clone(),
    )
    .to_bytes();
    let described = Descriptor::of(media_type::WASM_CONFIG, &config);
    let mut manifest = ImageManifest::new(described, vec![layer]);
    manifest.annotations.clone_from(&metadata.annotations);
    let manifest = manifest.to_bytes();
    Artifact {
        digest: Digest::of(&manifest),
        manifest,
        config,
        layer: wasm.to_vec(),
        tag: metadata.version.as_deref().and_then(tag),
    }
}

/// A tag cannot hold the `+` before a version's build metadata; as with Helm's charts, `_`
/// stands for it.
fn tag(version: &str) -> Option<Tag> {
    version.replace('+', "_").parse().ok()
}

#[cfg(test)]
mod tests {
    use wasmport_artifact::{Manifest, inspect};

    use super::*;

    fn packed(version: &str) -> Artifact {
        let wasm = wat::parse_str(r#"(component (import "a:b/c@1.0.0" (instance)))"#).unwrap();
        let metadata = Metadata {
            name: "hello".to_owned(),
            version: Some(version.to_owned()),
            created: Some("1970-01-01T00:00:00Z".to_owned()),
            annotations: BTreeMap::from([
                ("b".to_owned(), "2".to_owned()),
                ("a".to_owned(), "1".to_owned()),
            ]),
            ..Metadata::default()
        };
        pack(&wasm, &inspect(&wasm).unwrap(), &metadata)
    }

    #[test]
    fn the_manifest_names_its_parts() {
        let artifact = packed("1.0.0");
        let manifest =
            Manifest::parse(artifact.manifest.clone(), media_type::IMAGE_MANIFEST).unwrap();
        assert_eq!(manifest.digest(), artifact.digest);
        let config = manifest.config().unwrap();
        assert_eq!(config.media_type, media_type::WASM_CONFIG);
        config.digest.check(&artifact.config).unwrap();
        let [layer] = manifest.layers() else {
            panic!("one layer");
        };
        layer.digest.check(&artifact.layer).unwrap();
        assert_eq!(layer.size, artifact.layer.len() as u64);
        assert_eq!(layer.annotations[annotation::TITLE], "hello.wasm");
        let keys: Vec<_> = manifest.annotations().keys().collect();
        assert_eq!(keys, ["a", "b"]);
    }

    #[test]
    fn the_config_agrees_with_the_layer() {
        let artifact = packed("1.0.0");
        let config = WasmConfig::parse(&artifact.config).unwrap();
        assert_eq!(config.created.as_deref(), Some("1970-01-01T00:00:00Z"));
        let inspection = inspect(&artifact.layer).unwrap();
        let layer = Digest::of(&artifact.layer);
        assert_eq!(config.disagreements(&inspection, &layer), []);
    }

    #[test]
    fn the_tag_is_the_version_as_far_as_tags_go() {
        assert_eq!(packed("1.0.0-rc.1").tag.unwrap().as_str(), "1.0.0-rc.1");
        assert_eq!(packed("1.0.0+b.2").tag.unwrap().as_str(), "1.0.0_b.2");
        assert_eq!(packed("a version").tag, None);
    }
}
