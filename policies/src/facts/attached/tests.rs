use wasmport_artifact::{Descriptor, ImageManifest};

use super::super::ImageSurvey;
use super::*;

const TAR: &str = "application/vnd.oci.image.layer.v1.tar";

/// What a manifest of this type is with one layer.
fn content(kind: &str, config: &str, layer: (&str, &[u8]), subject: Option<Descriptor>) -> Content {
    let (layer_kind, bytes) = layer;
    let layers = vec![Descriptor::of(layer_kind, bytes)];
    let mut image = ImageManifest::new(Descriptor::of(config, b"{}"), layers);
    image.subject = subject;
    let text = String::from_utf8(image.to_bytes()).unwrap();
    let text = text.replace(media_type::IMAGE_MANIFEST, kind);
    let manifest = Manifest::parse(text.into_bytes(), kind).unwrap();
    let mut survey = ImageSurvey::default();
    survey.look_through(&manifest.layers()[0], &mut &*bytes);
    survey.finish(&manifest)
}

fn subject() -> Descriptor {
    Descriptor::of(media_type::WASM, b"subject")
}

#[test]
fn signatures_and_lists_of_parts_are_attachments_in_all_shapes() {
    let words = b"{}".as_slice();
    let (oci, docker) = (media_type::IMAGE_MANIFEST, media_type::DOCKER_MANIFEST);
    let (empty, image) = (media_type::EMPTY, media_type::IMAGE_CONFIG);
    for (kind, config, layer, subject) in [
        (oci, empty, media_type::SIGSTORE_BUNDLE, Some(subject())),
        (oci, empty, "text/plain", Some(subject())),
        (oci, image, media_type::SIMPLE_SIGNING, None),
        (docker, DOCKER_CONFIG, media_type::SIMPLE_SIGNING, None),
        (oci, image, media_type::DSSE_ENVELOPE, None),
        (oci, image, "text/spdx", None),
    ] {
        let content = content(kind, config, (layer, words), subject);
        assert_eq!(content, Content::Attachment, "{layer}");
    }
}

#[test]
fn what_runs_or_is_not_about_something_is_no_attachment() {
    let words = b"words".as_slice();
    let (oci, docker) = (media_type::IMAGE_MANIFEST, media_type::DOCKER_MANIFEST);
    let empty = media_type::EMPTY;
    for (kind, config, layer, subject) in [
        (oci, empty, ("text/plain", words), None),
        (
            oci,
            media_type::IMAGE_CONFIG,
            ("text/plain", words),
            Some(subject()),
        ),
        (oci, DOCKER_CONFIG, ("text/plain", words), Some(subject())),
        (docker, empty, ("text/plain", words), Some(subject())),
        (oci, empty, (TAR, [0; 1024].as_slice()), Some(subject())),
        (oci, empty, (TAR, words), Some(subject())),
        (oci, empty, ("text/plain", b"PK\x03\x04"), Some(subject())),
    ] {
        let content = content(kind, config, layer, subject);
        assert!(
            matches!(content, Content::Image { .. }),
            "{kind} {layer:?}: {content:?}"
        );
    }
    let unknown = "application/vnd.acme+json";
    let content = content(unknown, empty, ("text/plain", words), Some(subject()));
    assert_eq!(content, Content::Other);
}

#[test]
fn what_was_missed_is_not_seen() {
    let layer = Descriptor::of("text/plain", b"words");
    let mut image = ImageManifest::new(Descriptor::of(media_type::EMPTY, b"{}"), vec![layer]);
    image.subject = Some(subject());
    let manifest = Manifest::parse(image.to_bytes(), media_type::IMAGE_MANIFEST).unwrap();
    let mut survey = ImageSurvey::default();
    survey.miss(&manifest.layers()[0]);
    let Content::Image { unseen, .. } = survey.finish(&manifest) else {
        panic!("expected an image");
    };
    assert_eq!(unseen[0].reason, "it is not here");
}
