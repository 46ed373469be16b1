//! Stopping: what is under way is finished, and nobody can put the end off.

use wasmport_registry::{HealthError, check_health};

use crate::raw::{Tuned, soon};

#[tokio::test]
async fn a_request_under_way_is_finished_and_new_connections_are_refused() {
    let mut registry = Tuned::start(|_| {}).await;
    let location = registry.open_upload().await;
    let mut idle = registry.connect().await;
    assert!(idle.get("/healthz").await.starts_with("HTTP/1.1 200"));
    let mut raw = registry.begin_patch(&location, 10).await;
    registry.stop();
    registry.refuses().await;
    assert_eq!(idle.closed().await, b"");
    raw.send("ten bytes!").await;
    let head = raw.head().await;
    assert!(head.starts_with("HTTP/1.1 202"), "{head}");
    assert!(head.contains("range: 0-9"), "{head}");
    assert_eq!(raw.closed().await, b"");
    registry.stopped().await;
}

#[tokio::test]
async fn what_takes_longer_than_the_drain_is_cut() {
    let mut registry = Tuned::start(|config| config.settings.server.drain_timeout = soon()).await;
    let location = registry.open_upload().await;
    let mut raw = registry.begin_patch(&location, 10).await;
    registry.stop();
    registry.stopped().await;
    assert_eq!(raw.closed().await, b"");
}

#[tokio::test]
async fn it_says_that_it_is_not_ready_before_it_refuses() {
    let delay = wasmport_registry::settings::Timespan::hours(1);
    let mut registry = Tuned::start(|config| config.settings.server.drain_delay = delay).await;
    let mut raw = registry.connect().await;
    assert!(raw.get("/readyz").await.starts_with("HTTP/1.1 200"));
    registry.stop();
    while raw.get("/readyz").await.starts_with("HTTP/1.1 200") {}
    let mut raw = registry.connect().await;
    assert!(raw.get("/readyz").await.starts_with("HTTP/1.1 503"));
    assert!(raw.get("/healthz").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_container_can_ask_whether_it_is_ready() {
    let delay = wasmport_registry::settings::Timespan::hours(1);
    let mut registry = Tuned::start(|config| config.settings.server.drain_delay = delay).await;
    let addr = registry.addr;
    let ask = move |path: &'static str| {
        let url = format!("http://{addr}{path}");
        tokio::task::spawn_blocking(move || check_health(&url))
    };
    ask("/readyz").await.unwrap().unwrap();
    ask("").await.unwrap().unwrap();
    let error = ask("/nowhere").await.unwrap().unwrap_err();
    assert!(matches!(error, HealthError::Unwell { .. }), "{error}");
    registry.stop();
    while ask("/readyz").await.unwrap().is_ok() {}
    ask("/healthz").await.unwrap().unwrap();
    let error = check_health("https://localhost/").unwrap_err();
    assert!(matches!(error, HealthError::Url(_)), "{error}");
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", closed.local_addr().unwrap());
    drop(closed);
    let error = check_health(&url).unwrap_err();
    assert!(matches!(error, HealthError::Silent { .. }), "{error}");
}
