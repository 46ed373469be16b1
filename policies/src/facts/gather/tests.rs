use wasmport_artifact::{Digest, Disagreement, ImageManifest, Kind, inspect};

use super::*;

fn component() -> Vec<u8> {
    wat::parse_str(
        r#"(component (import "wasi:cli/exit@0.2.6" (instance (export "exit" (func)))))"#,
    )
    .unwrap()
}

fn true_config(layer: &[u8]) -> Vec<u8> {
    let inspection = inspect(layer).unwrap();
    WasmConfig::describe(&inspection, Digest::of(layer), None, None).to_bytes()
}

fn manifest(image: &ImageManifest) -> Manifest {
    Manifest::parse(image.to_bytes(), media_type::IMAGE_MANIFEST).unwrap()
}

fn artifact(config: &[u8], layers: &[&[u8]]) -> Manifest {
    let layers = layers
        .iter()
        .map(|layer| Descriptor::of(media_type::WASM, layer));
    let config = Descriptor::of(media_type::WASM_CONFIG, config);
    manifest(&ImageManifest::new(config, layers.collect()))
}

fn reason(content: Content) -> String {
    match content {
        Content::Unreadable { reason } => reason,
        other => panic!("expected unreadable content, got {other:?}"),
    }
}

#[test]
fn a_true_artifact_has_no_disagreements() {
    let layer = component();
    let config = true_config(&layer);
    let content = Content::gather(
        &artifact(&config, &[&layer]),
        Some(&config),
        Some(Wasm::from(layer.as_slice())),
    );
    let Content::Wasm {
        inspection,
        disagreements,
    } = content
    else {
        panic!("expected Wasm, got {content:?}");
    };
    assert_eq!(inspection.kind, Kind::Component);
    assert_eq!(inspection.imports[0].name, "wasi:cli/exit@0.2.6");
    assert_eq!(disagreements, []);
}

#[test]
fn a_config_that_hides_an_import_disagrees() {
    let layer = component();
    let config = true_config(&wat::parse_str("(component)").unwrap());
    let content = Content::gather(
        &artifact(&config, &[&layer]),
        Some(&config),
        Some(Wasm::from(layer.as_slice())),
    );
    let Content::Wasm { disagreements, .. } = content else {
        panic!("expected Wasm, got {content:?}");
    };
    let import = "wasi:cli/exit@0.2.6".to_owned();
    assert_eq!(
        disagreements,
        [
            Disagreement::Undeclared { import },
            Disagreement::LayerDigests
        ]
    );
}

#[test]
fn a_layout_without_a_claim_has_nothing_to_disagree_with() {
    let layer = component();
    let config = Descriptor::of("application/vnd.wasm.config.v1+json", b"{}");
    let layers = vec![Descriptor::of(
        "application/vnd.wasm.content.layer.v1+wasm",
        &layer,
    )];
    let manifest = manifest(&ImageManifest::new(config, layers));
    let content = Content::gather(&manifest, Some(b"{}"), Some(Wasm::from(layer.as_slice())));
    assert!(matches!(content, Content::Wasm { disagreements, .. } if disagreements.is_empty()));
}

#[test]
fn bytes_that_are_not_wasm_are_unreadable() {
    let config = true_config(&component());
    let text = b"fn main() {}";
    let content = Content::gather(
        &artifact(&config, &[text]),
        Some(&config),
        Some(Wasm::from(text.as_slice())),
    );
    assert!(reason(content).starts_with("this is not WebAssembly"));
}

#[test]
fn bytes_that_can_be_inspected_and_are_not_valid_are_unreadable() {
    // The body leaves nothing on the stack, and promises an i32.
    let layer = b"\0asm\x01\0\0\0\x01\x05\x01\x60\0\x01\x7f\x03\x02\x01\0\x0a\x04\x01\x02\0\x0b";
    assert!(inspect(layer).is_ok());
    let config = true_config(layer);
    let content = Content::gather(
        &artifact(&config, &[layer]),
        Some(&config),
        Some(Wasm::from(layer.as_slice())),
    );
    assert!(reason(content).contains("type mismatch"));
}

#[test]
fn two_layers_are_unreadable_whatever_the_second_is() {
    let layer = component();
    let config = true_config(&layer);
    let manifest = artifact(&config, &[&layer, &layer]);
    let content = Content::gather(&manifest, Some(&config), Some(Wasm::from(layer.as_slice())));
    assert_eq!(
        reason(content),
        "a Wasm artifact has one layer, and this has 2"
    );
}

#[test]
fn what_is_missing_is_named() {
    let layer = component();
    let config = true_config(&layer);
    let manifest = artifact(&config, &[&layer]);
    let content = Content::gather(&manifest, Some(&config), None);
    assert_eq!(reason(content), "its layer is not there");
    let content = Content::gather(&manifest, None, Some(Wasm::from(layer.as_slice())));
    assert_eq!(reason(content), "its config is not there");
}

#[test]
fn a_config_that_claims_nothing_is_no_place_for_wasm() {
    let layer = component();
    let of = |config: &[u8]| {
        let described = Descriptor::of("application/vnd.acme.config+json", config);
        let layers = vec![Descriptor::of(media_type::WASM, &layer)];
        let manifest = manifest(&ImageManifest::new(described, layers));
        Content::gather(&manifest, Some(config), Some(Wasm::from(layer.as_slice())))
    };
    assert!(matches!(of(b"{}"), Content::Wasm { .. }));
    for config in [component().as_slice(), b"PK\x03\x04", b"(module)"] {
        assert!(reason(of(config)).starts_with("its config is or may hold"));
    }
}

#[test]
fn wasm_in_a_descriptor_is_found_however_it_is_packed() {
    let with = |bytes: &[u8], base64: &str| {
        let mut child = serde_json::json!(Descriptor::of(
            "application/vnd.oci.image.layer.v1.tar",
            bytes
        ));
        child["data"] = serde_json::json!(base64);
        let index = serde_json::json!({ "schemaVersion": 2, "manifests": [child] });
        let bytes = index.to_string().into_bytes();
        let index = Manifest::parse(bytes, media_type::IMAGE_INDEX).unwrap();
        Content::embedded(&index)
    };
    assert_eq!(with(b"{}", "e30="), None);
    for (bytes, base64) in [
        (b"PK\x03\x04".as_slice(), "UEsDBA=="),
        (b"(component)", "KGNvbXBvbmVudCk="),
    ] {
        let found = with(bytes, base64).unwrap();
        assert!(reason(found).contains("is or may hold WebAssembly"));
    }
}
