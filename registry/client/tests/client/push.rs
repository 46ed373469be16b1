use bytes::Bytes;
use serde_json::{Value, json};
use wasmport_artifact::{Descriptor, Digest, ImageManifest, Tag, media_type};
use wasmport_client::{BlobSource, Kind, Push, Upload, push};

use crate::stand_in::{Call, StandIn, answer, answer_with};

const WASM: &[u8] = b"\0asm\x0d\0\x01\0";

/// A small artifact. Its layer comes from a file.
fn artifact(directory: &tempfile::TempDir) -> Push {
    let path = directory.path().join("layer.wasm");
    std::fs::write(&path, WASM).unwrap();
    let config = Descriptor::of(media_type::WASM_CONFIG, b"{}");
    let layer = Descriptor::of(media_type::WASM, WASM);
    let manifest = ImageManifest::new(config.clone(), vec![layer.clone()]);
    Push {
        manifest: manifest.to_bytes().into(),
        media_type: media_type::IMAGE_MANIFEST.to_owned(),
        blobs: vec![
            (config, BlobSource::Bytes(Bytes::from_static(b"{}"))),
            (layer, BlobSource::File(path)),
        ],
    }
}

fn changes(calls: &[Call]) -> Vec<String> {
    let writes = calls.iter().filter(|call| call.method == "PUT");
    let path = |call: &Call| call.path.split(['?']).next().unwrap_or_default().to_owned();
    writes.map(path).collect()
}

#[tokio::test]
async fn blobs_go_before_the_manifest_and_the_tag_points_to_it() {
    let (stand_in, directory) = (StandIn::start().await, tempfile::tempdir().unwrap());
    let (registry, artifact) = (stand_in.connect().await, artifact(&directory));
    let reference = stand_in.reference(":v1");
    let pushed = push(&registry, &reference, &artifact, &[], "")
        .await
        .unwrap();
    assert_eq!(pushed.digest, Digest::of(&artifact.manifest));
    assert_eq!(pushed.sent_bytes, 10);
    assert_eq!(stand_in.blob(&Digest::of(WASM)).unwrap(), WASM);
    let manifest: Value = serde_json::from_slice(&artifact.manifest).unwrap();
    assert_eq!(stand_in.manifest("v1"), Some(manifest));
    let upload = "/v2/team/app/blobs/uploads/1";
    let expected = [upload, upload, "/v2/team/app/manifests/v1"];
    assert_eq!(changes(&stand_in.calls()), expected);
}

#[tokio::test]
async fn a_blob_that_is_there_is_not_sent() {
    let (stand_in, directory) = (StandIn::start().await, tempfile::tempdir().unwrap());
    stand_in.hold_blob(WASM);
    let (registry, artifact) = (stand_in.connect().await, artifact(&directory));
    let reference = stand_in.reference(":v1");
    let pushed = push(&registry, &reference, &artifact, &[], "")
        .await
        .unwrap();
    assert_eq!((pushed.sent_bytes, pushed.present_bytes), (2, 8));
    assert_eq!(stand_in.count("POST", "/blobs/uploads/"), 1);
}

#[tokio::test]
async fn a_digest_in_the_reference_must_be_the_manifests() {
    let (stand_in, directory) = (StandIn::start().await, tempfile::tempdir().unwrap());
    let (registry, artifact) = (stand_in.connect().await, artifact(&directory));
    let wrong = stand_in.reference(&format!("@{}", Digest::of(b"another")));
    let error = push(&registry, &wrong, &artifact, &[], "")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::DigestMismatch);
    assert_eq!(stand_in.calls().len(), 0);
    let right = stand_in.reference(&format!("@{}", Digest::of(&artifact.manifest)));
    push(&registry, &right, &artifact, &[], "").await.unwrap();
    assert_eq!(stand_in.count("PUT", "/manifests/sha256:"), 1);
}

#[tokio::test]
async fn a_denial_keeps_every_finding_and_is_not_repeated() {
    let errors = json!([{"code": "DENIED", "message": "imports sockets",
        "detail": {"findings": [{"code": "import-denied"}, {"code": "too-large"}]}}]);
    let body = json!({ "errors": errors }).to_string();
    let deny = move |call: &Call, _| {
        call.is("PUT", "/manifests/")
            .then(|| answer(403, body.clone()))
    };
    let (stand_in, directory) = (StandIn::with(deny).await, tempfile::tempdir().unwrap());
    let (registry, artifact) = (stand_in.connect().await, artifact(&directory));
    let reference = stand_in.reference(":v1");
    let error = push(&registry, &reference, &artifact, &[], "")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Denied);
    assert_eq!(error.errors(), Some(&errors));
    assert_eq!(stand_in.count("PUT", "/manifests/"), 1);
    let words = format!("push manifest `v1` to `{}/team/app`", stand_in.host());
    assert_eq!(error.to_string(), words);
}

#[tokio::test]
async fn a_warning_of_the_registry_reaches_the_caller() {
    let hold = |call: &Call, _| {
        let warning = [("warning", r#"299 - "held: not signed by `release`""#)];
        call.is("PUT", "/manifests/")
            .then(|| answer_with(201, &warning, ""))
    };
    let (stand_in, directory) = (StandIn::with(hold).await, tempfile::tempdir().unwrap());
    let (registry, artifact) = (stand_in.connect().await, artifact(&directory));
    let reference = stand_in.reference(":v1");
    let pushed = push(&registry, &reference, &artifact, &[], "")
        .await
        .unwrap();
    assert_eq!(pushed.warnings, ["held: not signed by `release`"]);
}

#[tokio::test]
async fn a_registry_that_stores_something_else_is_found_out() {
    let claim = Digest::of(b"something else").to_string();
    let lie = move |call: &Call, _| {
        let headers = [("docker-content-digest", claim.as_str())];
        call.is("PUT", "/manifests/")
            .then(|| answer_with(201, &headers, ""))
    };
    let (stand_in, directory) = (StandIn::with(lie).await, tempfile::tempdir().unwrap());
    let (registry, artifact) = (stand_in.connect().await, artifact(&directory));
    let reference = stand_in.reference(":v1");
    let error = push(&registry, &reference, &artifact, &[], "")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::DigestMismatch);
}

#[tokio::test]
async fn a_missing_location_is_an_error_only_where_nothing_was_stored() {
    let layer = Descriptor::of(media_type::WASM, WASM);
    let content = Bytes::from_static(WASM);

    // After the POST there is nowhere to send the blob to.
    let silent = |call: &Call, _| call.is("POST", "/uploads/").then(|| answer(202, ""));
    let stand_in = StandIn::with(silent).await;
    let registry = stand_in.connect().await;
    let error = registry
        .push_blob_bytes(&layer, &content)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Protocol);

    // After the PUT the blob is there, which is what counts.
    let silent = |call: &Call, before: usize| match (call.method.as_str(), before) {
        ("PUT", _) => Some(answer(201, "")),
        ("HEAD", 1..) => Some(answer(200, "")),
        _ => None,
    };
    let registry = StandIn::with(silent).await.connect().await;
    let upload = registry.push_blob_bytes(&layer, &content).await.unwrap();
    assert_eq!(upload, Upload::Sent);
}

#[tokio::test]
async fn an_empty_blob_can_be_sent() {
    let stand_in = StandIn::start().await;
    let empty = Descriptor::of("application/octet-stream", b"");
    let registry = stand_in.connect().await;
    registry
        .push_blob_bytes(&empty, &Bytes::new())
        .await
        .unwrap();
    assert_eq!(stand_in.blob(&empty.digest).unwrap(), "");
}

#[tokio::test]
async fn a_large_file_arrives_whole() {
    let content: Vec<u8> = (0..3_000_000_u32)
        .map(|n| n.to_le_bytes()[n as usize % 3])
        .collect();
    let (stand_in, directory) = (StandIn::start().await, tempfile::tempdir().unwrap());
    let path = directory.path().join("large");
    std::fs::write(&path, &content).unwrap();
    let descriptor = Descriptor::of(media_type::WASM, &content);
    let registry = stand_in.connect().await;
    registry
        .push_blob_from_file(&descriptor, &path)
        .await
        .unwrap();
    assert_eq!(stand_in.blob(&descriptor.digest).unwrap(), content);
}

#[tokio::test]
async fn a_file_that_is_gone_or_another_size_is_named() {
    let (stand_in, directory) = (StandIn::start().await, tempfile::tempdir().unwrap());
    let registry = stand_in.connect().await;
    let path = directory.path().join("layer.wasm");
    let descriptor = Descriptor::of(media_type::WASM, WASM);
    let error = registry
        .push_blob_from_file(&descriptor, &path)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Io);
    assert!(error.failure().to_string().contains("layer.wasm"));
    std::fs::write(&path, b"longer than it was").unwrap();
    let error = registry
        .push_blob_from_file(&descriptor, &path)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Io);
    assert_eq!(stand_in.count("POST", ""), 0);
}

#[tokio::test]
async fn tags_are_listed_sorted_from_a_registry_without_pages() {
    let stand_in = StandIn::start().await;
    for tag in ["v2", "v10", "v1"] {
        stand_in.hold_manifest(tag, media_type::IMAGE_MANIFEST, b"{}");
    }
    let tags = stand_in.connect().await.tags().await.unwrap();
    let tags: Vec<&str> = tags.iter().map(Tag::as_str).collect();
    assert_eq!(tags, ["v1", "v10", "v2"]);
}

#[tokio::test]
async fn a_push_can_run_on_any_thread() {
    let (stand_in, directory) = (StandIn::start().await, tempfile::tempdir().unwrap());
    let artifact = artifact(&directory);
    let reference = stand_in.reference(":v1");
    let registry = stand_in.connect().await;
    let task = tokio::spawn(async move {
        let pushed = push(&registry, &reference, &artifact, &[], "").await;
        pushed.map(|pushed| pushed.digest)
    });
    task.await.unwrap().unwrap();
}
