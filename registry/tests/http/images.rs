//! Images of another kind that carry Wasm: what is in their layers is read, whatever it is
//! called and however it is packed.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use wasmport_artifact::{Descriptor, Digest, ImageManifest, media_type};

use crate::artifact::{Artifact, CALLER, HELLO, wasm};
use crate::registry::{Answer, Registry};

const TAR_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const DOCKER_TAR: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";
const SPIN: &str = "application/vnd.wasm.content.layer.v1+wasm";
const SPIN_DATA: &str = "application/vnd.wasm.content.bundle.v1.tar+gzip";
const ENVOY: &str = "application/vnd.module.wasm.content.layer.v1+wasm";

/// A gzip'ed archive of these files.
fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let mut builder = tar::Builder::new(encoder);
    for (path, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        builder.append_data(&mut header, path, *bytes).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

/// An image with these layers.
fn image(config: &str, layers: Vec<(&str, Vec<u8>)>) -> Artifact {
    let describe = |(kind, bytes): &(&str, Vec<u8>)| Descriptor::of(kind, bytes);
    let manifest = ImageManifest::new(
        Descriptor::of(config, b"{}"),
        layers.iter().map(describe).collect(),
    );
    let layers = layers.into_iter().map(|(_, bytes)| bytes);
    Artifact {
        manifest: manifest.to_bytes(),
        blobs: std::iter::once(b"{}".to_vec()).chain(layers).collect(),
    }
}

fn imports(answer: &Answer) -> Vec<String> {
    let body = answer.json();
    let finding = &body["errors"][0]["detail"]["findings"][0];
    let found = finding["found"].as_array().unwrap();
    let import = |found: &Value| found["import"].as_str().map(str::to_owned);
    found.iter().filter_map(import).collect()
}

#[tokio::test]
async fn wasm_in_an_image_is_decided_like_an_artifact() {
    let registry = Registry::start().await;
    let other = archive(&[("etc/motd", b"hello")]);
    for (name, config, kind) in [
        ("oci", media_type::IMAGE_CONFIG, TAR_GZIP),
        (
            "docker",
            "application/vnd.docker.container.image.v1+json",
            DOCKER_TAR,
        ),
        (
            "any",
            "application/vnd.acme.config",
            "application/octet-stream",
        ),
    ] {
        let good = archive(&[("bin/tool", &wasm(HELLO))]);
        let good = image(config, vec![(kind, other.clone()), (kind, good)]);
        let answer = registry.push(name, "1.0", &good).await;
        assert_eq!(answer.status, 201, "{name}: {}", answer.text());
        let bad = archive(&[("etc/x", b"y"), ("usr/lib/libc.so", &wasm(CALLER))]);
        let bad = image(config, vec![(kind, other.clone()), (kind, bad)]);
        let answer = registry.push(name, "1.0", &bad).await;
        assert!(
            answer.findings().contains(&"import-not-allowed".to_owned()),
            "{name}"
        );
        assert_eq!(
            imports(&answer)[0],
            "wasi:sockets/tcp-create-socket@0.2.6",
            "{name}"
        );
        // What was refused cannot be had by its layer.
        let layer = format!("/v2/{name}/blobs/{}", Digest::of(bad.layer()));
        assert_eq!(registry.get(&layer).await.status, 404, "{name}");
        let layer = format!("/v2/{name}/blobs/{}", Digest::of(&other));
        assert_eq!(registry.get(&layer).await.status, 200, "{name}");
    }
}

#[tokio::test]
async fn applications_of_spin_and_filters_of_envoy_are_looked_through() {
    let registry = Registry::start().await;
    let files = archive(&[("static/index.html", b"<p>")]);
    for (name, kind, more) in [
        ("spin", SPIN, (SPIN_DATA, files)),
        (
            "envoy",
            ENVOY,
            ("application/vnd.module.wasm.config.v1+json", b"{}".to_vec()),
        ),
    ] {
        let good = vec![(kind, wasm(HELLO)), more.clone()];
        let answer = registry
            .push(name, "1.0", &image(media_type::IMAGE_CONFIG, good))
            .await;
        assert_eq!(answer.status, 201, "{name}: {}", answer.text());
        let bad = vec![(kind, wasm(HELLO)), (kind, wasm(CALLER)), more];
        let answer = registry
            .push(name, "1.0", &image(media_type::IMAGE_CONFIG, bad))
            .await;
        assert!(
            answer.findings().contains(&"import-not-allowed".to_owned()),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_layer_that_comes_late_is_looked_through_when_it_is_there() {
    let registry = Registry::start().await;
    let layer = archive(&[("app", &wasm(CALLER))]);
    let image = image(media_type::IMAGE_CONFIG, vec![(TAR_GZIP, layer.clone())]);
    registry.push_blob("app", b"{}").await;
    let kind = media_type::IMAGE_MANIFEST;
    let answer = registry
        .put_manifest("app", "1.0", kind, &image.manifest)
        .await;
    assert_eq!(answer.status, 201);
    for _ in 0..2 {
        let answer = registry.get("/v2/app/manifests/1.0").await;
        assert_eq!(answer.status, 200);
    }
    registry.push_blob("app", &layer).await;
    for _ in 0..2 {
        let answer = registry.get("/v2/app/manifests/1.0").await;
        assert!(answer.findings().contains(&"import-not-allowed".to_owned()));
    }
}

#[tokio::test]
async fn a_chart_and_other_archives_without_wasm_are_nothing_special() {
    let registry = Registry::start().await;
    let chart = archive(&[("chart/Chart.yaml", b"name: chart")]);
    let config = "application/vnd.cncf.helm.config.v1+json";
    let kind = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
    let chart = image(config, vec![(kind, chart)]);
    let answer = registry.push("chart", "1.0", &chart).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert!(!answer.has_header("warning"));
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(b"{}").unwrap();
    let sbom = encoder.finish().unwrap();
    let sbom = image(
        "application/vnd.acme.config",
        vec![("application/gzip", sbom)],
    );
    assert_eq!(registry.push("sbom", "1.0", &sbom).await.status, 201);
}
