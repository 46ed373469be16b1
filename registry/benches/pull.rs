//! What a pull costs in the process, with and without the gate: from a request to an answer, over a store in
//! memory.
//!
//! `cargo bench -p wasmport-registry`. The aim of a decision that was taken before is 5 µs: it is the difference
//! between `signed` and `permissive`.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a measurement that cannot go on has failed; the macros of divan document nothing"
)]

use std::collections::BTreeMap;
use std::fs;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use tokio::runtime::{Builder, Runtime};
use tower_service::Service as _;
use wasmport_artifact::{Descriptor, Digest, ImageManifest, WasmConfig, inspect, media_type};
use wasmport_registry::storage::Store;
use wasmport_registry::{App, CacheSettings, LoadedPolicy, router};
use wasmport_signature::{PrivateKey, Signature, bundle_manifest, sign_bundle};

const SIGNED: &str = "schema = 1\n[[rule]]\nid = \"signed\"\nrepositories = [\"**\"]\nallow = [\"std\"]\n\
    signatures = { require = 1, from = [\"release\"] }\n[signer.release]\nkey = \"release.pub\"\n";

fn main() {
    divan::main();
}

/// A registry with one signed component, and a way to ask it.
struct Registry {
    runtime: Runtime,
    routes: Router,
}

impl Registry {
    fn start(policy: &str, cache: &CacheSettings) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let key = PrivateKey::generate().unwrap();
        let app = runtime.block_on(async {
            let mut app = App::open(Store::in_memory(), load(policy, &key))
                .await
                .unwrap();
            app.set_cache(cache);
            app
        });
        let mut registry = Self {
            runtime,
            routes: router(app),
        };
        registry.fill(&key);
        registry
    }

    fn fill(&mut self, key: &PrivateKey) {
        let layer = wat::parse_str(
            "(component (import \"wasi:cli/stdout@0.2.6\" (instance (export \"get-stdout\" (func)))))",
        );
        let layer = layer.unwrap();
        let config =
            WasmConfig::describe(&inspect(&layer).unwrap(), Digest::of(&layer), None, None);
        let config = config.to_bytes();
        let described = Descriptor::of(media_type::WASM_CONFIG, &config);
        let layers = vec![Descriptor::of(media_type::WASM, &layer)];
        let manifest = ImageManifest::new(described, layers).to_bytes();
        let subject = Descriptor::of(media_type::IMAGE_MANIFEST, &manifest);
        let Ok(Signature::Bundle { bytes }) = sign_bundle(key, &subject.digest, &BTreeMap::new())
        else {
            return;
        };
        let bundle = bundle_manifest(&bytes, subject, "2026-11-21T00:00:00Z").to_bytes();
        for blob in [config.as_slice(), &layer, b"{}", &bytes] {
            let path = format!("/v2/app/blobs/uploads/?digest={}", Digest::of(blob));
            self.send(
                Method::POST,
                &path,
                "application/octet-stream",
                blob,
                StatusCode::CREATED,
            );
        }
        for (reference, manifest) in [
            (Digest::of(&bundle).to_string(), &bundle),
            ("1.0".to_owned(), &manifest),
        ] {
            let path = format!("/v2/app/manifests/{reference}");
            self.send(
                Method::PUT,
                &path,
                media_type::IMAGE_MANIFEST,
                manifest,
                StatusCode::CREATED,
            );
        }
    }

    fn send(&mut self, method: Method, path: &str, kind: &str, body: &[u8], expected: StatusCode) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::CONTENT_TYPE, kind);
        let request = request.body(Body::from(body.to_vec())).unwrap();
        let answer = self.runtime.block_on(self.routes.call(request)).unwrap();
        assert_eq!(answer.status(), expected, "{path}");
    }

    fn pull(&mut self) {
        self.send(
            Method::GET,
            "/v2/app/manifests/1.0",
            "",
            b"",
            StatusCode::OK,
        );
    }
}

fn load(policy: &str, key: &PrivateKey) -> LoadedPolicy {
    if policy != "signed" {
        return LoadedPolicy::load(policy).unwrap();
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("policy.toml");
    fs::write(
        directory.path().join("release.pub"),
        key.public_key().to_pem(),
    )
    .unwrap();
    fs::write(&path, SIGNED).unwrap();
    LoadedPolicy::load(path.to_str().unwrap()).unwrap()
}

/// The whole answer was kept.
#[divan::bench(args = ["preset:permissive", "signed"])]
fn answer_kept(bencher: divan::Bencher<'_, '_>, policy: &str) {
    let mut registry = Registry::start(policy, &CacheSettings::default());
    registry.pull();
    bencher.bench_local(|| registry.pull());
}

/// Only the decision was kept: what it depends on is looked up at each pull.
#[divan::bench(args = ["preset:permissive", "signed"])]
fn decision_kept(bencher: divan::Bencher<'_, '_>, policy: &str) {
    let cache = serde_json::from_value(serde_json::json!({ "manifests": 0 })).unwrap();
    let mut registry = Registry::start(policy, &cache);
    registry.pull();
    bencher.bench_local(|| registry.pull());
}
