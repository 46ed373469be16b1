//! Who may do what: users, tokens, robots and workloads, with right and wrong inputs.

mod certificates;
mod robots;
mod tokens;
mod workloads;

use std::fmt::Write as _;

use reqwest::RequestBuilder;
use wasmport_registry::config::Settings;
use wasmport_registry::{LoadedPolicy, Secret, Secrets};

use crate::artifact::hello;
use crate::registry::{Answer, Registry};

/// The key that the registries of these tests sign with.
pub(crate) const TOKEN_KEY: &str = "a key of tests with enough bytes for HMAC";

/// Public things for all, `team` for developers, `inbox` to drop things into.
const RULES: &str = r#"
[access.groups]
developers = ["alice"]
[[access.rule]]
repositories = ["public/**"]
who = ["anonymous"]
allow = ["pull"]
[[access.rule]]
repositories = ["team/*", "public/**"]
who = ["group:developers"]
allow = ["pull", "push"]
[[access.rule]]
repositories = ["inbox"]
who = ["user:bob"]
allow = ["push"]
[[access.rule]]
repositories = ["**"]
who = ["user:root"]
allow = ["admin"]
"#;

/// A registry with users and rules; each user's password is their name and `-secret`.
pub(crate) async fn guarded(more: &str) -> Registry {
    let directory = tempfile::TempDir::new().unwrap();
    let mut users = String::new();
    for user in ["alice", "bob", "root"] {
        let hash = bcrypt::hash(format!("{user}-secret"), 4).unwrap();
        writeln!(users, "{user}:{hash}").unwrap();
    }
    std::fs::write(directory.path().join("users"), users).unwrap();
    let text = format!("{RULES}{more}\n[access]\nhtpasswd = \"users\"\nattempts = 5\n");
    let settings = Settings::parse(&directory.path().join("registry.toml"), &text).unwrap();
    let secrets = Secrets {
        token_key: Some(Secret::Text(TOKEN_KEY.to_owned())),
    };
    Registry::configured(&settings, &secrets).await
}

impl Registry {
    pub(crate) fn as_user(&self, user: &str, method: &str, path: &str) -> RequestBuilder {
        let password = format!("{user}-secret");
        self.request(method, path).basic_auth(user, Some(password))
    }

    pub(crate) async fn push_as(&self, user: &str, repository: &str) -> Answer {
        let artifact = hello();
        for blob in &artifact.blobs {
            let digest = wasmport_artifact::Digest::of(blob);
            let path = format!("/v2/{repository}/blobs/uploads/?digest={digest}");
            let request = self.as_user(user, "POST", &path).body(blob.clone());
            let answer = Answer::of(request).await;
            if answer.status != 201 {
                return answer;
            }
        }
        let path = format!("/v2/{repository}/manifests/1.0");
        let request = self
            .as_user(user, "PUT", &path)
            .header("content-type", "application/vnd.oci.image.manifest.v1+json");
        Answer::of(request.body(artifact.manifest)).await
    }
}

#[tokio::test]
async fn who_is_nobody_pulls_what_is_public_and_nothing_else() {
    let registry = guarded("").await;
    assert_eq!(registry.push_as("alice", "public/app").await.status, 201);
    assert_eq!(registry.push_as("alice", "team/app").await.status, 201);
    let path = "/v2/public/app/manifests/1.0";
    assert_eq!(registry.get(path).await.status, 200);
    // What is there and what is not have one answer.
    for path in ["/v2/team/app/manifests/1.0", "/v2/team/none/manifests/1.0"] {
        let answer = registry.get(path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            (401, "UNAUTHORIZED".into())
        );
    }
    let put = registry.send("PUT", path, "{}").await;
    assert_eq!(put.status, 401);
    let challenge = put.header("www-authenticate");
    let realm = format!("Bearer realm=\"http://{}/token\"", registry.host);
    assert!(challenge.starts_with(&realm), "{challenge}");
    assert!(
        challenge.contains("scope=\"repository:public/app:pull,push\""),
        "{challenge}"
    );
    assert_eq!(registry.send("DELETE", path, "").await.status, 401);
}

#[tokio::test]
async fn a_user_does_what_the_rules_allow_and_gets_403_for_the_rest() {
    let registry = guarded("").await;
    assert_eq!(registry.push_as("alice", "team/app").await.status, 201);
    for (user, repository, expected) in [
        ("alice", "team/a/b", 403),
        ("alice", "team", 403),
        ("alice", "other", 403),
        ("bob", "team/app", 403),
        ("bob", "team/none", 403),
        ("root", "any/thing", 201),
    ] {
        let answer = registry.push_as(user, repository).await;
        assert_eq!(answer.status, expected, "{user} {repository}");
        if expected == 403 {
            assert_eq!(answer.code(), "DENIED");
        }
    }
    let path = "/v2/team/app/manifests/1.0";
    assert_eq!(
        Answer::of(registry.as_user("alice", "DELETE", path))
            .await
            .status,
        403
    );
    assert_eq!(
        Answer::of(registry.as_user("root", "DELETE", path))
            .await
            .status,
        202
    );
}

#[tokio::test]
async fn who_may_only_push_reads_nothing_and_mounts_nothing_of_others() {
    let registry = guarded("").await;
    assert_eq!(registry.push_as("alice", "team/app").await.status, 201);
    let digest = wasmport_artifact::Digest::of(&hello().blobs[0]);
    for path in [
        format!("/v2/inbox/blobs/{digest}"),
        format!("/v2/team/app/blobs/{digest}"),
        "/v2/team/app/tags/list".to_owned(),
        format!("/v2/team/app/referrers/{digest}"),
    ] {
        let answer = Answer::of(registry.as_user("bob", "GET", &path)).await;
        assert_eq!(answer.status, 403, "{path}");
    }
    let mount = format!("/v2/inbox/blobs/uploads/?mount={digest}&from=team/app");
    let answer = registry.send("POST", &mount, "").await;
    assert_eq!(answer.status, 401);
    let challenge = answer.header("www-authenticate");
    let both = "scope=\"repository:inbox:pull,push repository:team/app:pull\"";
    assert!(challenge.contains(both), "{challenge}");
    let answer = Answer::of(registry.as_user("bob", "POST", &mount)).await;
    assert_eq!(
        answer.status, 202,
        "an ordinary upload, as if it were not there"
    );
    let answer = Answer::of(registry.as_user("root", "POST", &mount)).await;
    assert_eq!(answer.status, 201);
}

#[tokio::test]
async fn the_catalog_lists_what_may_be_pulled() {
    let registry = guarded("").await;
    for repository in ["public/app", "team/app"] {
        assert_eq!(registry.push_as("alice", repository).await.status, 201);
    }
    assert_eq!(registry.push_as("root", "secret/app").await.status, 201);
    let seen = async |user| {
        let answer = Answer::of(registry.as_user(user, "GET", "/v2/_catalog")).await;
        answer.json()["repositories"].clone()
    };
    assert_eq!(
        seen("alice").await,
        serde_json::json!(["public/app", "team/app"])
    );
    assert_eq!(seen("bob").await, serde_json::json!(["public/app"]));
}

#[tokio::test]
async fn wrong_passwords_are_refused_and_too_many_have_to_wait() {
    let registry = guarded("").await;
    let path = "/v2/";
    let try_ = async |user: &str, password: &str| {
        Answer::of(
            registry
                .request("GET", path)
                .basic_auth(user, Some(password)),
        )
        .await
    };
    assert_eq!(try_("alice", "alice-secret").await.status, 200);
    for (user, password) in [
        ("alice", "wrong"),
        ("mallory", "x"),
        ("alice", ""),
        ("root", "a"),
        ("bob", "b"),
    ] {
        assert_eq!(try_(user, password).await.status, 401, "{user}");
    }
    let answer = try_("bob", "bob-secret").await;
    assert_eq!(
        (answer.status.as_u16(), answer.code()),
        (429, "TOOMANYREQUESTS".into())
    );
    assert!(answer.header("retry-after").parse::<u64>().unwrap() <= 60);
    // Who was known before is not locked out by those who guess.
    assert_eq!(try_("alice", "alice-secret").await.status, 200);
}

#[tokio::test]
async fn clients_are_told_at_once_how_to_log_in() {
    let registry = guarded("").await;
    assert_eq!(registry.get("/v2/").await.status, 401);
    for value in ["Basic", "Digest x", "Basic !!!", "Bearer x.y.z"] {
        let request = registry
            .request("GET", "/v2/")
            .header("authorization", value);
        assert_eq!(Answer::of(request).await.status, 401, "{value}");
    }
    let open = Registry::start_with(&LoadedPolicy::load("preset:standard").unwrap()).await;
    assert_eq!(open.get("/v2/").await.status, 200);
    assert_eq!(open.get("/token").await.status, 404);
}

#[tokio::test]
async fn what_was_refused_is_in_the_audit_log_on_lines_of_its_own() {
    let registry = guarded("").await;
    registry.push_as("alice", "team/app").await;
    registry.push_as("bob", "team/app").await;
    let evil = registry
        .request("GET", "/v2/")
        .basic_auth("x\n{\"who\":\"y\"}", Some("z"));
    Answer::of(evil).await;
    assert_eq!(registry.get("/_wasmport/v1/audit").await.status, 401);
    let answer = Answer::of(registry.as_user("alice", "GET", "/_wasmport/v1/audit")).await;
    assert_eq!(answer.status, 403);
    let answer = Answer::of(registry.as_user("root", "GET", "/_wasmport/v1/audit")).await;
    let lines = answer.text();
    let lines: Vec<serde_json::Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let find = |action: &str, who: &str| {
        let mut lines = lines.iter();
        let found = lines.find(|line| line["action"] == action && line["who"] == who);
        found.unwrap_or_else(|| panic!("no {action} by {who} in {}", answer.text()))
    };
    assert_eq!(find("push", "user:alice")["verdict"], "admit");
    assert_eq!(
        find("push", "user:alice")["digest"],
        hello().digest().to_string()
    );
    let refused = find("push", "user:bob");
    assert_eq!(
        (&refused["verdict"], &refused["repository"]),
        (&"refused".into(), &"team/app".into())
    );
    find("login", "user:x\n{\"who\"");
    find("admin", "user:alice");
}
