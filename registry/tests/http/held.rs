//! What is held: who pushed it, and that nothing broken keeps others waiting.

use wasmport_registry::storage::{Batch, Key, Store};
use wasmport_registry::{App, LoadedPolicy};

use crate::access::guarded;
use crate::artifact::{hello, hello_again};
use crate::registry::{Answer, Registry};
use crate::signatures::{key, push_bundle, signed_by};

#[tokio::test]
async fn a_wish_that_cannot_be_read_keeps_no_other_waiting() {
    let (key, store) = (key(), Store::in_memory());
    let mut app: Option<App> = None;
    let registry = Registry::over_app(store.clone(), |opened| app = Some(opened.clone())).await;
    let app = app.unwrap();
    app.replace_policy(signed_by(&key)).await.unwrap();
    let (signed, unsigned) = (hello(), hello_again());
    registry.push("app", "signed", &signed).await;
    registry.push("app", "unsigned", &unsigned).await;
    let broken = Key::pending(&"app".parse().unwrap(), &"a".parse().unwrap());
    let (records, _) = store.engines();
    let batch = Batch::new().put(broken, "no wish");
    records.commit(batch).await.unwrap();
    // When a signature arrives, and when another policy does.
    assert_eq!(
        push_bundle(&registry, "app", &signed, &key).await.status,
        201
    );
    let signed = registry.get("/v2/app/manifests/signed").await;
    assert_eq!(signed.status, 200);
    let permissive = LoadedPolicy::load("preset:permissive").unwrap();
    app.replace_policy(permissive.clone()).await.unwrap();
    let unsigned = registry.get("/v2/app/manifests/unsigned").await;
    assert_eq!(unsigned.status, 200);
    // And the registry starts.
    assert!(App::open(store, permissive).await.is_ok());
}

#[tokio::test]
async fn who_pushed_is_written_down_with_the_decision_where_it_is_known() {
    let registry = guarded("").await;
    registry.push_as("alice", "team/app").await;
    let path = "/v2/team/app/_wasmport/decision/1.0";
    let decision = Answer::of(registry.as_user("alice", "GET", path))
        .await
        .json();
    assert_eq!(decision["recorded"]["pushedBy"], "user:alice", "{decision}");
    // It is among the facts, which are the same at the push and at each pull.
    let (then, now) = (
        &decision["recorded"]["factsDigest"],
        &decision["today"]["factsDigest"],
    );
    assert!(then.is_string() && now.is_string());
    let open = Registry::start().await;
    open.push("team/app", "1.0", &hello()).await;
    let unknown = open.get(path).await.json();
    assert!(unknown["recorded"]["pushedBy"].is_null(), "{unknown}");
    assert_ne!(unknown["today"]["factsDigest"], *now);
}
