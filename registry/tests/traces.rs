//! Traces, from the binary itself to a collector that takes OTLP over HTTP.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use reqwest::Client;
use tempfile::TempDir;
use tokio::net::TcpListener;
use wasmport_artifact::Digest;

const TRACE: u128 = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c;
const PARENT: u64 = 0xb7ad_6b71_6920_3331;

/// What a collector was sent.
type Spans = Arc<Mutex<Vec<Span>>>;

struct Registry {
    process: Child,
    url: String,
    _directory: TempDir,
}

impl Registry {
    /// Starts one that sends its traces to `collector`.
    fn start(collector: &str) -> Self {
        let directory = TempDir::new().unwrap();
        let policy = directory.path().join("policy.toml");
        std::fs::write(&policy, "schema = 1\ndefault = \"allow\"\n").unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_wasmport-registry"))
            .args(["--addr", "127.0.0.1:0", "--policy"])
            .arg(&policy)
            .arg("--store")
            .arg(directory.path().join("store"))
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector)
            .env_remove("RUST_LOG")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
        let addr = log.find_map(|line| {
            let line = line.unwrap();
            let (_, addr) = line.split_once("listening addr=")?;
            Some(addr.trim().to_owned())
        });
        // Nobody may be kept from writing to the log.
        std::thread::spawn(move || log.for_each(drop));
        Self {
            process,
            url: format!("http://{}", addr.unwrap()),
            _directory: directory,
        }
    }

    /// Stops it, and waits until it has ended.
    fn stop(mut self) {
        let id = self.process.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status();
        assert!(told.unwrap().success());
        assert!(self.process.wait().unwrap().success());
    }
}

async fn take(State(spans): State<Spans>, body: Bytes) {
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    let resources = request.resource_spans.into_iter();
    let scopes = resources.flat_map(|resource| resource.scope_spans);
    let new = scopes.flat_map(|scope| scope.spans);
    spans.lock().unwrap().extend(new);
}

async fn collector() -> (String, Spans) {
    let spans = Spans::default();
    let router = Router::new().route("/v1/traces", post(take));
    let router = router.with_state(Arc::clone(&spans));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, router).into_future());
    (url, spans)
}

fn text(span: &Span, key: &str) -> Option<String> {
    let found = span.attributes.iter().find(|one| one.key == key)?;
    match found.value.clone()?.value? {
        Value::StringValue(text) => Some(text),
        Value::IntValue(number) => Some(number.to_string()),
        other => panic!("{other:?}"),
    }
}

/// Pushes a manifest in the trace of a client, and gives its digest.
async fn push(url: &str) -> Digest {
    let client = Client::new();
    let (config, layer) = (b"{}".as_slice(), b"layer".as_slice());
    for blob in [config, layer] {
        let upload = format!(
            "{url}/v2/team/app/blobs/uploads/?digest={}",
            Digest::of(blob)
        );
        let pushed = client.post(upload).body(blob).send().await.unwrap();
        assert_eq!(pushed.status(), 201);
    }
    let (config_digest, layer_digest) = (Digest::of(config), Digest::of(layer));
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
        "config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{config_digest}","size":2}},
        "layers":[{{"mediaType":"application/octet-stream","digest":"{layer_digest}","size":5}}]}}"#
    );
    let put = client
        .put(format!("{url}/v2/team/app/manifests/1.0"))
        .header("content-type", "application/vnd.oci.image.manifest.v1+json")
        .header("traceparent", format!("00-{TRACE:032x}-{PARENT:016x}-01"))
        .body(manifest.clone());
    let answer = put.send().await.unwrap();
    assert_eq!(answer.status(), 201, "{}", answer.text().await.unwrap());
    Digest::of(manifest.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_is_a_span_with_its_steps_in_the_trace_of_the_client() {
    let (url, spans) = collector().await;
    let registry = Registry::start(&url);
    let digest = push(&registry.url).await;
    let missing = format!("{}/v2/team/app/manifests/none", registry.url);
    assert_eq!(
        Client::new().get(missing).send().await.unwrap().status(),
        404
    );
    // What is left is sent before it ends.
    tokio::task::spawn_blocking(move || registry.stop())
        .await
        .unwrap();

    let spans = spans.lock().unwrap();
    let named = |name: &str| {
        spans
            .iter()
            .filter(|span| span.name == name)
            .collect::<Vec<_>>()
    };
    let put = named("PUT /v2/{name}/manifests/{reference}");
    assert_eq!(put.len(), 1, "{spans:#?}");
    let put = put[0];
    assert_eq!(put.trace_id, TRACE.to_be_bytes());
    assert_eq!(put.parent_span_id, PARENT.to_be_bytes());
    let digest = digest.to_string();
    for (key, value) in [
        ("http.request.method", "PUT"),
        ("http.route", "/v2/{name}/manifests/{reference}"),
        ("http.response.status_code", "201"),
        ("repository", "team/app"),
        ("reference", "1.0"),
        ("digest", digest.as_str()),
    ] {
        assert_eq!(text(put, key).as_deref(), Some(value), "{key}");
    }
    let in_trace = |name: &str| {
        let found = named(name)
            .into_iter()
            .find(|span| span.trace_id == put.trace_id);
        found.unwrap_or_else(|| panic!("no `{name}` in {spans:#?}"))
    };
    let admission = in_trace("admission");
    assert_eq!(admission.parent_span_id, put.span_id);
    assert_eq!(in_trace("inspection").parent_span_id, admission.span_id);
    assert_eq!(in_trace("commit").parent_span_id, admission.span_id);
    // What came without a trace has one of its own.
    let get = named("GET /v2/{name}/manifests/{reference}")[0];
    assert_ne!(get.trace_id, put.trace_id);
    assert_eq!(
        text(get, "http.response.status_code").as_deref(),
        Some("404")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_never_answers_holds_nobody_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let registry = Registry::start(&format!("http://{}", listener.local_addr().unwrap()));
    let client = Client::new();
    let url = format!("{}/v2/", registry.url);
    // More than wait in the queue, and more than one batch.
    for _ in 0..3000 {
        assert_eq!(client.get(&url).send().await.unwrap().status(), 200);
    }
    let begun = Instant::now();
    tokio::task::spawn_blocking(move || registry.stop())
        .await
        .unwrap();
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
    drop(listener);
}
