//! Starting and stopping: what must be true before a registry answers, and what stays.

use wasmport_registry::{
    Config, LoadPolicyError, LoadSignerError, LoadedPolicy, Server, StartError, StoreLocation,
};
use wasmport_signature::PrivateKey;

use crate::artifact::hello;
use crate::registry::Registry;
use crate::signatures::{key, push_bundle};

fn standard() -> LoadedPolicy {
    LoadedPolicy::load("preset:standard").unwrap()
}

#[tokio::test]
async fn everything_that_was_acknowledged_is_there_after_a_restart() {
    let registry = Registry::start().await;
    let artifact = hello();
    registry.push("team/app", "1.0", &artifact).await;
    push_bundle(&registry, "team/app", &artifact, &key()).await;
    let registry = registry.restart_with(&standard()).await;
    let pulled = registry.get("/v2/team/app/manifests/1.0").await;
    assert_eq!(pulled.body, artifact.manifest);
    for blob in &artifact.blobs {
        let path = format!("/v2/team/app/blobs/{}", wasmport_artifact::Digest::of(blob));
        assert_eq!(&registry.get(&path).await.body, blob);
    }
    let tags = registry.get("/v2/team/app/tags/list").await.json();
    assert_eq!(tags["tags"], serde_json::json!(["1.0"]));
    let path = format!("/v2/team/app/referrers/{}", artifact.digest());
    let referrers = registry.get(&path).await.json();
    assert_eq!(referrers["manifests"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn two_registries_cannot_have_the_same_store() {
    let registry = Registry::start().await;
    let store = registry.store();
    let location = StoreLocation::Directory(store.clone());
    let config = Config::new("127.0.0.1:0".parse().unwrap(), location, standard());
    let Err(StartError::Store(error)) = Server::bind(config).await else {
        panic!("a second registry opened the store")
    };
    let expected = format!(
        "the store `{}` is in use by another process",
        store.display()
    );
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn it_listens_beyond_this_machine_only_when_told_to() {
    let config = || {
        Config::new(
            "0.0.0.0:0".parse().unwrap(),
            StoreLocation::Memory,
            standard(),
        )
    };
    assert!(matches!(
        Server::bind(config()).await,
        Err(StartError::Remote(_))
    ));
    let allowed = Config {
        allow_remote: true,
        ..config()
    };
    assert_ne!(Server::bind(allowed).await.unwrap().addr().port(), 0);
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let registry = Registry::start().await;
    let addr = registry.host.parse().unwrap();
    let config = Config::new(addr, StoreLocation::Memory, standard());
    let error = Server::bind(config).await.unwrap_err().to_string();
    assert!(error.contains(&registry.host), "{error}");
}

#[test]
fn a_policy_with_a_key_that_is_not_there_names_signer_and_file() {
    let directory = tempfile::TempDir::new().unwrap();
    let path = directory.path().join("policy.toml");
    let text = "schema = 1\n[signer.ci]\nkey = \"ci.pub\"\n\
        [[rule]]\nid = \"a\"\nrepositories = [\"**\"]\n\
        signatures = { require = 1, from = [\"ci\"] }\n";
    std::fs::write(&path, text).unwrap();
    let error = LoadedPolicy::load(path.to_str().unwrap()).unwrap_err();
    assert!(
        matches!(error, LoadPolicyError::Signer(LoadSignerError::Read { .. })),
        "{error}"
    );
    let words = error.to_string();
    assert!(
        words.contains("`ci`") && words.contains("ci.pub"),
        "{words}"
    );
    std::fs::write(directory.path().join("ci.pub"), "no key").unwrap();
    let error = LoadedPolicy::load(path.to_str().unwrap()).unwrap_err();
    assert!(
        matches!(error, LoadPolicyError::Signer(LoadSignerError::Key { .. })),
        "{error}"
    );
}

#[test]
fn one_key_under_two_names_is_refused_since_it_would_count_twice() {
    let directory = tempfile::TempDir::new().unwrap();
    let path = directory.path().join("policy.toml");
    let text = "schema = 1\n[signer.a]\nkey = \"a.pub\"\n[signer.b]\nkey = \"b.pub\"\n\
        [[rule]]\nid = \"a\"\nrepositories = [\"**\"]\n\
        signatures = { require = 2, from = [\"a\", \"b\"] }\n";
    std::fs::write(&path, text).unwrap();
    let pem = PrivateKey::generate().unwrap().public_key().to_pem();
    std::fs::write(directory.path().join("a.pub"), &pem).unwrap();
    std::fs::write(directory.path().join("b.pub"), format!("{pem}\n")).unwrap();
    let error = LoadedPolicy::load(path.to_str().unwrap()).unwrap_err();
    assert!(
        matches!(
            error,
            LoadPolicyError::Signer(LoadSignerError::SameKey { .. })
        ),
        "{error}"
    );
}
