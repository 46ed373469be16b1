//! Who asks decides what is there: held artifacts, mounts and the list of repositories.

use std::sync::Arc;

use reqwest::Client;
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::oneshot;
use wasmport_artifact::Digest;
use wasmport_registry::{Config, LoadedPolicy, Server, StoreLocation};

use crate::artifact::{Artifact, caller, hello, hello_again};
use crate::registry::{Answer, Registry};
use crate::signatures::{key, push_bundle, signed_by};

/// A registry where anyone may pull from `public/**` and from `app`, and alice may push everywhere.
struct Guarded {
    host: String,
    client: Client,
    _directory: Arc<TempDir>,
    _stop: oneshot::Sender<()>,
}

impl Guarded {
    /// Starts one over what an open registry has stored.
    async fn over(open: Registry, policy: &LoadedPolicy) -> Self {
        let directory = open.stop_and_keep().await;
        let users = directory.path().join("users.htpasswd");
        let hash = bcrypt::hash("secret", 4).unwrap();
        std::fs::write(&users, format!("alice:{hash}\nbob:{hash}\n")).unwrap();
        let store = StoreLocation::Directory(directory.path().join("store"));
        let mut config = Config::new("127.0.0.1:0".parse().unwrap(), store, policy.clone());
        let settings = json!({ "access": { "htpasswd": users, "rule": [
            { "repositories": ["public/**", "app"], "who": ["anonymous", "user:bob"], "allow": ["pull"] },
            { "repositories": ["bob/**"], "who": ["user:bob"], "allow": ["pull", "push"] },
            { "repositories": ["**"], "who": ["user:alice"], "allow": ["pull", "push"] },
        ] } });
        config.settings = serde_json::from_value(settings).unwrap();
        let server = Server::bind(config).await.unwrap();
        let host = server.addr().to_string();
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(server.run(async move {
            let _ = stopped.await;
        }));
        Self {
            host,
            client: Client::new(),
            _directory: directory,
            _stop: stop,
        }
    }

    async fn anyone(&self, path: &str) -> Answer {
        Answer::of(self.client.get(format!("http://{}{path}", self.host))).await
    }

    async fn user(&self, name: &str, path: &str) -> Answer {
        self.user_sends(name, "GET", path).await
    }

    async fn user_sends(&self, name: &str, method: &str, path: &str) -> Answer {
        let url = format!("http://{}{path}", self.host);
        let request = self.client.request(method.parse().unwrap(), url);
        Answer::of(request.basic_auth(name, Some("secret"))).await
    }
}

#[tokio::test]
async fn what_is_held_is_there_only_for_who_may_push() {
    let key = key();
    let policy = signed_by(&key);
    let open = Registry::start_with(&policy).await;
    let (signed, held) = (hello(), hello_again());
    push_bundle(&open, "app", &signed, &key).await;
    assert_eq!(open.push("app", "1.0", &signed).await.status, 201);
    assert_eq!(open.push("app", "1.0", &held).await.status, 201);
    let registry = Guarded::over(open, &policy).await;
    let manifest = format!("/v2/app/manifests/{}", held.digest());
    let layer = format!("/v2/app/blobs/{}", Digest::of(held.layer()));
    for (path, code) in [(&manifest, "MANIFEST_UNKNOWN"), (&layer, "BLOB_UNKNOWN")] {
        // Twice: what alice was given is not given to anyone.
        for _ in 0..2 {
            let hidden = registry.anyone(path).await;
            assert_eq!(
                (hidden.status.as_u16(), hidden.code().as_str()),
                (404, code)
            );
            assert_eq!(registry.user("alice", path).await.status, 200);
        }
    }
    for answer in [
        registry.anyone("/v2/app/manifests/1.0").await,
        registry.user("alice", "/v2/app/manifests/1.0").await,
    ] {
        assert_eq!(answer.body, signed.manifest);
    }
    let decision = "/v2/app/_wasmport/decision/1.0";
    for (user, waiting) in [("alice", json!(held.digest())), ("bob", json!(null))] {
        let told = registry.user(user, decision).await.json();
        assert_eq!(told["digest"], json!(signed.digest()));
        assert_eq!(told["waiting"], waiting, "{user}");
    }
}

/// cosign asks for a token to pull with, reads what it shall sign, and only then for one to push with.
#[tokio::test]
async fn a_token_to_pull_with_shows_what_is_held_to_who_may_push() {
    let key = key();
    let policy = signed_by(&key);
    let open = Registry::start_with(&policy).await;
    let held = hello();
    assert_eq!(open.push("app", "1.0", &held).await.status, 201);
    let registry = Guarded::over(open, &policy).await;
    let manifest = format!("/v2/app/manifests/{}", held.digest());
    let layer = format!("/v2/app/blobs/{}", Digest::of(held.layer()));
    let decision = format!("/v2/app/_wasmport/decision/{}", held.digest());
    for (scope, alice, bob) in [
        ("app:pull", 200, 404),
        ("app:push", 401, 401),
        ("other:pull,push", 401, 401),
    ] {
        for (user, status) in [("alice", alice), ("bob", bob)] {
            let token = format!("/token?service=wasmport&scope=repository:{scope}");
            let token = registry.user(user, &token).await.json()["token"].clone();
            for path in [&manifest, &layer, &decision] {
                let url = format!("http://{}{path}", registry.host);
                let request = registry
                    .client
                    .get(url)
                    .bearer_auth(token.as_str().unwrap());
                let answer = Answer::of(request).await;
                assert_eq!(
                    answer.status,
                    status,
                    "{user} {scope} {path}: {}",
                    answer.text()
                );
            }
        }
    }
}

#[tokio::test]
async fn held_referrers_are_listed_only_for_who_may_push() {
    let key = key();
    let policy = signed_by(&key);
    let open = Registry::start_with(&policy).await;
    let subject = hello();
    push_bundle(&open, "app", &subject, &key).await;
    assert_eq!(open.push("app", "1.0", &subject).await.status, 201);
    // An index about the same subject is no attachment: it waits for a signature of its own.
    let next = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [],
        "subject": { "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": subject.digest(), "size": subject.manifest.len() },
    });
    let next = next.to_string();
    let held = Digest::of(next.as_bytes());
    let kind = "application/vnd.oci.image.index.v1+json";
    let answer = open
        .put_manifest("app", held.as_str(), kind, next.as_bytes())
        .await;
    assert!(answer.header("warning").contains("held"));
    let registry = Guarded::over(open, &policy).await;
    let path = format!("/v2/app/referrers/{}", subject.digest());
    let count = |answer: Answer| answer.json()["manifests"].as_array().unwrap().len();
    assert_eq!(count(registry.user("alice", &path).await), 2);
    assert_eq!(count(registry.user("bob", &path).await), 1);
    assert_eq!(count(registry.anyone(&path).await), 1);
}

#[tokio::test]
async fn the_catalog_has_what_the_caller_may_pull() {
    let open = Registry::start().await;
    for name in ["app", "private/app", "public/app", "secret"] {
        open.push(name, "1.0", &Artifact::other(b"x", None, None))
            .await;
    }
    let policy = LoadedPolicy::load("preset:standard").unwrap();
    let registry = Guarded::over(open, &policy).await;
    let names = |answer: Answer| answer.json()["repositories"].clone();
    let public = json!(["app", "public/app"]);
    assert_eq!(names(registry.user("bob", "/v2/_catalog").await), public);
    let all = json!(["app", "private/app", "public/app", "secret"]);
    assert_eq!(names(registry.user("alice", "/v2/_catalog").await), all);
    // As at `/v2/`, who says nothing is asked to log in.
    assert_eq!(registry.anyone("/v2/_catalog").await.status, 401);
}

#[tokio::test]
async fn a_blob_is_mounted_only_from_where_the_caller_may_pull() {
    let open = Registry::start().await;
    for (name, layer) in [("private/app", "secret"), ("public/app", "public")] {
        open.push(name, "1.0", &Artifact::other(layer.as_bytes(), None, None))
            .await;
    }
    let (secret, public) = (Digest::of(b"secret"), Digest::of(b"public"));
    let policy = LoadedPolicy::load("preset:standard").unwrap();
    let registry = Guarded::over(open, &policy).await;
    for (digest, from, status) in [
        (&secret, "&from=private/app", 202),
        (&secret, "", 202),
        (&public, "&from=public/app", 201),
        (&public, "", 201),
    ] {
        let path = format!("/v2/bob/app/blobs/uploads/?mount={digest}{from}");
        let answer = registry.user_sends("bob", "POST", &path).await;
        assert_eq!(answer.status, status, "{path}");
    }
    let path = format!("/v2/bob/app/blobs/{secret}");
    assert_eq!(registry.user("bob", &path).await.status, 404);
}

#[tokio::test]
async fn a_blob_that_no_manifest_uses_is_there_only_for_who_may_push() {
    let open = Registry::start().await;
    let refused = caller();
    let unused = open.push_blob("app", refused.layer()).await;
    let policy = LoadedPolicy::load("preset:standard").unwrap();
    let registry = Guarded::over(open, &policy).await;
    let path = format!("/v2/app/blobs/{unused}");
    for method in ["GET", "HEAD"] {
        let status = async |name| registry.user_sends(name, method, &path).await.status;
        assert_eq!(status("alice").await, 200);
        assert_eq!(status("bob").await, 404);
    }
    assert_eq!(registry.anyone(&path).await.status, 404);
    let mount = format!("/v2/bob/app/blobs/uploads/?mount={unused}&from=app");
    assert_eq!(registry.user_sends("bob", "POST", &mount).await.status, 202);
}
