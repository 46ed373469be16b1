//! Pushing: every way in, and what is refused on each.

use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt, ready};
use futures_util::stream::{self, StreamExt};
use reqwest::Body;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wasmport_artifact::{Algorithm, Descriptor, Digest, ImageManifest, limits, media_type};
use wasmport_registry::storage::{
    Blobs, ListedBlob, ListedStage, MemoryBlobs, MemoryRecords, OpenBlob, Pieces, Stage, StageId,
    StorageError, Store,
};

use crate::artifact::{Artifact, hello};
use crate::registry::{Answer, Registry, files};

/// More than what is kept in the records, and in memory until it is complete.
const LARGE: &[u8] = &[7; 300 * 1024];

/// Sends a chunk with its range.
async fn chunk(registry: &Registry, method: &str, to: &str, range: &str, bytes: &[u8]) -> Answer {
    let request = registry.request(method, to).header("content-range", range);
    Answer::of(request.body(bytes.to_vec())).await
}

fn with_digest(location: &str, digest: &Digest) -> String {
    format!("{location}?digest={digest}")
}

#[tokio::test]
async fn a_blob_comes_in_chunks_and_in_order() {
    let registry = Registry::start().await;
    let digest = Digest::of(b"0123456789");
    let location = registry.open_upload("team/app").await;
    let answer = chunk(&registry, "PATCH", &location, "0-3", b"0123").await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("range")),
        (202, "0-3")
    );
    let answer = chunk(&registry, "PATCH", &location, "4-5", b"45").await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("range")),
        (202, "0-5")
    );
    let answer = chunk(
        &registry,
        "PUT",
        &with_digest(&location, &digest),
        "6-9",
        b"6789",
    )
    .await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let stored = registry.get(answer.header("location")).await;
    assert_eq!(stored.body, b"0123456789");
}

#[tokio::test]
async fn a_chunk_out_of_order_is_refused_and_the_upload_goes_on() {
    let registry = Registry::start().await;
    let digest = Digest::of(b"0123456789");
    let location = registry.open_upload("app").await;
    let early = chunk(&registry, "PATCH", &location, "4-5", b"45").await;
    assert_eq!(early.status, 416);
    let status = registry.get(&location).await;
    assert_eq!(
        (status.status.as_u16(), status.header("range")),
        (204, "0-0")
    );
    assert_eq!(status.header("location"), location);
    chunk(&registry, "PATCH", &location, "0-4", b"01234").await;
    let closing = with_digest(&location, &digest);
    let again = chunk(&registry, "PUT", &closing, "0-4", b"01234").await;
    assert_eq!((again.status.as_u16(), again.header("range")), (416, "0-4"));
    let wrong_length = chunk(&registry, "PATCH", &location, "5-9", b"56").await;
    assert_eq!(wrong_length.status, 416);
    let rest = chunk(&registry, "PUT", &closing, "5-9", b"56789").await;
    assert_eq!(rest.status, 201, "{}", rest.text());
}

#[tokio::test]
async fn a_blob_comes_as_a_stream_of_unknown_length() {
    let registry = Registry::start().await;
    let pieces = (0..50_u8).map(|n| Ok::<_, io::Error>(Bytes::from(vec![n; 10_000])));
    let whole: Vec<u8> = (0..50_u8).flat_map(|n| vec![n; 10_000]).collect();
    let location = registry.open_upload("app").await;
    let body = Body::wrap_stream(stream::iter(pieces));
    let answer = registry.send("PATCH", &location, body).await;
    assert_eq!(answer.header("range"), "0-499999");
    let digest = Digest::of(&whole);
    let answer = registry
        .send("PUT", &with_digest(&location, &digest), "")
        .await;
    assert_eq!(answer.status, 201);
    assert!(registry.get(&format!("/v2/app/blobs/{digest}")).await.body == whole);
}

#[tokio::test]
async fn other_bytes_than_the_digest_says_are_refused_and_leave_nothing() {
    let registry = Registry::start().await;
    let digest = Digest::of(b"other");
    let post = format!("/v2/app/blobs/uploads/?digest={digest}");
    let at_once = registry.send("POST", &post, "bytes").await;
    assert_eq!(
        (at_once.status.as_u16(), at_once.code().as_str()),
        (400, "DIGEST_INVALID")
    );
    let location = registry.open_upload("app").await;
    registry.send("PATCH", &location, "bytes").await;
    let closed = registry
        .send("PUT", &with_digest(&location, &digest), "")
        .await;
    assert_eq!(
        (closed.status.as_u16(), closed.code().as_str()),
        (400, "DIGEST_INVALID")
    );
    assert_eq!(
        registry
            .get(&format!("/v2/app/blobs/{digest}"))
            .await
            .status,
        404
    );
    assert_eq!(registry.get(&location).await.code(), "BLOB_UPLOAD_UNKNOWN");
    assert_eq!(files(&registry.store()), Vec::<std::path::PathBuf>::new());
}

#[tokio::test]
async fn a_sha512_digest_needs_no_announcement() {
    let registry = Registry::start().await;
    let digest = Digest::with(Algorithm::Sha512, b"bytes");
    let location = registry.open_upload("app").await;
    registry.send("PATCH", &location, "bytes").await;
    let answer = registry
        .send("PUT", &with_digest(&location, &digest), "")
        .await;
    assert_eq!(answer.header("docker-content-digest"), digest.as_str());
    assert_eq!(registry.get(answer.header("location")).await.body, b"bytes");
}

#[tokio::test]
async fn a_manifest_that_was_pushed_by_sha512_answers_with_sha512() {
    let registry = Registry::start().await;
    let artifact = hello();
    for blob in &artifact.blobs {
        registry.push_blob("app", blob).await;
    }
    let digest = Digest::with(Algorithm::Sha512, &artifact.manifest);
    let kind = media_type::IMAGE_MANIFEST;
    let answer = registry
        .put_manifest("app", digest.as_str(), kind, &artifact.manifest)
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let pulled = registry.get(&format!("/v2/app/manifests/{digest}")).await;
    assert_eq!(pulled.header("docker-content-digest"), digest.as_str());
    assert_eq!(pulled.body, artifact.manifest);
}

#[tokio::test]
async fn the_smallest_blobs_can_be_stored() {
    let registry = Registry::start().await;
    for bytes in [&b""[..], b"{}"] {
        let digest = registry.push_blob("app", bytes).await;
        let path = format!("/v2/app/blobs/{digest}");
        assert_eq!(registry.get(&path).await.body, bytes);
        assert_eq!(registry.head(&path).await.length(), bytes.len() as u64);
    }
}

#[tokio::test]
async fn pushing_a_blob_twice_is_no_error() {
    let registry = Registry::start().await;
    for bytes in [&b"small"[..], LARGE] {
        let first = registry.push_blob("app", bytes).await;
        assert_eq!(registry.push_blob("app", bytes).await, first);
        let path = format!("/v2/app/blobs/{first}");
        assert!(registry.get(&path).await.body == bytes);
    }
    assert_eq!(files(&registry.store()).len(), 1);
}

#[tokio::test]
async fn a_cancelled_upload_is_gone_with_its_bytes() {
    let registry = Registry::start().await;
    let location = registry.open_upload("app").await;
    registry.send("PATCH", &location, LARGE).await;
    assert_eq!(files(&registry.store()).len(), 1);
    assert_eq!(registry.send("DELETE", &location, "").await.status, 204);
    assert_eq!(
        registry.send("PATCH", &location, "more").await.code(),
        "BLOB_UPLOAD_UNKNOWN"
    );
    assert_eq!(files(&registry.store()).len(), 0);
}

#[tokio::test]
async fn a_client_that_was_cut_off_goes_on_where_it_was() {
    let registry = Registry::start().await;
    let location = registry.open_upload("app").await;
    let mut connection = TcpStream::connect(&registry.host).await.unwrap();
    let head = format!(
        "PATCH {location} HTTP/1.1\r\nhost: {}\r\ncontent-length: 10\r\n\r\n01234",
        registry.host
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.shutdown().await.unwrap();
    // The answer, or the end, comes when the registry has noticed.
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await.unwrap();
    let status = registry.get(&location).await;
    assert_eq!(
        (status.status.as_u16(), status.header("range")),
        (204, "0-4")
    );
    let digest = Digest::of(b"0123456789");
    let rest = chunk(
        &registry,
        "PUT",
        &with_digest(&location, &digest),
        "5-9",
        b"56789",
    )
    .await;
    assert_eq!(rest.status, 201, "{}", rest.text());
}

#[tokio::test]
async fn a_blob_is_mounted_from_a_repository_that_has_it() {
    let registry = Registry::start().await;
    let digest = registry.push_blob("from", b"bytes").await;
    let mount = format!("/v2/to/blobs/uploads/?mount={digest}&from=from");
    assert_eq!(registry.send("POST", &mount, "").await.status, 201);
    assert_eq!(
        registry.get(&format!("/v2/to/blobs/{digest}")).await.body,
        b"bytes"
    );
    let other = Digest::of(b"other");
    let mount = format!("/v2/to/blobs/uploads/?mount={other}&from=from");
    let answer = registry.send("POST", &mount, "").await;
    assert_eq!(answer.status, 202);
    assert!(answer.has_header("location"));
}

#[tokio::test]
async fn a_manifest_must_be_what_its_digest_says() {
    let registry = Registry::start().await;
    let artifact = hello();
    let digest = Digest::of(b"another manifest");
    let kind = media_type::IMAGE_MANIFEST;
    for reference in [digest.as_str(), "sha256:baddigeststring"] {
        let answer = registry
            .put_manifest("app", reference, kind, &artifact.manifest)
            .await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (400, "DIGEST_INVALID")
        );
    }
}

#[tokio::test]
async fn what_is_no_manifest_is_refused() {
    let registry = Registry::start().await;
    for (kind, body) in [
        (media_type::IMAGE_MANIFEST, "no JSON"),
        (media_type::IMAGE_MANIFEST, r#"{"schemaVersion":1}"#),
        (media_type::IMAGE_MANIFEST, r#"{"schemaVersion":2}"#),
        (
            media_type::IMAGE_INDEX,
            r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json"}"#,
        ),
    ] {
        let answer = registry
            .put_manifest("app", "1.0", kind, body.as_bytes())
            .await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (400, "MANIFEST_INVALID")
        );
    }
}

#[tokio::test]
async fn a_manifest_may_have_four_mebibytes_and_not_one_byte_more() {
    let registry = Registry::start().await;
    let sized = |size: usize| {
        let mut text = r#"{"schemaVersion":2,"x":""#.to_owned();
        text.push_str(&"x".repeat(size - text.len() - 2));
        text + "\"}"
    };
    let kind = "application/vnd.acme+json";
    let largest = sized(limits::MANIFEST_BYTES);
    let answer = registry
        .put_manifest("app", "1.0", kind, largest.as_bytes())
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let larger = sized(limits::MANIFEST_BYTES + 1);
    let answer = registry
        .put_manifest("app", "1.0", kind, larger.as_bytes())
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (413, "MANIFEST_INVALID")
    );
}

#[tokio::test]
async fn a_manifest_needs_its_blobs_in_its_own_repository() {
    let registry = Registry::start().await;
    let artifact = hello();
    registry.push("other", "1.0", &artifact).await;
    let kind = media_type::IMAGE_MANIFEST;
    let answer = registry
        .put_manifest("app", "1.0", kind, &artifact.manifest)
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (404, "MANIFEST_BLOB_UNKNOWN")
    );
    assert_eq!(registry.get("/v2/app/manifests/1.0").await.status, 404);
}

#[tokio::test]
async fn a_layer_that_may_not_be_distributed_may_be_absent() {
    let registry = Registry::start().await;
    registry.push_blob("app", b"{}").await;
    let absent = Descriptor::of(
        "application/vnd.oci.image.layer.nondistributable.v1.tar",
        b"x",
    );
    let config = Descriptor::of(media_type::IMAGE_CONFIG, b"{}");
    let bytes = ImageManifest::new(config, vec![absent]).to_bytes();
    let kind = media_type::IMAGE_MANIFEST;
    let answer = registry.put_manifest("app", "1.0", kind, &bytes).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
}

#[tokio::test]
async fn a_blob_must_have_the_size_that_the_manifest_says() {
    let registry = Registry::start().await;
    let mut artifact = Artifact::other(b"12345", None, None);
    let text = String::from_utf8(artifact.manifest).unwrap();
    artifact.manifest = text.replace("\"size\":5", "\"size\":6").into_bytes();
    let answer = registry.push("app", "1.0", &artifact).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (400, "SIZE_INVALID")
    );
}

#[tokio::test]
async fn an_index_may_name_manifests_that_are_not_there_yet() {
    let registry = Registry::start().await;
    let entry = serde_json::to_value(hello().descriptor()).unwrap();
    let index = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": media_type::IMAGE_INDEX,
        "manifests": [entry],
    });
    let bytes = index.to_string().into_bytes();
    let answer = registry
        .put_manifest("app", "all", media_type::IMAGE_INDEX, &bytes)
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text());
}

#[tokio::test]
async fn many_pushes_at_once_all_arrive() {
    let registry = Arc::new(Registry::start().await);
    let pushes = (0..16).map(|number: u8| {
        let registry = Arc::clone(&registry);
        tokio::spawn(async move {
            let artifact = Artifact::other(&[number], None, None);
            registry
                .push("app", &format!("v{number:02}"), &artifact)
                .await
                .status
        })
    });
    for push in futures_util::future::join_all(pushes).await {
        assert_eq!(push.unwrap(), 201);
    }
    let tags = registry.get("/v2/app/tags/list").await.json();
    assert_eq!(tags["tags"].as_array().unwrap().len(), 16);
}

#[tokio::test]
async fn a_full_disk_is_said_to_be_full_and_nothing_is_stored() {
    let blobs = Arc::new(FullDisk(MemoryBlobs::default()));
    let store = Store::new(Arc::new(MemoryRecords::default()), blobs);
    let registry = Registry::over_store(store).await;
    let digest = Digest::of(LARGE);
    let path = format!("/v2/app/blobs/uploads/?digest={digest}");
    let answer = registry.send("POST", &path, LARGE).await;
    assert_eq!(answer.status, 507);
    let location = registry.open_upload("app").await;
    assert_eq!(registry.send("PATCH", &location, LARGE).await.status, 507);
    assert_eq!(registry.get(&location).await.header("range"), "0-0");
    assert_eq!(
        registry
            .get(&format!("/v2/app/blobs/{digest}"))
            .await
            .status,
        404
    );
}

/// Blobs on a disk that takes no byte.
#[derive(Debug)]
struct FullDisk(MemoryBlobs);

#[derive(Debug)]
struct FullStage(StageId);

impl Blobs for FullDisk {
    fn stage(&self) -> BoxFuture<'_, Result<Box<dyn Stage>, StorageError>> {
        ready(StageId::random().map(|id| Box::new(FullStage(id)) as Box<dyn Stage>)).boxed()
    }

    fn open(
        &self,
        digest: &Digest,
    ) -> BoxFuture<'_, Result<Option<Box<dyn OpenBlob>>, StorageError>> {
        self.0.open(digest)
    }

    fn resume<'a>(
        &'a self,
        id: &'a StageId,
        size: u64,
    ) -> BoxFuture<'a, Result<Option<Box<dyn Stage>>, StorageError>> {
        self.0.resume(id, size)
    }

    fn discard<'a>(&'a self, id: &'a StageId) -> BoxFuture<'a, Result<(), StorageError>> {
        self.0.discard(id)
    }

    fn stages<'a>(
        &'a self,
        after: Option<&'a StageId>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<ListedStage>, StorageError>> {
        self.0.stages(after, limit)
    }

    fn delete(&self, digest: &Digest) -> BoxFuture<'_, Result<bool, StorageError>> {
        self.0.delete(digest)
    }

    fn list(
        &self,
        after: Option<&Digest>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<ListedBlob>, StorageError>> {
        self.0.list(after, limit)
    }
}

impl Stage for FullStage {
    fn id(&self) -> &StageId {
        &self.0
    }

    fn sync(&mut self) -> BoxFuture<'_, Result<(), StorageError>> {
        self.append(Bytes::new())
    }

    fn read(&mut self) -> BoxFuture<'_, Result<Pieces, StorageError>> {
        ready(Ok(stream::empty().boxed())).boxed()
    }

    fn append(&mut self, _: Bytes) -> BoxFuture<'_, Result<(), StorageError>> {
        let error = io::Error::from(io::ErrorKind::StorageFull);
        ready(Err(StorageError::io("write".to_owned(), error))).boxed()
    }

    fn publish(self: Box<Self>, _: Digest) -> BoxFuture<'static, Result<(), StorageError>> {
        let error = io::Error::other(fmt::Error);
        ready(Err(StorageError::io("publish".to_owned(), error))).boxed()
    }
}
