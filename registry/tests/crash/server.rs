//! The real binary over a directory, and a client of it.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder};

/// A server may take this long to be ready, and to answer one request.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Server {
    child: Mutex<Child>,
    host: String,
    client: Client,
}

/// The connection broke, and so nobody knows what came of the request.
#[derive(Debug)]
pub(crate) struct Broken;

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Server {
    pub(crate) fn spawn(directory: &Path) -> Self {
        // Free now, and taken again at once. Nobody else here asks for that one.
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = free.local_addr().unwrap().to_string();
        drop(free);
        let child = Command::new(env!("CARGO_BIN_EXE_wasmport-registry"))
            .args(["--addr", &host, "--policy", "preset:permissive", "--store"])
            .arg(directory.join("store"))
            .env("RUST_LOG", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn();
        Self {
            child: Mutex::new(child.unwrap()),
            host,
            client: Client::builder().timeout(PATIENCE).build().unwrap(),
        }
    }

    /// Waits until it answers.
    pub(crate) async fn is_ready(&self) {
        let begun = Instant::now();
        while self.send(self.request("GET", "/v2/")).await.is_err() {
            let ended = self.child().try_wait().unwrap();
            assert!(ended.is_none(), "the server did not start: {ended:?}");
            assert!(begun.elapsed() < PATIENCE, "the server is not ready");
            // Nobody says when a process begins to listen.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// SIGKILL.
    pub(crate) fn kill(&self) {
        self.child().kill().unwrap();
    }

    pub(crate) async fn kill_after(self, milliseconds: u64) {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        self.kill();
        self.wait().await;
    }

    /// Waits until it is gone and has let go of its store.
    pub(crate) async fn wait(self) {
        tokio::task::spawn_blocking(move || self.child().wait().unwrap())
            .await
            .unwrap();
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let path = path.strip_prefix("http://").map_or(path, |rest| {
            rest.find('/').map_or("/", |at| rest.split_at(at).1)
        });
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let url = format!("http://{}{path}", self.host);
        self.client.request(method, url)
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Answer, Broken> {
        let response = request.send().await.map_err(|_| Broken)?;
        Ok(Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.bytes().await.map_err(|_| Broken)?.to_vec(),
        })
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Answer, Broken> {
        self.send(self.request("GET", path)).await
    }

    fn child(&self) -> std::sync::MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A test that fails leaves nothing running.
        let _ = self.child().kill();
        let _ = self.child().wait();
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value
            .unwrap_or_else(|| panic!("no `{name}`"))
            .to_str()
            .unwrap()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}
