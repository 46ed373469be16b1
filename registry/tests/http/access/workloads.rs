//! Identities of workloads, from a file of keys and by discovery.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::guarded;
use crate::registry::{Answer, Registry};

const ISSUER: &str = "https://token.example";

/// A key of an issuer, and how it is published.
struct Key {
    private: EncodingKey,
    public: Value,
}

fn key(id: &str) -> Key {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let private = EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref());
    let mut public =
        serde_json::to_value(Jwk::from_encoding_key(&private, Algorithm::ES256).unwrap()).unwrap();
    public["kid"] = id.into();
    public["alg"] = "ES256".into();
    public["use"] = "sig".into();
    Key { private, public }
}

fn claims(issuer: &str) -> Value {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = since.unwrap().as_secs();
    json!({
        "iss": issuer, "aud": "wasmport", "sub": "repo:octo/app", "repository": "octo/app",
        "iat": now, "nbf": now, "exp": now + 300,
    })
}

fn sign(claims: &Value, key: &Key, id: &str) -> String {
    let header = Header {
        kid: Some(id.to_owned()),
        ..Header::new(Algorithm::ES256)
    };
    encode(&header, claims, &key.private).unwrap()
}

async fn registry(issuer: &str, jwks: Option<&str>) -> Registry {
    let file = jwks.map_or(String::new(), |path| format!("jwks-file = \"{path}\"\n"));
    guarded(&format!(
        "[[access.issuer]]\nname = \"github\"\nurl = \"{issuer}\"\naudience = [\"wasmport\"]\n{file}\
         [[access.rule]]\nrepositories = [\"octo/*\"]\nwho = [\"oidc:github\"]\n\
         claims = {{ repository = \"octo/*\" }}\nallow = [\"pull\", \"push\"]\n"
    ))
    .await
}

/// What the registry says to an upload with this token, as Basic and as Bearer.
async fn upload(registry: &Registry, token: &str) -> u16 {
    let path = "/v2/octo/app/blobs/uploads/";
    let basic = registry
        .request("POST", path)
        .basic_auth("oidc", Some(token));
    let bearer = registry.request("POST", path).bearer_auth(token);
    let (basic, bearer) = (
        Answer::of(basic).await.status,
        Answer::of(bearer).await.status,
    );
    assert_eq!(basic, bearer);
    basic.as_u16()
}

#[tokio::test]
async fn a_workload_with_the_right_claims_pushes_and_no_other() {
    let (good, evil) = (key("one"), key("one"));
    let directory = tempfile::TempDir::new().unwrap();
    let file = directory.path().join("jwks.json");
    std::fs::write(&file, json!({ "keys": [good.public] }).to_string()).unwrap();
    let registry = registry(ISSUER, file.to_str()).await;
    let token = sign(&claims(ISSUER), &good, "one");
    assert_eq!(upload(&registry, &token).await, 202);
    let changed = |field: &str, value: Value| {
        let mut claims = claims(ISSUER);
        claims[field] = value;
        sign(&claims, &good, "one")
    };
    assert_eq!(
        upload(&registry, &changed("repository", json!("evil/app"))).await,
        403
    );
    assert_eq!(
        upload(&registry, &changed("repository", json!(["octo/app"]))).await,
        403
    );
    let public = good.public.to_string();
    let hmac = |text: &str| {
        let key = EncodingKey::from_secret(text.as_bytes());
        let header = Header {
            kid: Some("one".to_owned()),
            ..Header::new(Algorithm::HS256)
        };
        encode(&header, &claims(ISSUER), &key).unwrap()
    };
    let (head, _) = token.rsplit_once('.').unwrap();
    for (name, wrong) in [
        ("expired", changed("exp", json!(1_000_000))),
        ("not yet", changed("nbf", json!(99_999_999_999_u64))),
        ("other audience", changed("aud", json!("sigstore"))),
        (
            "other issuer",
            changed("iss", json!("https://evil.example")),
        ),
        ("unknown key", sign(&claims(ISSUER), &good, "two")),
        ("evil key", sign(&claims(ISSUER), &evil, "one")),
        ("HS256 with the public key", hmac(&public)),
        ("HS256 with the x", hmac(good.public["x"].as_str().unwrap())),
        ("no signature", format!("{head}.")),
        ("no expiry", {
            let mut claims = claims(ISSUER);
            claims.as_object_mut().unwrap().remove("exp");
            sign(&claims, &good, "one")
        }),
    ] {
        assert_eq!(upload(&registry, &wrong).await, 401, "{name}");
    }
}

#[tokio::test]
async fn a_token_for_a_workload_is_good_no_longer_than_its_own() {
    let good = key("one");
    let directory = tempfile::TempDir::new().unwrap();
    let file = directory.path().join("jwks.json");
    std::fs::write(&file, json!({ "keys": [good.public] }).to_string()).unwrap();
    let registry = registry(ISSUER, file.to_str()).await;
    let mut claims = claims(ISSUER);
    let now = claims["iat"].as_u64().unwrap();
    // With the clocks' leeway of 30 seconds; the other one is good for the 5 minutes that ours are.
    for (exp, least, most) in [(json!(now + 60), 1, 90), (json!(now + 7200), 300, 300)] {
        claims["exp"] = exp;
        let path = "/token?service=wasmport&scope=repository:octo/app:pull,push";
        let asked = registry
            .request("GET", path)
            .basic_auth("oidc", Some(sign(&claims, &good, "one")));
        let answer = Answer::of(asked).await;
        let issued = answer.json();
        let lifetime = issued["expires_in"].as_u64().unwrap();
        assert!((least..=most).contains(&lifetime), "{lifetime}");
        let token = issued["token"].as_str().unwrap();
        let claims = jsonwebtoken::dangerous::insecure_decode_claims::<Value>(token).unwrap();
        // We take ours for 10 seconds more.
        let taken_until = claims["exp"].as_u64().unwrap() + 10;
        assert!(least == 300 || taken_until <= now + 60 + 30, "{claims}");
        assert_eq!(upload_with(&registry, token).await, 202);
    }
}

async fn upload_with(registry: &Registry, token: &str) -> u16 {
    let request = registry.request("POST", "/v2/octo/app/blobs/uploads/");
    Answer::of(request.bearer_auth(token)).await.status.as_u16()
}

#[tokio::test]
async fn keys_are_discovered_and_fetched_anew_at_most_once_a_minute() {
    let (first, second) = (key("first"), key("second"));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let fetches = Arc::new(AtomicUsize::new(0));
    let document = json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/keys") }).to_string();
    let (public, count) = (first.public.clone(), Arc::clone(&fetches));
    let app = axum::Router::new()
        .route(
            "/.well-known/openid-configuration",
            axum::routing::get(|| async { document }),
        )
        .route(
            "/keys",
            axum::routing::get(move || {
                count.fetch_add(1, Ordering::Relaxed);
                let keys = json!({ "keys": [public] }).to_string();
                async { keys }
            }),
        );
    let server = tokio::spawn(async { axum::serve(listener, app).await });
    let registry = registry(&issuer, None).await;
    assert_eq!(
        fetches.load(Ordering::Relaxed),
        0,
        "nothing is fetched before it is needed"
    );
    assert_eq!(
        upload(&registry, &sign(&claims(&issuer), &first, "first")).await,
        202
    );
    for _ in 0..5 {
        assert_eq!(
            upload(&registry, &sign(&claims(&issuer), &second, "second")).await,
            401
        );
    }
    assert_eq!(
        fetches.load(Ordering::Relaxed),
        1,
        "an unknown key is no reason to fetch again now"
    );
    server.abort();
}
