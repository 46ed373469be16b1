//! A registry of its own for each test, and a client that speaks plain HTTP to it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use reqwest::{Body, Client, Method, RequestBuilder, StatusCode};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use wasmport_artifact::{Digest, media_type};
use wasmport_registry::config::Settings;
use wasmport_registry::storage::Store;
use wasmport_registry::{
    ApiSettings, App, Config, LoadedPolicy, Secrets, Server, StoreLocation, TagSettings, router,
};

use crate::artifact::Artifact;

/// A running registry over a directory that goes away with it.
pub(crate) struct Registry {
    pub(crate) host: String,
    directory: Arc<TempDir>,
    client: Client,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

/// What it answered.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Registry {
    /// Starts one with the preset `standard`.
    pub(crate) async fn start() -> Self {
        Self::start_with(&LoadedPolicy::load("preset:standard").unwrap()).await
    }

    /// Starts one with this policy.
    pub(crate) async fn start_with(policy: &LoadedPolicy) -> Self {
        Self::over(Arc::new(TempDir::new().unwrap()), policy).await
    }

    /// Stops it, and starts another one over the same directory.
    pub(crate) async fn restart_with(self, policy: &LoadedPolicy) -> Self {
        let directory = Arc::clone(&self.directory);
        self.stop().await;
        Self::over(directory, policy).await
    }

    /// Stops it, and waits until it has let go of its store.
    pub(crate) async fn stop(self) {
        drop(self.client);
        self.stop.send(()).unwrap();
        self.task.await.unwrap().unwrap();
    }

    /// Stops it, and keeps its directory as long as the answer lives.
    pub(crate) async fn stop_and_keep(self) -> Arc<TempDir> {
        let directory = Arc::clone(&self.directory);
        self.stop().await;
        directory
    }

    /// Where its store is.
    pub(crate) fn store(&self) -> PathBuf {
        self.directory.path().join("store")
    }

    async fn over(directory: Arc<TempDir>, policy: &LoadedPolicy) -> Self {
        let store = StoreLocation::Directory(directory.path().join("store"));
        let config = Config::new("127.0.0.1:0".parse().unwrap(), store, policy.clone());
        Self::bound(config, directory).await
    }

    async fn bound(config: Config, directory: Arc<TempDir>) -> Self {
        let server = Server::bind(config).await.unwrap();
        let host = server.addr().to_string();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(server.run(async move {
            let _ = stopped.await;
        }));
        Self {
            host,
            directory,
            client: Client::new(),
            stop,
            task,
        }
    }

    /// Starts one with these settings, in memory.
    pub(crate) async fn configured(settings: &Settings, secrets: &Secrets) -> Self {
        let policy = LoadedPolicy::load("preset:standard").unwrap();
        let mut config = Config::new(
            "127.0.0.1:0".parse().unwrap(),
            StoreLocation::Memory,
            policy,
        );
        config.settings = settings.clone();
        config.secrets = secrets.clone();
        Self::bound(config, Arc::new(TempDir::new().unwrap())).await
    }

    /// Starts one over this store.
    pub(crate) async fn over_store(store: Store) -> Self {
        Self::over_app(store, |_| ()).await
    }

    /// Starts one over this store that takes no manifest whose blobs are not all there.
    pub(crate) async fn strict(store: Store) -> Self {
        let settings = ApiSettings {
            sparse_manifests: false,
            ..ApiSettings::default()
        };
        Self::over_app(store, |app| app.set_api(settings)).await
    }

    /// Starts one over this store after `set` had its turn.
    pub(crate) async fn over_app(store: Store, set: impl FnOnce(&App)) -> Self {
        let policy = LoadedPolicy::load("preset:standard").unwrap();
        let app = App::open(store, policy).await.unwrap();
        set(&app);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let (stop, stopped) = oneshot::channel::<()>();
        let serve = axum::serve(listener, router(app)).with_graceful_shutdown(async move {
            let _ = stopped.await;
        });
        Self {
            host,
            directory: Arc::new(TempDir::new().unwrap()),
            client: Client::new(),
            stop,
            task: tokio::spawn(serve.into_future()),
        }
    }

    /// Starts one with these settings of tags, in memory.
    pub(crate) async fn with_tags(settings: &TagSettings) -> Self {
        Self::over_app(Store::in_memory(), |app| app.set_tags(settings).unwrap()).await
    }

    /// Starts one with these settings of the distribution API, in memory.
    pub(crate) async fn with_api(settings: ApiSettings) -> Self {
        Self::over_app(Store::in_memory(), |app| app.set_api(settings)).await
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("http://{}{path}", self.host)
        };
        self.client
            .request(Method::from_bytes(method.as_bytes()).unwrap(), url)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request("GET", path)).await
    }

    pub(crate) async fn head(&self, path: &str) -> Answer {
        Answer::of(self.request("HEAD", path)).await
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: impl Into<Body>) -> Answer {
        Answer::of(self.request(method, path).body(body)).await
    }

    /// Opens an upload and gives its location.
    pub(crate) async fn open_upload(&self, repository: &str) -> String {
        let path = format!("/v2/{repository}/blobs/uploads/");
        let answer = self.send("POST", &path, "").await;
        assert_eq!(answer.status, 202);
        answer.header("location").to_owned()
    }

    pub(crate) async fn push_blob(&self, repository: &str, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        let path = format!("/v2/{repository}/blobs/uploads/?digest={digest}");
        let answer = self.send("POST", &path, bytes.to_vec()).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        digest
    }

    /// Pushes blobs and manifest.
    pub(crate) async fn push(&self, repository: &str, tag: &str, artifact: &Artifact) -> Answer {
        for blob in &artifact.blobs {
            self.push_blob(repository, blob).await;
        }
        self.put_manifest(
            repository,
            tag,
            media_type::IMAGE_MANIFEST,
            &artifact.manifest,
        )
        .await
    }

    pub(crate) async fn put_manifest(
        &self,
        repository: &str,
        reference: &str,
        kind: &str,
        bytes: &[u8],
    ) -> Answer {
        let path = format!("/v2/{repository}/manifests/{reference}");
        let request = self.request("PUT", &path).header(CONTENT_TYPE, kind);
        Answer::of(request.body(bytes.to_vec())).await
    }
}

impl Answer {
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        Self {
            status: response.status(),
            headers: response.headers().clone(),
            body: response.bytes().await.unwrap().to_vec(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value
            .unwrap_or_else(|| panic!("no `{name}`"))
            .to_str()
            .unwrap()
    }

    /// All values of a header, in their order.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let values = self.headers.get_all(name).iter();
        values.map(|value| value.to_str().unwrap()).collect()
    }

    pub(crate) fn has_header(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }

    pub(crate) fn length(&self) -> u64 {
        self.header(CONTENT_LENGTH.as_str()).parse().unwrap()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The code of the one error.
    pub(crate) fn code(&self) -> String {
        let body = self.json();
        assert_eq!(body["errors"].as_array().unwrap().len(), 1);
        body["errors"][0]["code"].as_str().unwrap().to_owned()
    }

    /// The codes of the findings in a refusal by the policy.
    pub(crate) fn findings(&self) -> Vec<String> {
        assert_eq!(self.status, 403, "{}", self.text());
        assert_eq!(self.code(), "DENIED");
        let body = self.json();
        let findings = body["errors"][0]["detail"]["findings"].as_array().unwrap();
        let code = |finding: &Value| finding["code"].as_str().unwrap().to_owned();
        findings.iter().map(code).collect()
    }
}

/// Files below `directory`, the database left out.
pub(crate) fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_none_or(|extension| extension != "redb") {
            found.push(path);
        }
    }
    found
}
