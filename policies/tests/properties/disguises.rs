//! Whatever is written around Wasm, it is judged no more mildly than without.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use wasmport_artifact::{Descriptor, ImageManifest, Manifest, media_type};
use wasmport_policies::{Content, Facts, ImageSurvey, Part, Policy, Verdict, decide};

use crate::made::TODAY;

const TAR: &str = "application/vnd.oci.image.layer.v1.tar";
const KINDS: [&str; 8] = [
    media_type::WASM,
    media_type::SIMPLE_SIGNING,
    media_type::DSSE_ENVELOPE,
    media_type::SIGSTORE_BUNDLE,
    media_type::EMPTY,
    "text/spdx",
    "text/plain",
    TAR,
];
const CONFIGS: [&str; 6] = [
    media_type::WASM_CONFIG,
    "application/vnd.wasm.config.v1+json",
    media_type::IMAGE_CONFIG,
    media_type::EMPTY,
    "application/vnd.docker.container.image.v1+json",
    "application/vnd.acme.config+json",
];
const MANIFESTS: [&str; 4] = [
    media_type::IMAGE_MANIFEST,
    media_type::DOCKER_MANIFEST,
    media_type::ARTIFACT_MANIFEST,
    "application/vnd.acme.manifest+json",
];
const RULES: [&str; 6] = [
    "allow = [\"std\"]",
    "allow = [\"*\"]\nkinds = [\"component\"]",
    "allow = [\"*\"]\nkinds = [\"wasm-image\"]",
    "allow = [\"*\"]\nkinds = [\"other\"]",
    "allow = [\"std\"]\ninspect = \"required\"",
    "allow = [\"*\"]\nsignatures = { require = 1, from = [\"a\"] }\n[signer.a]\nkey = \"a\"",
];

/// A layer, and how it is named by who hides nothing.
#[derive(Clone, Debug)]
struct Layer {
    honest: &'static str,
    bytes: Vec<u8>,
}

/// What may be written around layers.
#[derive(Clone, Debug)]
struct Around {
    manifest: &'static str,
    config: &'static str,
    artifact_type: Option<&'static str>,
    has_subject: bool,
    /// The types of the layers, where they are not the honest ones.
    kinds: Vec<Option<&'static str>>,
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn tar(bytes: &[u8]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    builder.append_data(&mut header, "app", bytes).unwrap();
    builder.into_inner().unwrap()
}

/// A layer with Wasm in it, or with something that cannot be looked into.
fn layer() -> impl Strategy<Value = Layer> {
    let programs = [
        r#"(component (import "wasi:cli/stdout@0.2.6" (instance (export "get-stdout" (func)))))"#,
        r#"(component (import "wasi:sockets/tcp-create-socket@0.2.6" (instance (export "create-tcp-socket" (func)))))"#,
        r#"(module (import "env" "f" (func)))"#,
    ];
    let wasm = select(programs.map(|wat| wat::parse_str(wat).unwrap()).to_vec());
    (wasm, 0..5).prop_map(|(wasm, form)| {
        let (honest, bytes) = match form {
            0 => (media_type::WASM, wasm),
            1 => (TAR, tar(&wasm)),
            2 => (TAR, gzip(&tar(&wasm))),
            3 => ("application/gzip", gzip(&wasm)),
            _ => (TAR, tar(&wasm[..wasm.len() - 1])),
        };
        Layer { honest, bytes }
    })
}

fn around() -> impl Strategy<Value = Around> {
    let kinds = prop::collection::vec(option::of(select(KINDS.to_vec())), 2);
    let artifact_type = option::of(select([KINDS.as_slice(), CONFIGS.as_slice()].concat()));
    let parts = (
        select(MANIFESTS.to_vec()),
        select(CONFIGS.to_vec()),
        artifact_type,
        any::<bool>(),
        kinds,
    );
    parts.prop_map(
        |(manifest, config, artifact_type, has_subject, kinds)| Around {
            manifest,
            config,
            artifact_type,
            has_subject,
            kinds,
        },
    )
}

/// The manifest of these layers.
fn manifest(layers: &[Layer], around: &Around) -> Manifest {
    let kinds = around.kinds.iter().chain(std::iter::repeat(&None));
    let layers = layers.iter().zip(kinds);
    let described =
        layers.map(|(layer, kind)| Descriptor::of(kind.unwrap_or(layer.honest), &layer.bytes));
    let mut image = ImageManifest::new(Descriptor::of(around.config, b"{}"), described.collect());
    image.artifact_type = around.artifact_type.map(str::to_owned);
    image.subject = around
        .has_subject
        .then(|| Descriptor::of(media_type::WASM, b"subject"));
    let text = String::from_utf8(image.to_bytes()).unwrap();
    let text = text.replacen(media_type::IMAGE_MANIFEST, around.manifest, 1);
    Manifest::parse(text.into_bytes(), around.manifest).unwrap()
}

/// What the registry finds in it.
fn content(layers: &[Layer], manifest: &Manifest) -> Content {
    if Content::is_single(manifest) {
        return Content::gather(
            manifest,
            Some(b"{}"),
            Some(layers[0].bytes.as_slice().into()),
        );
    }
    let mut survey = ImageSurvey::default();
    for part in Part::all(manifest) {
        let mut layers = layers.iter().zip(manifest.layers());
        let layer = layers.find(|(_, described)| *described == part.described);
        let bytes = layer.map_or(b"{}".as_slice(), |(layer, _)| &layer.bytes);
        if let Some(disguised) = part.disguised(bytes) {
            return disguised;
        }
        survey.look_through(part.described, &mut &*bytes);
    }
    survey.finish(manifest)
}

fn verdict(rule: &str, layers: &[Layer], around: &Around) -> Verdict {
    let text = format!("schema = 1\n[[rule]]\nid = \"r\"\nrepositories = [\"**\"]\n{rule}\n");
    let manifest = manifest(layers, around);
    let content = content(layers, &manifest);
    let facts = Facts::of("app".parse().unwrap(), &manifest, content);
    decide(&Policy::parse("p.toml", &text).unwrap(), &facts, TODAY).verdict
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// Neither a subject nor a type, of whatever, makes a verdict milder.
    #[test]
    fn what_is_written_around_wasm_makes_nothing_milder(
        layers in prop::collection::vec(layer(), 1..3),
        around in around(),
    ) {
        let honest = Around {
            manifest: media_type::IMAGE_MANIFEST,
            config: media_type::IMAGE_CONFIG,
            artifact_type: None,
            has_subject: false,
            kinds: Vec::new(),
        };
        for rule in RULES {
            let (before, after) = (verdict(rule, &layers, &honest), verdict(rule, &layers, &around));
            prop_assert!(after >= before, "{rule}: {before:?} becomes {after:?}");
        }
    }
}
