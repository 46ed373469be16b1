//! HEAD of what is refused: its answer has no room for findings.

use wasmport_artifact::media_type;
use wasmport_registry::config::Settings;
use wasmport_registry::storage::Store;
use wasmport_registry::{App, LoadedPolicy, Secrets};

use crate::artifact::caller;
use crate::registry::{Answer, Registry};

const ACCESS: &str = r#"
[access]
htpasswd = "users"
[[access.rule]]
repositories = ["**"]
who = ["anonymous"]
allow = ["pull"]
[[access.rule]]
repositories = ["**"]
who = ["user:alice"]
allow = ["pull", "push"]
"#;

#[tokio::test]
async fn who_may_push_is_sent_on_to_the_findings_and_others_are_refused() {
    let (store, mut app) = (Store::in_memory(), None::<App>);
    let registry = Registry::over_app(store, |opened| app = Some(opened.clone())).await;
    let app = app.unwrap();
    let load = |name: &str| LoadedPolicy::load(name).unwrap();
    app.replace_policy(load("preset:permissive")).await.unwrap();
    let artifact = caller();
    assert_eq!(registry.push("app", "1.0", &artifact).await.status, 201);
    app.replace_policy(load("preset:standard")).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let alice = bcrypt::hash("alice-secret", 4).unwrap();
    std::fs::write(directory.path().join("users"), format!("alice:{alice}\n")).unwrap();
    let settings = Settings::parse(&directory.path().join("registry.toml"), ACCESS).unwrap();
    app.configure(&settings, &Secrets::default()).await.unwrap();
    let layer = wasmport_artifact::Digest::of(artifact.layer());
    for path in [
        "/v2/app/manifests/1.0".to_owned(),
        format!("/v2/app/manifests/{}", artifact.digest()),
        format!("/v2/app/blobs/{layer}"),
    ] {
        assert_eq!(registry.head(&path).await.status, 403, "{path}");
        let findings = registry.get(&path).await.findings();
        assert_eq!(findings.first().unwrap(), "import-not-allowed", "{path}");
        let asks = |method| Answer::of(registry.as_user("alice", method, &path));
        assert_eq!(asks("HEAD").await.status, 404, "{path}");
        assert_eq!(asks("GET").await.status, 403, "{path}");
    }
    let push = registry.as_user("alice", "PUT", "/v2/app/manifests/1.0");
    let push = push.header("content-type", media_type::IMAGE_MANIFEST);
    let refused = Answer::of(push.body(artifact.manifest)).await;
    assert_eq!(refused.findings().first().unwrap(), "import-not-allowed");
}
