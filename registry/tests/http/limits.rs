//! How much one client may ask for, and how many there may be.

use wasmport_registry::settings::{ByteSize, Timespan};

use crate::raw::{Tuned, within};

#[tokio::test]
async fn headers_that_are_too_large_or_too_many_are_refused() {
    let registry = Tuned::start(|config| {
        config.settings.limits.header_bytes = ByteSize::kib(4);
        config.settings.limits.headers = 20;
    })
    .await;
    let request = |headers: &str| format!("GET /v2/ HTTP/1.1\r\nhost: a\r\n{headers}\r\n");
    for (headers, status) in [
        (format!("x: {}\r\n", "y".repeat(4000)), "200"),
        (format!("x: {}\r\n", "y".repeat(4100)), "431"),
        // Larger than what is ever buffered.
        (format!("x: {}\r\n", "y".repeat(100_000)), "431"),
        ("x: y\r\n".repeat(19), "200"),
        ("x: y\r\n".repeat(20), "431"),
        ("x: y\r\n".repeat(200), "431"),
    ] {
        let mut raw = registry.connect().await;
        raw.send(&request(&headers)).await;
        let head = raw.head().await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{head}");
    }
}

#[tokio::test]
async fn a_target_that_is_too_long_is_refused() {
    let registry = Tuned::start(|config| config.settings.limits.uri_bytes = ByteSize(100)).await;
    let mut raw = registry.connect().await;
    let path = format!("/v2/?{}", "x".repeat(95));
    assert!(raw.get(&path).await.starts_with("HTTP/1.1 200"));
    let mut raw = registry.connect().await;
    let head = raw.get(&format!("{path}x")).await;
    assert!(head.starts_with("HTTP/1.1 414"), "{head}");
}

#[tokio::test]
async fn there_is_a_place_again_when_a_connection_is_closed() {
    let registry = Tuned::start(|config| config.settings.limits.connections = 1).await;
    let mut first = registry.connect().await;
    assert!(first.get("/healthz").await.starts_with("HTTP/1.1 200"));
    let head = registry.connect().await.head().await;
    assert!(head.starts_with("HTTP/1.1 503"), "{head}");
    assert!(head.contains("Retry-After: 1"), "{head}");
    drop(first);
    within(async {
        loop {
            let mut next = registry.connect().await;
            if next
                .try_send("GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n")
                .await
                && next.head().await.starts_with("HTTP/1.1 200")
            {
                break;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn one_address_has_its_own_number_of_connections() {
    let registry = Tuned::start(|config| config.settings.limits.connections_per_address = 1).await;
    let mut first = registry.connect().await;
    assert!(first.get("/healthz").await.starts_with("HTTP/1.1 200"));
    let head = registry.connect().await.head().await;
    assert!(head.starts_with("HTTP/1.1 503"), "{head}");
    assert!(first.get("/healthz").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn more_requests_than_can_be_answered_are_refused_at_once() {
    let registry = Tuned::start(|config| config.settings.limits.requests = 1).await;
    let location = registry.open_upload().await;
    let mut slow = registry.begin_patch(&location, 10).await;
    let mut raw = registry.connect().await;
    let head = raw.get("/v2/").await;
    assert!(head.starts_with("HTTP/1.1 503"), "{head}");
    assert!(head.contains("retry-after: 1"), "{head}");
    slow.send("ten bytes!").await;
    assert!(slow.head().await.starts_with("HTTP/1.1 202"));
    // Its answer is here, and so it is not under way for much longer.
    within(async {
        loop {
            let mut raw = registry.connect().await;
            if raw.get("/v2/").await.starts_with("HTTP/1.1 200") {
                break;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn who_asks_too_often_is_told_how_long_to_wait() {
    let registry = Tuned::start(|config| {
        let rates = &mut config.settings.limits.rates;
        (rates.pulls, rates.burst) = (1, Timespan::seconds(3));
    })
    .await;
    for _ in 0..3 {
        let answer = registry.connect().await.page("/v2/").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    // However slow this is, it is faster than one a second.
    let refused = within(async {
        loop {
            let answer = registry.connect().await.page("/v2/").await;
            if answer.starts_with("HTTP/1.1 429") {
                break answer;
            }
        }
    })
    .await;
    assert!(refused.contains("TOOMANYREQUESTS"), "{refused}");
    assert!(refused.contains("retry-after: 1"), "{refused}");
    // What is not a pull has a limit of its own, and watching has none.
    registry.open_upload().await;
    assert!(
        registry
            .connect()
            .await
            .get("/healthz")
            .await
            .starts_with("HTTP/1.1 200")
    );
}

#[tokio::test]
async fn an_address_that_asks_too_often_is_refused_before_it_is_known_who_asks() {
    let registry = Tuned::start(|config| {
        let rates = &mut config.settings.limits.rates;
        (rates.per_address, rates.burst) = (1, Timespan::seconds(3));
    })
    .await;
    // However slow this is, it is faster than one a second.
    let paths = ["/v2/", "/v2/app/tags/list", "/token", "/_wasmport/v1/gc"];
    for path in paths {
        let refused = within(async {
            loop {
                let answer = registry.connect().await.page(path).await;
                if answer.starts_with("HTTP/1.1 429") {
                    break answer;
                }
            }
        });
        let refused = refused.await;
        assert!(refused.contains("TOOMANYREQUESTS"), "{path}: {refused}");
        assert!(refused.contains("retry-after: 1"), "{path}: {refused}");
    }
    // Who watches the registry is not counted.
    let mut raw = registry.connect().await;
    assert!(raw.get("/healthz").await.starts_with("HTTP/1.1 200"));
}
