//! A registry in memory, with a hook that may answer in its place. What it does when it is
//! left alone is what the distribution specification asks for, and no more.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, Uri};
use axum::response::Response;
use serde_json::{Value, json};
use wasmport_artifact::{Digest, Reference};
use wasmport_client::{Access, Backoff, ClientError, Registry};

/// Answers instead of the registry, or not. Gets the request and how many of the same
/// method and path came before it.
type Hook = dyn Fn(&Call, usize) -> Option<Response> + Send + Sync;

/// One request, without its body.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) host: Option<String>,
    pub(crate) authorization: Option<String>,
}

impl Call {
    /// True for this method and a path that holds `part`.
    pub(crate) fn is(&self, method: &str, part: &str) -> bool {
        self.method == method && self.path.contains(part)
    }
}

#[derive(Default)]
struct Content {
    blobs: BTreeMap<String, Bytes>,
    manifests: BTreeMap<String, (String, Bytes)>,
    tags: BTreeMap<String, String>,
}

struct Shared {
    hook: Box<Hook>,
    has_referrers_api: bool,
    calls: Mutex<Vec<Call>>,
    content: Mutex<Content>,
}

/// A running stand-in. It stops with the test's runtime.
#[derive(Clone)]
pub(crate) struct StandIn {
    host: String,
    shared: Arc<Shared>,
}

impl StandIn {
    pub(crate) async fn start() -> Self {
        Self::run(true, |_, _| None).await
    }

    pub(crate) async fn without_referrers_api() -> Self {
        Self::run(false, |_, _| None).await
    }

    pub(crate) async fn with(
        hook: impl Fn(&Call, usize) -> Option<Response> + Send + Sync + 'static,
    ) -> Self {
        Self::run(true, hook).await
    }

    async fn run(
        has_referrers_api: bool,
        hook: impl Fn(&Call, usize) -> Option<Response> + Send + Sync + 'static,
    ) -> Self {
        let shared = Arc::new(Shared {
            hook: Box::new(hook),
            has_referrers_api,
            calls: Mutex::default(),
            content: Mutex::default(),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let router = Router::new().fallback(handle).with_state(shared.clone());
        tokio::spawn(async { axum::serve(listener, router).await });
        Self { host, shared }
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn reference(&self, selector: &str) -> Reference {
        format!("{}/team/app{selector}", self.host).parse().unwrap()
    }

    pub(crate) async fn connect(&self) -> Registry {
        self.connect_with(&access()).await.unwrap()
    }

    pub(crate) async fn connect_with(&self, access: &Access) -> Result<Registry, ClientError> {
        Registry::connect(&self.reference(":1"), access).await
    }

    /// Puts content there without a request.
    pub(crate) fn hold_blob(&self, content: &[u8]) {
        let digest = Digest::of(content).to_string();
        let content = Bytes::copy_from_slice(content);
        self.shared
            .content
            .lock()
            .unwrap()
            .blobs
            .insert(digest, content);
    }

    pub(crate) fn hold_manifest(&self, tag: &str, media_type: &str, content: &[u8]) {
        let digest = Digest::of(content).to_string();
        let mut held = self.shared.content.lock().unwrap();
        let manifest = (media_type.to_owned(), Bytes::copy_from_slice(content));
        held.manifests.insert(digest.clone(), manifest);
        held.tags.insert(tag.to_owned(), digest);
    }

    pub(crate) fn blob(&self, digest: &Digest) -> Option<Bytes> {
        let content = self.shared.content.lock().unwrap();
        content.blobs.get(digest.as_str()).cloned()
    }

    pub(crate) fn manifest(&self, tag: &str) -> Option<Value> {
        let content = self.shared.content.lock().unwrap();
        let (_, bytes) = content.manifests.get(content.tags.get(tag)?)?;
        Some(serde_json::from_slice(bytes).unwrap())
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.shared.calls.lock().unwrap().clone()
    }

    /// How many requests had this method and a path that holds `part`.
    pub(crate) fn count(&self, method: &str, part: &str) -> usize {
        let calls = self.calls();
        calls.iter().filter(|call| call.is(method, part)).count()
    }
}

/// Tries twice more, and at once.
pub(crate) fn access() -> Access {
    Access {
        backoff: Backoff {
            attempts: 3,
            first: Duration::from_millis(1),
            longest: Duration::from_millis(5),
        },
        ..Access::default()
    }
}

pub(crate) fn answer(status: u16, body: impl Into<Body>) -> Response {
    Response::builder()
        .status(status)
        .body(body.into())
        .unwrap()
}

pub(crate) fn answer_with(
    status: u16,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> Response {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(body.into()).unwrap()
}

/// A body that promises more than it gives.
pub(crate) fn truncated(content: &[u8], promised: usize) -> Response {
    let pieces = [
        Ok(Bytes::copy_from_slice(content)),
        Err(std::io::Error::other("the other side went away")),
    ];
    let body = Body::from_stream(futures_util::stream::iter(pieces));
    answer_with(200, &[("content-length", &promised.to_string())], body)
}

async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let text = |name: &str| {
        let value = head.headers.get(name)?;
        Some(value.to_str().unwrap().to_owned())
    };
    let call = Call {
        method: head.method.clone(),
        path: head.uri.to_string(),
        host: text("host"),
        authorization: text("authorization"),
    };
    let before = {
        let mut calls = shared.calls.lock().unwrap();
        let is_same = |other: &&Call| other.method == call.method && other.path == call.path;
        let before = calls.iter().filter(is_same).count();
        calls.push(call.clone());
        before
    };
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    if let Some(response) = (shared.hook)(&call, before) {
        return response;
    }
    let media_type = text("content-type").unwrap_or_default();
    shared.route(&head.method, &head.uri, &media_type, body)
}

impl Shared {
    fn route(&self, method: &Method, uri: &Uri, media_type: &str, body: Bytes) -> Response {
        let (path, query) = (uri.path(), uri.query());
        if path == "/v2/" {
            return answer(200, "{}");
        }
        let Some(rest) = path.strip_prefix("/v2/team/app/") else {
            return answer(404, "no such repository");
        };
        let (kind, name) = rest.split_once('/').unwrap();
        match (method.as_str(), kind, name) {
            ("POST", "blobs", _) => answer_with(
                202,
                &[("location", "/v2/team/app/blobs/uploads/1?state=x")],
                "",
            ),
            ("PUT", "blobs", _) => self.put_blob(query.unwrap_or_default(), body),
            ("PUT", "manifests", name) => self.put_manifest(name, media_type, body),
            ("GET" | "HEAD", "blobs", digest) => self.get_blob(digest),
            ("GET" | "HEAD", "manifests", name) => self.get_manifest(name),
            ("GET", "referrers", subject) if self.has_referrers_api => self.referrers(subject),
            ("GET", "tags", "list") => self.tags(),
            _ => answer(404, "404 page not found"),
        }
    }

    fn put_blob(&self, query: &str, body: Bytes) -> Response {
        let wanted = query.split("digest=").nth(1).unwrap().replace("%3A", ":");
        if Digest::of(&body).as_str() != wanted {
            return answer(
                400,
                r#"{"errors":[{"code":"DIGEST_INVALID","message":"differs"}]}"#,
            );
        }
        let location = format!("/v2/team/app/blobs/{wanted}");
        self.content.lock().unwrap().blobs.insert(wanted, body);
        answer_with(201, &[("location", &location)], "")
    }

    fn put_manifest(&self, name: &str, media_type: &str, body: Bytes) -> Response {
        let digest = Digest::of(&body).to_string();
        let view: Value = serde_json::from_slice(&body).unwrap();
        let mut content = self.content.lock().unwrap();
        if name != digest {
            content.tags.insert(name.to_owned(), digest.clone());
        }
        let manifest = (media_type.to_owned(), body);
        content.manifests.insert(digest.clone(), manifest);
        let mut headers = vec![("docker-content-digest", digest.as_str())];
        if let Some(subject) = view["subject"]["digest"].as_str()
            && self.has_referrers_api
        {
            headers.push(("oci-subject", subject));
        }
        answer_with(201, &headers, "")
    }

    fn get_blob(&self, digest: &str) -> Response {
        match self.content.lock().unwrap().blobs.get(digest) {
            Some(blob) => answer(200, blob.clone()),
            None => answer(
                404,
                r#"{"errors":[{"code":"BLOB_UNKNOWN","message":"not here"}]}"#,
            ),
        }
    }

    fn get_manifest(&self, name: &str) -> Response {
        let content = self.content.lock().unwrap();
        let digest = content.tags.get(name).map_or(name, String::as_str);
        let Some((media_type, bytes)) = content.manifests.get(digest) else {
            return answer(
                404,
                r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"not here"}]}"#,
            );
        };
        let headers = [
            ("content-type", media_type.as_str()),
            ("docker-content-digest", digest),
        ];
        answer_with(200, &headers, bytes.clone())
    }

    fn referrers(&self, subject: &str) -> Response {
        let content = self.content.lock().unwrap();
        let entries = content
            .manifests
            .iter()
            .filter_map(|(digest, (media_type, bytes))| {
                let view: Value = serde_json::from_slice(bytes).ok()?;
                (view["subject"]["digest"] == subject).then(
                    || json!({"mediaType": media_type, "digest": digest, "size": bytes.len()}),
                )
            });
        let entries: Vec<Value> = entries.collect();
        let index = json!({"schemaVersion": 2, "manifests": entries}).to_string();
        let media_type = wasmport_artifact::media_type::IMAGE_INDEX;
        answer_with(
            StatusCode::OK.as_u16(),
            &[("content-type", media_type)],
            index,
        )
    }

    fn tags(&self) -> Response {
        let content = self.content.lock().unwrap();
        let tags: Vec<&String> = content.tags.keys().collect();
        answer(200, json!({"name": "team/app", "tags": tags}).to_string())
    }
}
