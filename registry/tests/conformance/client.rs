//! A client that checks what it gets.

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use tokio::sync::oneshot;
use wasmport_artifact::Digest;
use wasmport_registry::{Config, LoadedPolicy, Server, StoreLocation};

/// The repository that everything is pushed to.
pub(crate) const REPOSITORY: &str = "conformance/repo1";
/// The one that blobs are mounted from.
pub(crate) const OTHER: &str = "conformance/repo2";

/// A registry with its defaults, and a client of it.
pub(crate) struct Client {
    host: String,
    http: reqwest::Client,
    _stop: oneshot::Sender<()>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    what: String,
}

impl Client {
    pub(crate) async fn start() -> Self {
        let policy = LoadedPolicy::load("preset:standard").unwrap();
        let addr = "127.0.0.1:0".parse().unwrap();
        let server = Server::bind(Config::new(addr, StoreLocation::Memory, policy));
        let server = server.await.unwrap();
        let host = format!("http://{}", server.addr());
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(server.run(async move {
            let _ = stopped.await;
        }));
        Self {
            host,
            http: reqwest::Client::new(),
            _stop: stop,
        }
    }

    /// `path` may be what a `Location` said, relative or absolute.
    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{path}", self.host)
        };
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        self.http.request(method, url)
    }

    pub(crate) async fn send(&self, method: &str, path: &str) -> Answer {
        answer(self.request(method, path)).await
    }

    /// GET and HEAD must say the same, and be what is expected.
    pub(crate) async fn expect_content(
        &self,
        path: &str,
        content: &[u8],
        kind: Option<&str>,
        digest: &Digest,
    ) {
        for method in ["HEAD", "GET"] {
            let answer = self.send(method, path).await.expect(200);
            let body: &[u8] = if method == "GET" { content } else { b"" };
            assert!(answer.body == body, "{}: another body", answer.what);
            assert_eq!(answer.header("content-length"), content.len().to_string());
            assert_eq!(answer.header("docker-content-digest"), digest.as_str());
            if let Some(kind) = kind {
                assert_eq!(answer.header("content-type"), kind, "{}", answer.what);
            }
        }
    }

    /// HEAD and GET must both say that it is not there.
    pub(crate) async fn expect_gone(&self, path: &str) {
        for method in ["HEAD", "GET"] {
            self.send(method, path).await.expect(404);
        }
    }

    /// What is at a blob's `Location` must be the blob.
    pub(crate) async fn expect_location(&self, answer: &Answer, content: &[u8]) {
        let found = self
            .send("GET", answer.header("location"))
            .await
            .expect(200);
        assert!(found.body == content, "{}: another body", answer.what);
    }
}

pub(crate) async fn answer(request: RequestBuilder) -> Answer {
    let (client, request) = request.build_split();
    let request = request.unwrap();
    let what = format!("{} {}", request.method(), request.url());
    let response = client.execute(request).await.unwrap();
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: response.bytes().await.unwrap().to_vec(),
        what,
    }
}

impl Answer {
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, status, "{}: {text}", self.what);
        self
    }

    #[track_caller]
    pub(crate) fn expect_code(self, status: u16, code: &str) {
        let answer = self.expect(status);
        assert_eq!(answer.json()["errors"][0]["code"], code, "{}", answer.what);
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        let value = value.unwrap_or_else(|| panic!("{}: no `{name}`", self.what));
        value.to_str().unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}
