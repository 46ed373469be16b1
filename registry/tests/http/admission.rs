//! Admission: what the bytes are decides, at every push and at every pull.

use wasmport_artifact::{Digest, WasmConfig, media_type};
use wasmport_policies::{Decision, Verdict};

use crate::artifact::{Artifact, CALLER, HELLO, caller, hello, hello_again, wasm};
use crate::registry::Registry;
use crate::signatures::{key, policy, push_bundle, push_simple, signed_by};

const NOTHING: &str =
    "schema = 1\n[[rule]]\nid = \"nothing\"\nrepositories = [\"**\"]\nallow = []\n";

const COMPONENTS: &str = "schema = 1\n[[rule]]\nid = \"components\"\nrepositories = [\"**\"]\n\
    kinds = [\"component\"]\nallow = [\"*\"]\n";

const EVERYTHING: &str = "schema = 1\ndefault = \"allow\"\n";

#[tokio::test]
async fn what_imports_only_what_the_policy_allows_is_admitted() {
    let registry = Registry::start().await;
    let answer = registry.push("team/hello", "1.0", &hello()).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert!(!answer.has_header("warning"));
    assert_eq!(
        registry.get("/v2/team/hello/manifests/1.0").await.status,
        200
    );
}

#[tokio::test]
async fn a_refusal_has_every_finding() {
    let registry = Registry::start().await;
    let answer = registry.push("team/caller", "1.0", &caller()).await;
    assert_eq!(answer.findings(), ["import-not-allowed"]);
    let error = &answer.json()["errors"][0];
    let decision: Decision = serde_json::from_value(error["detail"].clone()).unwrap();
    assert_eq!(decision.verdict, Verdict::Deny);
    let found = decision.findings[0].found.iter();
    let imports: Vec<_> = found.map(|found| found.import.clone()).collect();
    let expected = [
        "wasi:sockets/tcp-create-socket@0.2.6",
        "wasi:sockets/udp-create-socket@0.2.6",
    ];
    assert_eq!(imports, expected.map(|name| Some(name.to_owned())));
    let message = error["message"].as_str().unwrap();
    assert!(
        message.contains("team/caller:1.0") && !message.contains('\n'),
        "{message}"
    );
}

#[tokio::test]
async fn nothing_of_what_was_refused_can_be_pulled() {
    let registry = Registry::start().await;
    let refused = caller();
    assert_eq!(registry.push("app", "1.0", &refused).await.status, 403);
    assert_eq!(registry.get("/v2/app/manifests/1.0").await.status, 404);
    let by_digest = format!("/v2/app/manifests/{}", refused.digest());
    assert_eq!(registry.get(&by_digest).await.status, 404);
    let layer = format!("/v2/app/blobs/{}", Digest::of(refused.layer()));
    assert_eq!(registry.get(&layer).await.status, 404);
    let tags = registry.get("/v2/app/tags/list").await.json();
    assert_eq!(tags["tags"], serde_json::json!([]));
}

#[tokio::test]
async fn a_refusal_takes_no_blob_away_that_an_admitted_artifact_uses() {
    let registry = Registry::start().await;
    let admitted = hello();
    registry.push("app", "1.0", &admitted).await;
    // The same layer, under a config that lies about it.
    let lying = Artifact::claiming_to_be_wasm(admitted.layer());
    assert_eq!(
        registry.push("app", "2.0", &lying).await.findings(),
        ["config-disagrees"]
    );
    for blob in &admitted.blobs {
        let path = format!("/v2/app/blobs/{}", Digest::of(blob));
        assert_eq!(registry.get(&path).await.status, 200);
    }
}

#[tokio::test]
async fn a_tag_keeps_pointing_to_the_last_that_was_admitted() {
    let registry = Registry::start().await;
    let admitted = hello();
    registry.push("app", "latest", &admitted).await;
    assert_eq!(registry.push("app", "latest", &caller()).await.status, 403);
    assert_eq!(
        registry.get("/v2/app/manifests/latest").await.body,
        admitted.manifest
    );
    let next = hello_again();
    registry.push("app", "latest", &next).await;
    assert_eq!(
        registry.get("/v2/app/manifests/latest").await.body,
        next.manifest
    );
}

#[tokio::test]
async fn a_config_that_hides_an_import_is_refused_for_both() {
    let registry = Registry::start().await;
    let honest = WasmConfig::parse(&hello().blobs[0]).unwrap();
    let layer = wasm(CALLER);
    let lying = WasmConfig {
        layer_digests: vec![Digest::of(&layer)],
        ..honest
    };
    let artifact = Artifact::of(lying.to_bytes(), vec![(media_type::WASM, layer)]);
    let findings = registry.push("app", "1.0", &artifact).await.findings();
    assert!(
        findings.contains(&"config-disagrees".to_owned()),
        "{findings:?}"
    );
    assert!(
        findings.contains(&"import-not-allowed".to_owned()),
        "{findings:?}"
    );
}

#[tokio::test]
async fn what_only_claims_to_be_wasm_is_refused() {
    let registry = Registry::start().await;
    let component = wasm(HELLO);
    let truncated = &component[..component.len() - 3];
    for (what, layer) in [
        ("text", b"hello".as_slice()),
        ("Wasm as text", b"(component)"),
        ("ELF", b"\x7fELF\x02\x01\x01"),
        ("gzip", b"\x1f\x8b\x08\x00"),
        ("nothing", b""),
        ("truncated", truncated),
    ] {
        let artifact = Artifact::claiming_to_be_wasm(layer);
        let answer = registry.push("app", "1.0", &artifact).await;
        assert_eq!(answer.findings(), ["unreadable-wasm"], "{what}");
    }
}

#[tokio::test]
async fn two_layers_of_wasm_are_refused() {
    let registry = Registry::start().await;
    let hello = hello();
    let layers = vec![
        (media_type::WASM, hello.layer().to_vec()),
        (media_type::WASM, wasm("(component)")),
    ];
    let artifact = Artifact::of(hello.blobs[0].clone(), layers);
    let answer = registry.push("app", "1.0", &artifact).await;
    assert_eq!(answer.findings(), ["unreadable-wasm"]);
}

#[tokio::test]
async fn a_missing_signature_holds_the_tag_until_a_bundle_arrives() {
    let key = key();
    let registry = Registry::start_with(&signed_by(&key)).await;
    let artifact = hello();
    let held = registry.push("app", "1.0", &artifact).await;
    assert_eq!(held.status, 201, "{}", held.text());
    let warning = held.header("warning").to_owned();
    assert!(
        warning.starts_with("299 - \"held") && warning.contains("release"),
        "{warning}"
    );
    assert_eq!(registry.get("/v2/app/manifests/1.0").await.status, 404);
    let by_digest = format!("/v2/app/manifests/{}", artifact.digest());
    assert_eq!(registry.get(&by_digest).await.body, artifact.manifest);
    let signed = push_bundle(&registry, "app", &artifact, &key).await;
    assert_eq!(signed.status, 201, "{}", signed.text());
    assert_eq!(
        registry.get("/v2/app/manifests/1.0").await.body,
        artifact.manifest
    );
}

#[tokio::test]
async fn a_signature_under_the_sig_tag_moves_the_tag_too() {
    let key = key();
    let registry = Registry::start_with(&signed_by(&key)).await;
    let artifact = hello();
    registry.push("app", "1.0", &artifact).await;
    let signed = push_simple(&registry, "app", &artifact, &key).await;
    assert_eq!(signed.status, 201, "{}", signed.text());
    assert_eq!(
        registry.get("/v2/app/manifests/1.0").await.body,
        artifact.manifest
    );
}

#[tokio::test]
async fn a_signature_by_somebody_else_moves_nothing() {
    let registry = Registry::start_with(&signed_by(&key())).await;
    let artifact = hello();
    registry.push("app", "1.0", &artifact).await;
    push_bundle(&registry, "app", &artifact, &key()).await;
    push_simple(&registry, "app", &artifact, &key()).await;
    assert_eq!(registry.get("/v2/app/manifests/1.0").await.status, 404);
}

#[tokio::test]
async fn a_signature_of_another_artifact_moves_nothing() {
    let key = key();
    let registry = Registry::start_with(&signed_by(&key)).await;
    let artifact = hello();
    registry.push("app", "1.0", &artifact).await;
    push_bundle(&registry, "app", &hello_again(), &key).await;
    assert_eq!(registry.get("/v2/app/manifests/1.0").await.status, 404);
}

#[tokio::test]
async fn what_was_signed_before_it_was_pushed_is_admitted_at_once() {
    let key = key();
    let registry = Registry::start_with(&signed_by(&key)).await;
    let artifact = hello();
    push_bundle(&registry, "app", &artifact, &key).await;
    let answer = registry.push("app", "1.0", &artifact).await;
    assert_eq!(answer.status, 201);
    assert!(!answer.has_header("warning"));
    assert_eq!(
        registry.get("/v2/app/manifests/1.0").await.body,
        artifact.manifest
    );
}

#[tokio::test]
async fn a_held_artifact_leaves_its_tag_to_the_one_before_and_to_the_one_after() {
    let key = key();
    let registry = Registry::start_with(&signed_by(&key)).await;
    let (first, second) = (hello(), hello_again());
    push_bundle(&registry, "app", &first, &key).await;
    registry.push("app", "latest", &first).await;
    registry.push("app", "latest", &second).await;
    assert_eq!(
        registry.get("/v2/app/manifests/latest").await.body,
        first.manifest
    );
    // The first is pushed again, and so the wish of the second is out of date.
    registry.push("app", "latest", &first).await;
    push_bundle(&registry, "app", &second, &key).await;
    assert_eq!(
        registry.get("/v2/app/manifests/latest").await.body,
        first.manifest
    );
}

#[tokio::test]
async fn a_signed_artifact_is_refused_for_its_imports_all_the_same() {
    let key = key();
    let registry = Registry::start_with(&signed_by(&key)).await;
    push_bundle(&registry, "app", &caller(), &key).await;
    let findings = registry.push("app", "1.0", &caller()).await.findings();
    assert_eq!(findings, ["import-not-allowed"]);
}

#[tokio::test]
async fn a_pull_is_decided_with_the_policy_of_today() {
    let registry = Registry::start_with(&policy(EVERYTHING)).await;
    let artifact = caller();
    assert_eq!(registry.push("app", "1.0", &artifact).await.status, 201);
    let by_digest = format!("/v2/app/manifests/{}", artifact.digest());
    let layer = format!("/v2/app/blobs/{}", Digest::of(artifact.layer()));
    let registry = registry.restart_with(&policy(NOTHING)).await;
    for path in ["/v2/app/manifests/1.0", &by_digest, &layer] {
        let findings = registry.get(path).await.findings();
        assert!(
            findings.contains(&"import-not-allowed".to_owned()),
            "{path}: {findings:?}"
        );
        // Everyone may push here, and whoever asks before a push shall go on to hear why.
        assert_eq!(registry.head(path).await.status, 404, "{path}");
    }
    let registry = registry.restart_with(&policy(EVERYTHING)).await;
    for path in ["/v2/app/manifests/1.0", &by_digest, &layer] {
        assert_eq!(registry.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_tag_is_closed_when_the_policy_comes_to_want_a_signature() {
    let key = key();
    let registry = Registry::start_with(&policy(EVERYTHING)).await;
    let artifact = hello();
    registry.push("app", "1.0", &artifact).await;
    let registry = registry.restart_with(&signed_by(&key)).await;
    let closed = registry.get("/v2/app/manifests/1.0").await;
    assert_eq!(closed.findings(), ["signature-missing"]);
    // It can still be read by its digest, to be signed.
    let by_digest = format!("/v2/app/manifests/{}", artifact.digest());
    assert_eq!(registry.get(&by_digest).await.status, 200);
    push_bundle(&registry, "app", &artifact, &key).await;
    assert_eq!(registry.get("/v2/app/manifests/1.0").await.status, 200);
}

#[tokio::test]
async fn a_policy_that_wants_less_lets_out_what_was_held() {
    let registry = Registry::start_with(&signed_by(&key())).await;
    let artifact = hello();
    registry.push("app", "1.0", &artifact).await;
    let registry = registry.restart_with(&policy(EVERYTHING)).await;
    assert_eq!(
        registry.get("/v2/app/manifests/1.0").await.body,
        artifact.manifest
    );
}

#[tokio::test]
async fn a_layer_is_readable_as_long_as_one_manifest_with_it_is_admitted() {
    let registry = Registry::start_with(&policy(EVERYTHING)).await;
    let alone = Artifact::other(b"words", None, None);
    let attached = Artifact::other(b"words", Some(hello().descriptor()), None);
    registry.push("app", "alone", &alone).await;
    let digest = attached.digest();
    registry.push("app", digest.as_str(), &attached).await;
    let registry = registry.restart_with(&policy(COMPONENTS)).await;
    assert_eq!(registry.get("/v2/app/manifests/alone").await.status, 403);
    let by_digest = format!("/v2/app/manifests/{digest}");
    assert_eq!(registry.get(&by_digest).await.status, 200);
    let path = format!("/v2/app/blobs/{}", Digest::of(b"words"));
    assert_eq!(registry.get(&path).await.status, 200);
}

#[tokio::test]
async fn wasm_that_is_not_said_to_be_wasm_is_refused() {
    let registry = Registry::start().await;
    for subject in [None, Some(hello().descriptor())] {
        let disguised = Artifact::other(caller().layer(), subject, None);
        let answer = registry.push("app", "1.0", &disguised).await;
        assert_eq!(answer.findings(), ["unreadable-wasm"]);
    }
}

#[tokio::test]
async fn an_attachment_does_not_take_over_a_tag_that_wants_signatures() {
    let key = key();
    let registry = Registry::start_with(&signed_by(&key)).await;
    let attachment = Artifact::other(b"words", Some(hello().descriptor()), None);
    let answer = registry.push("app", "1.0", &attachment).await;
    assert!(answer.has_header("warning"), "{}", answer.text());
    assert_eq!(registry.get("/v2/app/manifests/1.0").await.status, 404);
}

#[tokio::test]
async fn a_refusal_for_a_lying_config_leaves_the_layer_to_who_pushes_it_honestly() {
    let registry = Registry::start().await;
    let honest = hello();
    let lying = Artifact::of(
        WasmConfig::parse(&caller().blobs[0]).unwrap().to_bytes(),
        vec![(media_type::WASM, honest.layer().to_vec())],
    );
    assert_eq!(registry.push("app", "1.0", &lying).await.status, 403);
    let layer = format!("/v2/app/blobs/{}", Digest::of(honest.layer()));
    assert_eq!(registry.get(&layer).await.status, 200);
}

#[tokio::test]
async fn a_manifest_that_clients_would_read_differently_is_refused() {
    let registry = Registry::start().await;
    let mut hello = hello();
    let text = String::from_utf8(hello.manifest).unwrap();
    hello.manifest = text
        .replacen("\"layers\":", "\"Layers\":[],\"layers\":", 1)
        .into_bytes();
    assert_eq!(registry.push("app", "1.0", &hello).await.status, 400);
}
