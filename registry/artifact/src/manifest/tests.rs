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
    let manifest = ImageManifest::new(Descriptor::of(media_type::IMAGE_CONFIG, b"{}"), vec![layer]);
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
