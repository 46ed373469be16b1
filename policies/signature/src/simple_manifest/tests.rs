//! What stands in a `.sig` manifest before and after.

use super::*;

fn signature(payload: &str, signature: &str) -> Signature {
    Signature::Simple {
        payload: payload.as_bytes().to_vec(),
        signature: signature.to_owned(),
        proof: None,
    }
}

fn parse(manifest: &ImageManifest) -> Manifest {
    Manifest::parse(manifest.to_bytes(), media_type::IMAGE_MANIFEST).unwrap()
}

#[test]
fn what_is_written_is_found_again() {
    let (manifest, blobs) =
        simple_manifest(None, &[signature("one", "MQ=="), signature("two", "Mg==")]);
    let found = simple_layers(&parse(&manifest));
    let signatures: Vec<_> = found.iter().map(|layer| layer.signature.as_str()).collect();
    assert_eq!(signatures, ["MQ==", "Mg=="]);
    for (descriptor, bytes) in &blobs {
        descriptor.digest.check(bytes).unwrap();
        assert_eq!(descriptor.size, bytes.len() as u64);
    }
    assert_eq!(blobs.last().unwrap().0, manifest.config);
}

#[test]
fn what_was_there_stays_with_all_its_annotations() {
    let (mut before, _) = simple_manifest(None, &[signature("theirs", "MQ==")]);
    before.layers[0] = before.layers[0]
        .clone()
        .annotated("dev.sigstore.cosign/bundle", "{}");
    before
        .layers
        .push(Descriptor::of("application/octet-stream", b"other"));
    before.annotations.insert("note".into(), "kept".into());
    before.artifact_type = Some("application/vnd.example".into());
    before.subject = Some(Descriptor::of(media_type::IMAGE_MANIFEST, b"{}"));

    let (after, blobs) = simple_manifest(Some(&parse(&before)), &[signature("ours", "Mg==")]);
    assert_eq!(after.layers[..2], before.layers);
    assert_eq!(after.layers.len(), 3);
    assert_eq!(after.annotations, before.annotations);
    assert_eq!(after.artifact_type, before.artifact_type);
    assert_eq!(after.subject, before.subject);
    assert_eq!(blobs.len(), 2);
}

#[test]
fn a_signature_that_is_there_is_not_added_again() {
    let ours = signature("ours", "MQ==");
    let (before, _) = simple_manifest(None, std::slice::from_ref(&ours));
    let (after, blobs) = simple_manifest(Some(&parse(&before)), &[ours.clone(), ours]);
    assert_eq!(after.to_bytes(), before.to_bytes());
    assert_eq!(blobs.len(), 1);
}

#[test]
fn two_keys_over_one_payload_are_two_layers_and_one_blob() {
    let signatures = [signature("same", "MQ=="), signature("same", "Mg==")];
    let (manifest, blobs) = simple_manifest(None, &signatures);
    assert_eq!(manifest.layers.len(), 2);
    assert_eq!(blobs.len(), 2);
}

#[test]
fn the_config_counts_a_history_entry_for_each_layer() {
    let signatures = [signature("same", "MQ=="), signature("same", "Mg==")];
    let (_, blobs) = simple_manifest(None, &signatures);
    let config: serde_json::Value = serde_json::from_slice(&blobs[1].1).unwrap();
    assert_eq!(config["history"].as_array().unwrap().len(), 2);
    let digest = Digest::of(b"same");
    assert_eq!(
        config["rootfs"]["diff_ids"],
        serde_json::json!([digest.as_str(), digest.as_str()])
    );
}

#[test]
fn bundles_have_no_place_in_it() {
    let bundle = Signature::Bundle {
        bytes: b"{}".to_vec(),
    };
    let (manifest, blobs) = simple_manifest(None, &[bundle]);
    assert!(manifest.layers.is_empty());
    assert_eq!(blobs.len(), 1);
}

#[test]
fn layers_without_a_signature_and_of_other_types_are_passed_over() {
    let (mut manifest, _) = simple_manifest(None, &[signature("ours", "MQ==")]);
    let bare = Descriptor::of(media_type::SIMPLE_SIGNING, b"bare");
    let other =
        Descriptor::of("application/vnd.dsse.envelope.v1+json", b"{}").annotated(SIGNATURE, "Mg==");
    manifest.layers.splice(0..0, [bare, other]);
    let found = simple_layers(&parse(&manifest));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].signature, "MQ==");
}

#[test]
fn no_more_signatures_are_looked_at_than_the_limit_says() {
    let many: Vec<_> = (0..=limits::SIGNATURES)
        .map(|number| signature("payload", &number.to_string()))
        .collect();
    let (manifest, _) = simple_manifest(None, &many);
    assert_eq!(manifest.layers.len(), limits::SIGNATURES + 1);
    assert_eq!(simple_layers(&parse(&manifest)).len(), limits::SIGNATURES);
}
