//! Artifacts to push, made of text.

use wasmport_artifact::{Descriptor, Digest, ImageManifest, WasmConfig, inspect, media_type};

/// A manifest, and the blobs that it names.
#[derive(Clone)]
pub(crate) struct Artifact {
    pub(crate) manifest: Vec<u8>,
    pub(crate) blobs: Vec<Vec<u8>>,
}

impl Artifact {
    /// A component with an honest config.
    pub(crate) fn component(text: &str) -> Self {
        let layer = wasm(text);
        let inspection = inspect(&layer).unwrap();
        let config = WasmConfig::describe(&inspection, Digest::of(&layer), None, None);
        Self::of(config.to_bytes(), vec![(media_type::WASM, layer)])
    }

    /// Anything under the config of a component that imports nothing.
    pub(crate) fn claiming_to_be_wasm(layer: &[u8]) -> Self {
        let empty = inspect(&wasm("(component)")).unwrap();
        let config = WasmConfig::describe(&empty, Digest::of(layer), None, None);
        Self::of(config.to_bytes(), vec![(media_type::WASM, layer.to_vec())])
    }

    /// This config over these layers.
    pub(crate) fn of(config: Vec<u8>, layers: Vec<(&str, Vec<u8>)>) -> Self {
        let describe = |(kind, bytes): &(&str, Vec<u8>)| Descriptor::of(kind, bytes);
        let manifest = ImageManifest::new(
            Descriptor::of(media_type::WASM_CONFIG, &config),
            layers.iter().map(describe).collect(),
        );
        let layers = layers.into_iter().map(|(_, bytes)| bytes);
        Self {
            manifest: manifest.to_bytes(),
            blobs: std::iter::once(config).chain(layers).collect(),
        }
    }

    /// Something that is no Wasm, with `subject` and `kind` where they are given.
    pub(crate) fn other(layer: &[u8], subject: Option<Descriptor>, kind: Option<&str>) -> Self {
        let mut manifest = ImageManifest::new(
            Descriptor::of(media_type::EMPTY, b"{}"),
            vec![Descriptor::of("text/plain", layer)],
        );
        manifest.subject = subject;
        manifest.artifact_type = kind.map(str::to_owned);
        Self {
            manifest: manifest.to_bytes(),
            blobs: vec![b"{}".to_vec(), layer.to_vec()],
        }
    }

    pub(crate) fn digest(&self) -> Digest {
        Digest::of(&self.manifest)
    }

    pub(crate) fn descriptor(&self) -> Descriptor {
        Descriptor::of(media_type::IMAGE_MANIFEST, &self.manifest)
    }

    /// The last blob.
    pub(crate) fn layer(&self) -> &[u8] {
        self.blobs.last().unwrap()
    }
}

/// What the standard preset admits: it writes to standard output.
pub(crate) fn hello() -> Artifact {
    Artifact::component(HELLO)
}

/// Another one that it admits.
pub(crate) fn hello_again() -> Artifact {
    Artifact::component(
        r#"(component
            (import "wasi:cli/stdout@0.2.6" (instance (export "get-stdout" (func))))
            (import "wasi:cli/stderr@0.2.6" (instance (export "get-stderr" (func)))))"#,
    )
}

/// What it does not admit: it opens connections.
pub(crate) fn caller() -> Artifact {
    Artifact::component(CALLER)
}

pub(crate) fn wasm(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

pub(crate) const HELLO: &str = r#"(component
    (import "wasi:cli/stdout@0.2.6" (instance (export "get-stdout" (func)))))"#;

pub(crate) const CALLER: &str = r#"(component
    (import "wasi:cli/stdout@0.2.6" (instance (export "get-stdout" (func))))
    (import "wasi:sockets/tcp-create-socket@0.2.6"
        (instance (export "create-tcp-socket" (func))))
    (import "wasi:sockets/udp-create-socket@0.2.6"
        (instance (export "create-udp-socket" (func)))))"#;
