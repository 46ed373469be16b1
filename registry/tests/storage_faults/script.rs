//! What is pushed, moved and deleted, and what must be true of it afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use futures_util::future::join_all;
use http_body_util::BodyExt;
use tower_service::Service;
use wasmport_artifact::{Descriptor, Digest, ImageManifest, media_type};
use wasmport_registry::storage::{CollectOptions, Store};
use wasmport_registry::{App, LoadedPolicy, router};

/// For each path what it answered with last, and what it may answer with by now.
#[derive(Default)]
pub(crate) struct Script {
    known: BTreeMap<String, Known>,
    /// The blobs of each manifest, by its path.
    manifests: BTreeMap<String, [Digest; 2]>,
    /// True when every answer must be a good one.
    is_strict: bool,
}

#[derive(Debug, Default)]
struct Known {
    settled: Option<Digest>,
    open: Vec<Option<Digest>>,
}

struct Client(Router);

impl Known {
    fn allows(&self, found: Option<&Digest>) -> bool {
        let open = self.open.iter().map(Option::as_ref);
        open.chain([self.settled.as_ref()]).any(|one| one == found)
    }
}

impl Script {
    pub(crate) async fn run(&mut self, store: Store, is_strict: bool) {
        self.is_strict = is_strict;
        let Some(client) = Client::over(store.clone()).await else {
            assert!(!is_strict);
            return;
        };
        let large: Vec<u8> = (0..300_000_u32).map(|at| (at % 251) as u8).collect();
        self.push(&client, b"config one", &large, "v1").await;
        self.upload_in_chunks(&client, &large[7..200_000]).await;
        self.push(&client, b"config two", &large[7..200_000], "v1")
            .await;
        self.push(&client, b"config three", b"a small layer", "v2")
            .await;
        self.push_blob(&client, b"loose").await;
        let loose = format!("blobs/{}", Digest::of(b"loose"));
        self.change(&client, "DELETE", &loose, &[(&loose, None)])
            .await;
        self.change(&client, "DELETE", "manifests/v2", &[("manifests/v2", None)])
            .await;
        let first = manifest(b"config one", &large);
        self.delete_manifest(&client, &Digest::of(&first), "manifests/v1")
            .await;
        self.collect(&store).await;
        self.push_together(&client).await;
        self.push(&client, b"config four", b"another layer", "v2")
            .await;
        self.is_strict = false;
    }

    /// Pushes something new, which must go well.
    pub(crate) async fn works_on(&mut self, store: Store, what: &str) {
        let client = Client::over(store).await.unwrap();
        self.is_strict = true;
        self.push(
            &client,
            what.as_bytes(),
            &what.repeat(20_000).into_bytes(),
            what,
        )
        .await;
        self.is_strict = false;
    }

    /// Checks that everything is as it was acknowledged, and hashes right.
    pub(crate) async fn check(&mut self, store: Store) {
        let client = Client::over(store).await.unwrap();
        for (path, known) in &mut self.known {
            let (status, body) = client.send("GET", path, None, Vec::new()).await;
            assert!(matches!(status, 200 | 404), "{path}: {status}");
            let found = (status == 200).then(|| Digest::of(&body));
            if let (Some(found), Some((_, asked))) = (&found, path.split_once("sha256:")) {
                assert_eq!(found.hex(), asked, "what `{path}` serves hashes wrong");
            }
            assert!(
                known.allows(found.as_ref()),
                "`{path}` answers with {found:?}, but {known:?}"
            );
            known.settled = found;
            known.open.clear();
        }
    }

    async fn push(&mut self, client: &Client, config: &[u8], layer: &[u8], tag: &str) {
        self.push_blob(client, config).await;
        self.push_blob(client, layer).await;
        let bytes = manifest(config, layer);
        let digest = Digest::of(&bytes);
        let (by_tag, by_digest) = (format!("manifests/{tag}"), format!("manifests/{digest}"));
        let blobs = [config, layer].map(Digest::of);
        self.manifests.insert(by_digest.clone(), blobs);
        self.begin(&by_tag, Some(digest.clone()));
        self.begin(&by_digest, Some(digest));
        let kind = Some(media_type::IMAGE_MANIFEST);
        let (status, _) = client.send("PUT", &by_tag, kind, bytes).await;
        self.end(&by_tag, status);
        self.end(&by_digest, status);
    }

    async fn push_blob(&mut self, client: &Client, bytes: &[u8]) {
        let digest = Digest::of(bytes);
        let path = format!("blobs/{digest}");
        self.begin(&path, Some(digest.clone()));
        let upload = format!("blobs/uploads/?digest={digest}");
        let (status, _) = client.send("POST", &upload, None, bytes.to_vec()).await;
        self.end(&path, status);
    }

    /// They share a transaction.
    async fn push_together(&mut self, client: &Client) {
        let blobs: Vec<Vec<u8>> = (0..4).map(|number| vec![number; 50]).collect();
        for blob in &blobs {
            let digest = Digest::of(blob);
            self.begin(&format!("blobs/{digest}"), Some(digest));
        }
        let pushes = blobs.iter().map(async |blob| {
            let upload = format!("blobs/uploads/?digest={}", Digest::of(blob));
            client.send("POST", &upload, None, blob.clone()).await.0
        });
        for (status, blob) in join_all(pushes).await.into_iter().zip(&blobs) {
            self.end(&format!("blobs/{}", Digest::of(blob)), status);
        }
    }

    async fn upload_in_chunks(&mut self, client: &Client, bytes: &[u8]) {
        let digest = Digest::of(bytes);
        let path = format!("blobs/{digest}");
        self.begin(&path, Some(digest.clone()));
        let opened = client
            .call("POST", "blobs/uploads/", None, Vec::new())
            .await;
        let Some(location) = location(&opened) else {
            return self.end(&path, opened.status().as_u16());
        };
        let mut location = location;
        for chunk in bytes.chunks(bytes.len() / 2 + 1) {
            let sent = client.call("PATCH", &location, None, chunk.to_vec()).await;
            let Some(next) = self::location(&sent) else {
                return self.end(&path, sent.status().as_u16());
            };
            location = next;
        }
        let end = format!("{location}?digest={digest}");
        let (status, _) = client.send("PUT", &end, None, Vec::new()).await;
        self.end(&path, status);
    }

    async fn change(
        &mut self,
        client: &Client,
        method: &str,
        path: &str,
        changes: &[(&str, Option<Digest>)],
    ) {
        for (path, value) in changes {
            self.begin(path, value.clone());
        }
        let (status, _) = client.send(method, path, None, Vec::new()).await;
        for (path, _) in changes {
            self.end(path, status);
        }
    }

    /// Collects all that no manifest names.
    async fn collect(&mut self, store: &Store) {
        let stays: BTreeSet<String> = self.stays().collect();
        for (path, known) in &mut self.known {
            if path.starts_with("blobs/") && !stays.contains(path) {
                known.open.push(None);
            }
        }
        let collected = store.collect(CollectOptions {
            grace: Duration::ZERO,
            untagged_after: None,
            deleted_history: Duration::ZERO,
            dry_run: false,
        });
        let collected = collected.await;
        assert!(!self.is_strict || collected.is_ok(), "{collected:?}");
    }

    /// The blobs of manifests that are surely there.
    fn stays(&self) -> impl Iterator<Item = String> {
        let is_there = |path: &String| {
            let known = self.known.get(path);
            known.is_some_and(|known| known.settled.is_some() && known.open.is_empty())
        };
        let manifests = self
            .manifests
            .iter()
            .filter(move |(path, _)| is_there(path));
        manifests.flat_map(|(_, blobs)| blobs.iter().map(|blob| format!("blobs/{blob}")))
    }

    /// Its tag goes with it, should it point there.
    async fn delete_manifest(&mut self, client: &Client, digest: &Digest, tag: &str) {
        let path = format!("manifests/{digest}");
        self.begin(&path, None);
        let (status, _) = client.send("DELETE", &path, None, Vec::new()).await;
        self.end(&path, status);
        let tag = self.known.entry(tag.to_owned()).or_default();
        if tag.allows(Some(digest)) {
            tag.open.push(None);
        }
        if status < 300 {
            tag.open.retain(|open| open.as_ref() != Some(digest));
            tag.settled = tag.settled.take().filter(|settled| settled != digest);
        }
    }

    fn begin(&mut self, path: &str, value: Option<Digest>) {
        self.known
            .entry(path.to_owned())
            .or_default()
            .open
            .push(value);
    }

    /// After an answer of the 500s nobody knows whether it happened.
    fn end(&mut self, path: &str, status: u16) {
        let known = self.known.entry(path.to_owned()).or_default();
        assert!(!self.is_strict || status < 300, "{path}: {status}");
        match status {
            200..300 => {
                known.settled = known.open.pop().unwrap();
                known.open.clear();
            }
            // What it builds upon was not stored.
            400..500 => drop(known.open.pop()),
            _ => {}
        }
    }
}

impl Client {
    async fn over(store: Store) -> Option<Self> {
        let policy = LoadedPolicy::load("preset:permissive").unwrap();
        let app = App::open(store, policy).await.ok()?;
        Some(Self(router(app)))
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        kind: Option<&str>,
        body: Vec<u8>,
    ) -> (u16, Vec<u8>) {
        let response = self.call(method, path, kind, body).await;
        let status = response.status().as_u16();
        match response.into_body().collect().await {
            Ok(body) => (status, body.to_bytes().to_vec()),
            Err(_) => (500, Vec::new()),
        }
    }

    async fn call(
        &self,
        method: &str,
        path: &str,
        kind: Option<&str>,
        body: Vec<u8>,
    ) -> Response<Body> {
        let path = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("/v2/app/{path}")
        };
        let mut request = Request::builder().method(method).uri(path);
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        request = request.header("content-length", body.len());
        let request = request.body(Body::from(body)).unwrap();
        self.0.clone().call(request).await.unwrap()
    }
}

fn location(response: &Response<Body>) -> Option<String> {
    let location = response.headers().get("location")?.to_str().unwrap();
    Some(location.to_owned())
}

fn manifest(config: &[u8], layer: &[u8]) -> Vec<u8> {
    ImageManifest::new(
        Descriptor::of("application/vnd.faults.config", config),
        vec![Descriptor::of("application/octet-stream", layer)],
    )
    .to_bytes()
}
