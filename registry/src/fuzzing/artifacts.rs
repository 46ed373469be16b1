//! What a Wasm artifact is made of, and what it is called.

use std::str;

use wasmport_artifact::{
    Digest, InterfaceName, Manifest, Reference, RepositoryName, Tag, WasmConfig, inspect,
    media_type,
};
use wasmport_policies::Content;

/// The empty component.
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// A manifest: it is kept as it came, and reading it again gives the same.
pub fn manifest(bytes: &[u8]) {
    for kind in [
        media_type::IMAGE_MANIFEST,
        media_type::IMAGE_INDEX,
        media_type::ARTIFACT_MANIFEST,
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.unknown",
    ] {
        let Ok(manifest) = Manifest::parse(bytes.to_vec(), kind) else {
            continue;
        };
        assert_eq!(manifest.bytes(), bytes);
        assert_eq!(manifest.media_type(), kind);
        check_embedded(&manifest);
        let again = Manifest::parse(manifest.bytes().to_vec(), kind);
        assert!(again.is_ok_and(|again| again.digest() == manifest.digest()));
    }
}

/// What stands in a manifest is what its descriptor says, and never Wasm as it is.
fn check_embedded(manifest: &Manifest) {
    for (descriptor, bytes) in manifest.embedded() {
        assert!(descriptor.digest.check(&bytes).is_ok());
        assert_eq!(descriptor.size, bytes.len() as u64);
        assert!(!bytes.starts_with(b"\0asm"));
    }
    let _ = Content::embedded(manifest);
    let _ = Content::gather(manifest, Some(b"{}"), Some(COMPONENT.into()));
}

/// The config of an artifact: what is read is written so that it is read alike, and one that is
/// true of a component disagrees with nothing.
pub fn config(bytes: &[u8]) {
    let Ok(config) = WasmConfig::parse(bytes) else {
        return;
    };
    assert_eq!(
        WasmConfig::parse(&config.to_bytes()).ok().as_ref(),
        Some(&config)
    );
    let (Ok(inspection), layer) = (inspect(COMPONENT), Digest::of(COMPONENT)) else {
        return;
    };
    let wrong = config.disagreements(&inspection, &layer);
    assert!(wrong.iter().all(|wrong| !wrong.to_string().is_empty()));
    let truth = WasmConfig::describe(&inspection, layer.clone(), config.created, config.author);
    assert!(truth.disagreements(&inspection, &layer).is_empty());
}

/// What somebody names an artifact, and the parts of it: what is read is written as it was.
pub fn reference(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    if let Ok(reference) = text.parse::<Reference>() {
        assert!(text.contains(reference.host()));
        assert!(reference.tag().is_some() || reference.digest().is_some());
        assert_eq!(
            reference.to_string().parse().as_ref(),
            Ok(&reference),
            "{text}"
        );
    }
    if let Ok(name) = text.parse::<InterfaceName>() {
        assert_eq!(name.to_string(), text);
    }
    if let Ok(digest) = text.parse::<Digest>() {
        assert_eq!(digest.to_string(), text);
    }
    if let Ok(tag) = text.parse::<Tag>() {
        assert_eq!(tag.as_str(), text);
    }
    if let Ok(name) = text.parse::<RepositoryName>() {
        assert_eq!(name.as_str(), text);
    }
}
