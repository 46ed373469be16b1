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

const BUNDLE_PREFIX: &str = "application/vnd.dev.sigstore.bundle";
const CONTENT: &str = "dev.sigstore.bundle.content";
const PREDICATE_TYPE: &str = "dev.sigstore.bundle.predicateType";
