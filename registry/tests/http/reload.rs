//! Reading the configuration again: the new is used at once, and what is wrong is not.

use std::fs;
use std::path::Path;

use reqwest::Client;
use tempfile::TempDir;
use wasmport_registry::{ConfigSource, ReloadResult, Reloaded, Server};

use crate::artifact::hello;
use crate::metrics::sample;
use crate::raw::Tuned;
use crate::registry::Answer;

const OPEN: &str = "schema = 1\ndefault = \"allow\"\n";

const CLOSED: &str =
    "schema = 1\n[[rule]]\nid = \"nothing\"\nrepositories = [\"**\"]\nallow = []\n";

/// Writes a configuration and its policy.
fn write(directory: &Path, policy: &str) {
    fs::write(directory.join("policy.toml"), policy).unwrap();
    let config = "[server]\naddr = \"127.0.0.1:0\"\n[store]\ndirectory = \"store\"\n\
        [policy]\nfile = \"policy.toml\"\n";
    fs::write(directory.join("registry.toml"), config).unwrap();
}

async fn started(directory: &Path) -> (Server, wasmport_registry::Reloader) {
    let source = ConfigSource {
        file: Some(directory.join("registry.toml")),
        ..ConfigSource::default()
    };
    let server = Server::bind(source.load().unwrap()).await.unwrap();
    let reloader = server.reloader();
    (server, reloader)
}

fn kept(reloaded: &[Reloaded]) -> Vec<&str> {
    let kept = reloaded
        .iter()
        .filter(|one| one.result == ReloadResult::Kept);
    kept.map(|one| one.what.as_str()).collect()
}

#[tokio::test]
async fn a_tighter_policy_holds_at_once_and_a_wrong_one_never() {
    let directory = TempDir::new().unwrap();
    write(directory.path(), OPEN);
    let (server, reloader) = started(directory.path()).await;
    let registry = Tuned::of(server);
    let artifact = hello();
    registry.push("app", "1", &artifact).await;
    let url = format!("http://{}/v2/app/manifests/1", registry.addr);
    let get = || async { Answer::of(Client::new().get(&url)).await };
    assert_eq!(get().await.status, 200);

    fs::write(directory.path().join("policy.toml"), "no policy").unwrap();
    assert_eq!(kept(&reloader.reload().await), ["policy"]);
    assert_eq!(get().await.status, 200);

    fs::write(directory.path().join("registry.toml"), "no = \"settings\"").unwrap();
    assert_eq!(kept(&reloader.reload().await), ["settings", "policy"]);
    assert_eq!(get().await.status, 200);

    write(directory.path(), CLOSED);
    assert!(kept(&reloader.reload().await).is_empty());
    assert_eq!(get().await.status, 403);

    let page = registry.connect().await.page("/metrics").await;
    assert_eq!(
        sample(
            &page,
            "wasmport_reloads_total{what=\"policy\",result=\"kept\"}"
        ),
        2
    );
    assert_eq!(
        sample(
            &page,
            "wasmport_reloads_total{what=\"policy\",result=\"taken\"}"
        ),
        1
    );
}
