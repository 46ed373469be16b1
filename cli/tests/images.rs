//! `wasmport check` looks through images as the registry does: of a layout before it is pushed, and
//! of what a registry has.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod command;

use std::fs;
use std::path::Path;

use command::{Answer, Registry, Sandbox};
use serde_json::{Value, json};
use wasmport_artifact::{Descriptor, ImageManifest, media_type};

const TAR: &str = "application/vnd.oci.image.layer.v1.tar";
const SOCKETS: &str = r#"(component
    (import "wasi:sockets/tcp-create-socket@0.2.6" (instance (export "create-tcp-socket" (func)))))"#;

fn wasm(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        builder.append_data(&mut header, path, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

/// A layout with an image of these layers.
fn layout(directory: &Path, layers: &[(&str, Vec<u8>)]) {
    let blobs = directory.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let store = |kind: &str, bytes: &[u8]| {
        let described = Descriptor::of(kind, bytes);
        fs::write(blobs.join(described.digest.hex()), bytes).unwrap();
        described
    };
    let layers = layers.iter().map(|(kind, bytes)| store(kind, bytes));
    let image = ImageManifest::new(store(media_type::IMAGE_CONFIG, b"{}"), layers.collect());
    let manifest = store(media_type::IMAGE_MANIFEST, &image.to_bytes());
    let index = json!({
        "schemaVersion": 2,
        "mediaType": media_type::IMAGE_INDEX,
        "manifests": [manifest],
    });
    fs::write(directory.join("index.json"), index.to_string()).unwrap();
    fs::write(
        directory.join("oci-layout"),
        r#"{"imageLayoutVersion":"1.0.0"}"#,
    )
    .unwrap();
}

/// The findings, wherever they are in an answer.
fn findings(value: &Value) -> Vec<Value> {
    match value {
        Value::Object(fields) => match fields.get("findings") {
            Some(Value::Array(found)) => found.clone(),
            _ => fields.values().flat_map(findings).collect(),
        },
        Value::Array(items) => items.iter().flat_map(findings).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn a_layout_is_judged_as_the_registry_judges_it() {
    let sandbox = Sandbox::new();
    let registry = Registry::start(&sandbox, "preset:standard");
    let hello = wasm("(component)");
    let text = b"text".as_slice();
    for (name, expected, layers) in [
        ("plain", None, vec![(TAR, tar(&[("etc/motd", text)]))]),
        ("good", None, vec![(TAR, tar(&[("bin/app", &hello)]))]),
        (
            "sockets",
            Some("import-not-allowed"),
            vec![
                (TAR, tar(&[("etc/motd", text)])),
                (TAR, tar(&[("lib/x.so", &wasm(SOCKETS))])),
            ],
        ),
        (
            "broken",
            Some("unreadable-wasm"),
            vec![(TAR, tar(&[("app", &hello[..7])]))],
        ),
        (
            "disguised",
            Some("unreadable-wasm"),
            vec![("text/plain", hello.clone())],
        ),
        (
            "half",
            Some("not-inspected"),
            vec![(TAR, tar(&[("app", &hello), ("x.zip", b"PK\x03\x04rest")]))],
        ),
    ] {
        layout(&sandbox.path().join(name), &layers);
        let answer = |words: &[&str]| Answer::of(sandbox.command(words).args(["--format", "json"]));
        let checked = answer(&["check", name, "--repository", &format!("team/{name}")]).json();
        let here = findings(&checked);
        let code = here
            .first()
            .map(|finding| finding["code"].as_str().unwrap());
        assert_eq!(code, expected, "{name}: {checked:#}");
        let reference = registry.reference(&format!("team/{name}:1.0"));
        let pushed = answer(&["push", name, &reference]);
        if checked["verdict"] == "admit" {
            pushed.json();
            let there = answer(&["check", &reference]).json();
            assert_eq!(findings(&there), here, "{name}: {there:#}");
        } else if name == "disguised" {
            // That is not even sent: everyone's registry would have to guess.
            let said = pushed.json()["error"]["message"].to_string();
            assert!(said.contains("its media type is `text/plain`"), "{said}");
        } else {
            assert_eq!(
                findings(&pushed.json()),
                here,
                "{name}: {:#}",
                pushed.json()
            );
        }
    }
}

#[test]
fn a_layer_that_is_not_what_its_digest_says_is_not_believed() {
    let sandbox = Sandbox::new();
    let layer = tar(&[("etc/motd", b"text")]);
    let described = Descriptor::of(TAR, &layer);
    layout(&sandbox.path().join("image"), &[(TAR, layer)]);
    let path = format!("image/blobs/sha256/{}", described.digest.hex());
    sandbox.write(&path, b"other bytes");
    let checked = sandbox.run(&["check", "image"]);
    let text = format!("{}{}", checked.stdout, checked.stderr);
    assert!(
        text.contains("unreadable-wasm") && text.contains("has the digest"),
        "{text}"
    );
}
