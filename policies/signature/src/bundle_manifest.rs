//! The manifest that ties a bundle to its subject (cosign, `specs/BUNDLE_SPEC.md`).

use std::collections::BTreeMap;

use wasmport_artifact::{Descriptor, ImageManifest, Manifest, annotation, media_type};

use crate::bundle;

/// The manifest of a referrer of `subject` that holds `bundle`. Its config blob is `{}`.
///
/// `created` is an RFC 3339 time, such as `2026-11-20T00:00:00Z`.
pub fn bundle_manifest(bundle: &[u8], subject: Descriptor, created: &str) -> ImageManifest {
    let mut manifest = ImageManifest::new(
        Descriptor::of(media_type::EMPTY, b"{}"),
        vec![Descriptor::of(media_type::SIGSTORE_BUNDLE, bundle)],
    );
    manifest.artifact_type = Some(media_type::SIGSTORE_BUNDLE.to_owned());
    // What else a descriptor may say about the subject belongs to where it was found.
    manifest.subject = Some(Descriptor {
        artifact_type: None,
        annotations: BTreeMap::new(),
        ..subject
    });
    let mut annotate = |key: &str, value: &str| {
        manifest
            .annotations
            .insert(key.to_owned(), value.to_owned());
    };
    annotate(annotation::CREATED, created);
    if let Some(predicate_type) = bundle::predicate_type(bundle) {
        annotate(CONTENT, "dsse-envelope");
        annotate(PREDICATE_TYPE, &predicate_type);
    }
    manifest
}

/// True when `manifest` holds a Sigstore bundle of any version and nothing else.
///
/// Ask the manifest, never the descriptor in a list of referrers: cosign 3 writes a wrong
/// artifact type there on registries without the referrers API.
pub fn is_bundle_manifest(manifest: &Manifest) -> bool {
    match manifest.layers() {
        [layer] => layer.media_type.starts_with(BUNDLE_PREFIX),
        _ => false,
    }
}

/// True for the artifact types that manifests of bundles have. With it a list of referrers
/// tells which of them are worth reading.
pub fn is_bundle_type(artifact_type: &str) -> bool {
    artifact_type.starts_with(BUNDLE_PREFIX)
}

/// The predicate type that the annotations of a bundle's manifest claim. It says what to read
/// first, and nothing about what is signed.
pub fn claimed_predicate(annotations: &BTreeMap<String, String>) -> Option<&str> {
    annotations.get(PREDICATE_TYPE).map(String::as_str)
}

const BUNDLE_PREFIX: &str = "application/vnd.dev.sigstore.bundle";
const CONTENT: &str = "dev.sigstore.bundle.content";
const PREDICATE_TYPE: &str = "dev.sigstore.bundle.predicateType";

#[cfg(test)]
mod tests {
    use wasmport_artifact::Digest;

    use super::*;

    fn parse(manifest: &ImageManifest) -> Manifest {
        Manifest::parse(manifest.to_bytes(), media_type::IMAGE_MANIFEST).unwrap()
    }

    #[test]
    fn the_subject_keeps_type_digest_and_size_only() {
        let digest = Digest::of(b"subject");
        let mut found = Descriptor::new(media_type::IMAGE_MANIFEST, digest, 7);
        let bare = found.clone();
        found = found.annotated("org.opencontainers.image.ref.name", "v1");
        found.artifact_type = Some("application/wasm".to_owned());
        let manifest = bundle_manifest(b"{}", found, "2026-11-20T00:00:00Z");
        assert_eq!(manifest.subject, Some(bare));
    }

    #[test]
    fn what_is_no_bundle_gets_no_words_about_its_content() {
        let subject = Descriptor::of(media_type::IMAGE_MANIFEST, b"{}");
        let manifest = bundle_manifest(b"junk", subject, "2026-11-20T00:00:00Z");
        let keys: Vec<_> = manifest.annotations.keys().collect();
        assert_eq!(keys, [annotation::CREATED]);
    }

    #[test]
    fn one_layer_of_any_bundle_version_makes_a_bundle_manifest() {
        let config = Descriptor::of(media_type::EMPTY, b"{}");
        let layer = |kind: &str| Descriptor::of(kind, b"{}");
        let old = layer("application/vnd.dev.sigstore.bundle+json;version=0.1");
        let new = layer(media_type::SIGSTORE_BUNDLE);
        for (layers, expected) in [
            (vec![old.clone()], true),
            (vec![new.clone()], true),
            (vec![], false),
            (vec![old, new], false),
            (vec![layer(media_type::SIMPLE_SIGNING)], false),
        ] {
            let mut manifest = ImageManifest::new(config.clone(), layers);
            // As a hostile or a careless client would write it.
            manifest.artifact_type = Some(media_type::SIGSTORE_BUNDLE.to_owned());
            assert_eq!(is_bundle_manifest(&parse(&manifest)), expected);
        }
    }
}
