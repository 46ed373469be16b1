//! `/metrics`, and the names that requests have.

use reqwest::Client;
use wasmport_artifact::{Digest, media_type};

use crate::artifact::{Artifact, hello};
use crate::raw::{Tuned, within};
use crate::registry::{Answer, Registry};

/// The value of a metric, 0 when it is not on the page.
pub(crate) fn sample(page: &str, name: &str) -> u64 {
    let mut lines = page.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.map_or(0, |value| value.parse().unwrap())
}

#[tokio::test]
async fn requests_and_bytes_are_counted_by_what_they_were_for() {
    let registry = Tuned::start(|_| {}).await;
    let bytes = vec![1; 100_000];
    let digest = Digest::of(&bytes);
    let url = format!("http://{}/v2/app/blobs", registry.addr);
    let client = Client::new();
    let push = client.post(format!("{url}/uploads/?digest={digest}"));
    let image = Artifact::other(&bytes, None, None).manifest;
    assert_eq!(Answer::of(push.body(bytes)).await.status, 201);
    // Who may read a blob is kept when a manifest with it is admitted.
    let put = client.put(format!("http://{}/v2/app/manifests/1", registry.addr));
    let put = put.header("content-type", media_type::IMAGE_MANIFEST);
    assert_eq!(Answer::of(put.body(image)).await.status, 201);
    for _ in 0..3 {
        let answer = Answer::of(client.get(format!("{url}/{digest}"))).await;
        assert_eq!(answer.body.len(), 100_000);
    }
    let missing = format!("{url}/{}", Digest::of(b"missing"));
    assert_eq!(Answer::of(client.get(missing)).await.status, 404);
    // A connection tells what it has moved when it ends.
    drop(client);
    let page = within(async {
        loop {
            let page = registry.connect().await.page("/metrics").await;
            if sample(&page, "wasmport_http_sent_bytes_total") > 300_000 {
                break page;
            }
        }
    })
    .await;
    let requests =
        |labels: &str| sample(&page, &format!("wasmport_http_requests_total{{{labels}}}"));
    assert_eq!(
        requests("endpoint=\"blob\",method=\"GET\",status=\"2xx\""),
        3
    );
    assert_eq!(
        requests("endpoint=\"blob\",method=\"GET\",status=\"4xx\""),
        1
    );
    assert_eq!(
        requests("endpoint=\"upload\",method=\"POST\",status=\"2xx\""),
        1
    );
    let durations = "wasmport_http_request_duration_seconds_count";
    let blobs = format!("{durations}{{endpoint=\"blob\",method=\"GET\"}}");
    assert_eq!(sample(&page, &blobs), 4);
    assert!(sample(&page, "wasmport_http_received_bytes_total") > 100_000);
    assert!(sample(&page, "wasmport_store_commit_seconds_count") > 0);
    assert!(sample(&page, "wasmport_store_changed_records_total") > 0);
    assert!(page.ends_with("# EOF\n"));
    let looks = |cache: &str, result: &str| {
        let labels = format!("{{cache=\"{cache}\",result=\"{result}\"}}");
        sample(&page, &format!("wasmport_cache_looks_total{labels}"))
    };
    // The first reading finds nothing, the second is kept, and the third comes from memory.
    assert_eq!((looks("blobs", "hit"), looks("blobs", "miss")), (1, 2));
    assert_eq!((looks("grants", "hit"), looks("grants", "miss")), (2, 2));
    let written = "wasmport_store_written_bytes_total{place=\"file\"}";
    assert_eq!(sample(&page, written), 100_000);
}

#[tokio::test]
async fn a_store_on_a_disk_tells_of_its_syncs_and_of_what_is_free() {
    let registry = Registry::start().await;
    assert_eq!(registry.push("app", "1", &hello()).await.status, 201);
    let location = registry.open_upload("app").await;
    let begun = registry.send("PATCH", &location, "begun").await;
    assert_eq!(begun.status, 202, "{}", begun.text());
    let page = registry.get("/metrics").await.text();
    for name in [
        "wasmport_store_sync_seconds_count",
        "wasmport_store_transaction_seconds_count",
        "wasmport_store_transaction_batches_count",
        "wasmport_store_records_bytes",
        "wasmport_store_file_system_bytes",
        "wasmport_store_free_bytes",
    ] {
        assert!(sample(&page, name) > 0, "{name} in {page}");
    }
    assert!(
        sample(
            &page,
            "wasmport_store_written_bytes_total{place=\"record\"}"
        ) > 0
    );
    assert_eq!(sample(&page, "wasmport_open_uploads"), 1);
    assert_eq!(sample(&page, "wasmport_gc_run_seconds_count"), 0);
    let run = registry
        .send("POST", "/_wasmport/v1/gc", r#"{"grace":"0s"}"#)
        .await;
    assert_eq!(run.status, 200, "{}", run.text());
    let page = registry.get("/metrics").await.text();
    assert_eq!(sample(&page, "wasmport_gc_run_seconds_count"), 1);
    assert!(sample(&page, "wasmport_gc_last_run_timestamp_seconds") > 0);
}

#[tokio::test]
async fn clients_that_are_cut_and_refused_are_counted() {
    let registry = Tuned::start(|config| {
        config.settings.limits.requests = 1;
        config.settings.server.stall_timeout = crate::raw::soon();
    })
    .await;
    let location = registry.open_upload().await;
    let mut slow = registry.begin_patch(&location, 10).await;
    let head = registry.connect().await.get("/v2/").await;
    assert!(head.starts_with("HTTP/1.1 503"), "{head}");
    slow.closed().await;
    let page = within(async {
        loop {
            let page = registry.connect().await.page("/metrics").await;
            if sample(&page, "wasmport_http_cut_total{reason=\"slow-sender\"}") == 1 {
                break page;
            }
        }
    })
    .await;
    assert!(sample(&page, "wasmport_http_refused_total{reason=\"requests\"}") >= 1);
    let abandoned = "endpoint=\"upload\",method=\"PATCH\",status=\"abandoned\"";
    let abandoned = format!("wasmport_http_requests_total{{{abandoned}}}");
    assert_eq!(sample(&page, &abandoned), 1);
}

#[tokio::test]
async fn metrics_are_not_for_who_comes_through_a_proxy() {
    let registry = Tuned::start(|_| {}).await;
    let url = format!("http://{}/metrics", registry.addr);
    let client = Client::new();
    assert_eq!(Answer::of(client.get(&url)).await.status, 200);
    let forwarded = client.get(&url).header("x-forwarded-for", "203.0.113.7");
    assert_eq!(Answer::of(forwarded).await.status, 404);
}

#[tokio::test]
async fn who_is_behind_a_proxy_that_is_trusted_counts_alone_and_has_no_metrics() {
    let registry = Tuned::start(|config| {
        config.settings.server.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
        config.settings.limits.rates.pulls = 1;
        config.settings.limits.rates.burst = "1s".parse().unwrap();
    })
    .await;
    let client = Client::new();
    let ask = |path: &str, from: Option<&str>| {
        let request = client.get(format!("http://{}{path}", registry.addr));
        from.into_iter().fold(request, |request, from| {
            request.header("x-forwarded-for", from)
        })
    };
    let status = async |from: &str| Answer::of(ask("/v2/", Some(from))).await.status.as_u16();
    assert_eq!(status("203.0.113.1").await, 200);
    assert_eq!(status("203.0.113.1").await, 429);
    // What the client has made up stands before what the proxy says.
    assert_eq!(status("198.51.100.9, 203.0.113.1").await, 429);
    assert_eq!(status("203.0.113.2").await, 200);
    for from in [None, Some("127.0.0.1"), Some("203.0.113.1")] {
        assert_eq!(
            Answer::of(ask("/metrics", from)).await.status,
            404,
            "{from:?}"
        );
    }
}

#[tokio::test]
async fn what_somebody_says_who_is_no_trusted_proxy_changes_nothing() {
    let registry = Tuned::start(|config| {
        config.settings.server.trusted_proxies = vec!["192.0.2.0/24".parse().unwrap()];
        config.settings.limits.rates.pulls = 1;
        config.settings.limits.rates.burst = "1s".parse().unwrap();
    })
    .await;
    let ask = |from: &str| {
        let request = Client::new().get(format!("http://{}/v2/", registry.addr));
        Answer::of(request.header("x-forwarded-for", from.to_owned()))
    };
    assert_eq!(ask("203.0.113.1").await.status, 200);
    assert_eq!(ask("203.0.113.2").await.status, 429);
}

#[tokio::test]
async fn metrics_with_an_address_of_their_own_are_only_there() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = free.local_addr().unwrap();
    drop(free);
    let registry = Tuned::start(|config| config.settings.telemetry.metrics_addr = Some(addr)).await;
    let get = |addr: std::net::SocketAddr| Client::new().get(format!("http://{addr}/metrics"));
    let answer = Answer::of(get(addr)).await;
    assert!(
        answer
            .header("content-type")
            .starts_with("application/openmetrics-text")
    );
    assert!(answer.text().contains("wasmport_http_connections"));
    assert_eq!(Answer::of(get(registry.addr)).await.status, 404);
}

#[tokio::test]
async fn a_request_keeps_its_name_or_gets_one_when_there_is_something_to_find() {
    let registry = Tuned::start(|_| {}).await;
    let client = Client::new();
    let request = |path: &str| client.get(format!("http://{}/v2/{path}", registry.addr));
    let named = request("").header("x-request-id", "a-name");
    assert_eq!(Answer::of(named).await.header("x-request-id"), "a-name");
    let named = request("app/tags/list").header("x-request-id", "not a name");
    let first = Answer::of(named).await.header("x-request-id").to_owned();
    let second = Answer::of(request("app/tags/list")).await;
    assert_ne!(second.header("x-request-id"), first);
    assert!(!Answer::of(request("")).await.has_header("x-request-id"));
}
