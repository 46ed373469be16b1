//! Tokens that the registry issues: what they are for, and what is no token.

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use wasmport_artifact::Digest;

use super::{TOKEN_KEY, guarded};
use crate::artifact::hello;
use crate::registry::{Answer, Registry};

async fn token(registry: &Registry, user: Option<&str>, scope: &str) -> String {
    let path = format!("/token?service=wasmport&scope={scope}");
    let request = match user {
        Some(user) => registry.as_user(user, "GET", &path),
        None => registry.request("GET", &path),
    };
    let answer = Answer::of(request).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("cache-control"), "no-store");
    answer.json()["token"].as_str().unwrap().to_owned()
}

async fn with(registry: &Registry, token: &str, method: &str, path: &str) -> Answer {
    Answer::of(registry.request(method, path).bearer_auth(token)).await
}

#[tokio::test]
async fn a_token_is_for_what_was_asked_and_is_allowed() {
    let registry = guarded("").await;
    registry.push_as("alice", "team/app").await;
    let (manifest, uploads) = ("/v2/team/app/manifests/1.0", "/v2/team/app/blobs/uploads/");
    let pull = token(&registry, Some("alice"), "repository:team/app:pull").await;
    assert_eq!(with(&registry, &pull, "GET", manifest).await.status, 200);
    let refused = with(&registry, &pull, "POST", uploads).await;
    assert_eq!(refused.status, 401, "another token would help");
    let challenge = refused.header("www-authenticate");
    assert!(challenge.contains("insufficient_scope"), "{challenge}");
    let other = token(&registry, Some("alice"), "repository:team/other:pull,push").await;
    assert_eq!(with(&registry, &other, "GET", manifest).await.status, 401);
    let bob = token(&registry, Some("bob"), "repository:team/app:pull,push").await;
    assert_eq!(
        with(&registry, &bob, "GET", manifest).await.status,
        403,
        "no token would help"
    );
    let both = token(
        &registry,
        Some("alice"),
        "repository:team/app:pull,push,delete",
    )
    .await;
    assert_eq!(with(&registry, &both, "POST", uploads).await.status, 202);
    assert_eq!(with(&registry, &both, "DELETE", manifest).await.status, 403);
}

#[tokio::test]
async fn a_token_for_the_list_of_repositories_names_what_its_owner_may_pull() {
    let registry = guarded("").await;
    assert_eq!(registry.push_as("alice", "team/app").await.status, 201);
    assert_eq!(registry.push_as("root", "secret/app").await.status, 201);
    let list = token(&registry, Some("alice"), "registry:catalog:*").await;
    let listed = with(&registry, &list, "GET", "/v2/_catalog").await.json();
    assert_eq!(listed["repositories"], serde_json::json!(["team/app"]));
    let tags = with(&registry, &list, "GET", "/v2/team/app/tags/list").await;
    assert_eq!(tags.status, 401, "it is for nothing else");
    let other = token(&registry, Some("alice"), "repository:other:pull").await;
    let listed = with(&registry, &other, "GET", "/v2/_catalog").await.json();
    assert_eq!(listed["repositories"], serde_json::json!([]));
}

#[tokio::test]
async fn a_token_for_a_push_mounts_what_its_owner_may_pull() {
    let registry = guarded("").await;
    assert_eq!(registry.push_as("alice", "team/app").await.status, 201);
    let digest = Digest::of(hello().layer());
    let anonymous = |to: &str| format!("/v2/{to}/blobs/uploads/?mount={digest}");
    let push = token(&registry, Some("alice"), "repository:team/other:pull,push").await;
    // Who names the source needs a token for it, and is told so.
    let named = format!("{}&from=team/app", anonymous("team/other"));
    let refused = with(&registry, &push, "POST", &named).await;
    assert_eq!(refused.status, 401);
    let challenge = refused.header("www-authenticate");
    let scope = "repository:team/other:pull,push repository:team/app:pull";
    let expected = format!("scope=\"{scope}\",error=\"insufficient_scope\"");
    assert!(challenge.ends_with(&expected), "{challenge}");
    let mounted = with(&registry, &push, "POST", &anonymous("team/other")).await;
    assert_eq!(mounted.status, 201, "{}", mounted.text());
    let both = token(&registry, Some("alice"), scope).await;
    let mounted = with(&registry, &both, "POST", &named).await;
    assert_eq!(mounted.status, 201, "{}", mounted.text());
    let path = format!("/v2/team/app/blobs/{digest}");
    assert_eq!(with(&registry, &push, "GET", &path).await.status, 401);
    let pull = token(&registry, Some("alice"), "repository:team/third:pull").await;
    let refused = with(&registry, &pull, "POST", &anonymous("team/third")).await;
    assert_eq!(refused.status, 401, "it is not for a push");
    // Bob may push here, and pull from nowhere that has it.
    let bob = token(&registry, Some("bob"), "repository:inbox:pull,push").await;
    let named = format!("{}&from=team/app", anonymous("inbox"));
    for path in [anonymous("inbox"), named] {
        let answer = with(&registry, &bob, "POST", &path).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
    }
}

#[tokio::test]
async fn a_token_without_a_login_is_for_what_is_public() {
    let registry = guarded("").await;
    registry.push_as("alice", "public/app").await;
    let anonymous = token(&registry, None, "repository:public/app:pull,push").await;
    assert_eq!(with(&registry, &anonymous, "GET", "/v2/").await.status, 200);
    let path = "/v2/public/app/manifests/1.0";
    assert_eq!(with(&registry, &anonymous, "GET", path).await.status, 200);
    assert_eq!(with(&registry, &anonymous, "PUT", path).await.status, 401);
}

#[tokio::test]
async fn a_form_gives_a_token_too() {
    let registry = guarded("").await;
    registry.push_as("alice", "team/app").await;
    let form = "grant_type=password&username=alice&password=alice-secret&service=wasmport&\
        client_id=x&scope=repository:team/app:pull";
    let answer = registry.send("POST", "/token", form).await;
    let access = answer.json()["access_token"].as_str().unwrap().to_owned();
    let path = "/v2/team/app/manifests/1.0";
    assert_eq!(with(&registry, &access, "GET", path).await.status, 200);
    for (form, status) in [
        (form.replace("alice-secret", "x"), 401),
        (form.replace("=wasmport", "=other"), 400),
        (form.replace("=password&", "=magic&"), 400),
        (
            format!("grant_type=refresh_token&refresh_token={access}"),
            401,
        ),
    ] {
        let answer = registry.send("POST", "/token", form.clone()).await;
        assert_eq!(answer.status, status, "{form}");
    }
}

#[tokio::test]
async fn a_token_cannot_be_made_or_changed_or_used_as_an_administrator() {
    let registry = guarded("").await;
    registry.push_as("alice", "team/app").await;
    let path = "/v2/team/app/manifests/1.0";
    let far = jiff_seconds() + 600;
    let good = json!({
        "iss": "wasmport", "aud": "wasmport", "sub": "x", "iat": 0, "nbf": 0, "exp": far,
        "jti": "x", "identity": { "kind": "user", "name": "alice" },
        "access": [{ "type": "repository", "name": "team/app", "actions": ["pull"] }],
    });
    let sign = |claims: &Value, algorithm, key: &str| {
        let key = EncodingKey::from_secret(key.as_bytes());
        encode(&Header::new(algorithm), claims, &key).unwrap()
    };
    let ours = |claims: &Value| sign(claims, Algorithm::HS256, TOKEN_KEY);
    assert_eq!(with(&registry, &ours(&good), "GET", path).await.status, 200);
    let changed = |field: &str, value: Value| {
        let mut claims = good.clone();
        claims[field] = value;
        claims
    };
    for wrong in [
        ours(&changed("exp", json!(jiff_seconds() - 60))),
        ours(&changed("nbf", json!(jiff_seconds() + 60))),
        ours(&changed("aud", json!("other"))),
        ours(&changed(
            "identity",
            json!({ "kind": "user", "name": "gone" }),
        )),
        sign(
            &good,
            Algorithm::HS256,
            "another key of tests with enough bytes",
        ),
        sign(&good, Algorithm::HS512, TOKEN_KEY),
        ours(&good).rsplit_once('.').unwrap().0.to_owned() + ".",
    ] {
        let answer = with(&registry, &wrong, "GET", path).await;
        assert_eq!(answer.status, 401, "{wrong}");
        assert!(answer.header("www-authenticate").contains("invalid_token"));
    }
    let root = token(&registry, Some("root"), "repository:team/app:*").await;
    assert_eq!(with(&registry, &root, "DELETE", path).await.status, 202);
    let robots = "/_wasmport/v1/robots";
    assert_eq!(with(&registry, &root, "GET", robots).await.status, 403);
}

fn jiff_seconds() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap().as_secs()
}
