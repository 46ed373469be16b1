//! Every blob API, for both algorithms.

use wasmport_artifact::{Algorithm, Digest};

use crate::client::{Answer, Client, OTHER, REPOSITORY, answer};
use crate::uploads::{CHUNK, STYLES, Style, closing, open, upload};

const ALGORITHMS: [Algorithm; 2] = [Algorithm::Sha256, Algorithm::Sha512];

fn path(repository: &str, digest: &Digest) -> String {
    format!("/v2/{repository}/blobs/{digest}")
}

/// A blob that no other case has, and its digest.
fn blob(seed: &str, length: usize, algorithm: Algorithm) -> (Vec<u8>, Digest) {
    let seed = format!("{seed} {} ", algorithm.name());
    let bytes: Vec<u8> = seed.bytes().cycle().take(length).collect();
    let digest = Digest::with(algorithm, &bytes);
    (bytes, digest)
}

async fn expect_there_and_delete(client: &Client, created: &Answer, bytes: &[u8], digest: &Digest) {
    assert_eq!(created.header("docker-content-digest"), digest.as_str());
    client.expect_location(created, bytes).await;
    let path = path(REPOSITORY, digest);
    client.expect_content(&path, bytes, None, digest).await;
    delete(client, REPOSITORY, digest).await;
}

async fn delete(client: &Client, repository: &str, digest: &Digest) {
    let path = path(repository, digest);
    client.send("DELETE", &path).await.expect(202);
    client.expect_gone(&path).await;
}

#[tokio::test]
async fn a_blob_can_be_uploaded_in_every_style() {
    let client = Client::start().await;
    for algorithm in ALGORITHMS {
        for (n, style) in STYLES.into_iter().enumerate() {
            for length in [512, CHUNK * 3 - 5] {
                let (bytes, digest) = blob(&format!("style {n}"), length, algorithm);
                client.expect_gone(&path(REPOSITORY, &digest)).await;
                let created = upload(&client, REPOSITORY, &bytes, &digest, style).await;
                let created = created.expect(201);
                expect_there_and_delete(&client, &created, &bytes, &digest).await;
            }
        }
    }
}

#[tokio::test]
async fn well_known_blobs_can_be_uploaded_in_every_style() {
    let client = Client::start().await;
    for algorithm in ALGORITHMS {
        for style in STYLES {
            for bytes in [&b""[..], b"{}"] {
                let digest = Digest::with(algorithm, bytes);
                let created = upload(&client, REPOSITORY, bytes, &digest, style).await;
                let created = created.expect(201);
                expect_there_and_delete(&client, &created, bytes, &digest).await;
            }
        }
    }
}

#[tokio::test]
async fn a_blob_with_another_digest_is_refused_in_every_style() {
    let client = Client::start().await;
    for algorithm in ALGORITHMS {
        for (n, style) in STYLES.into_iter().enumerate() {
            let (mut bytes, digest) = blob(&format!("bad {n}"), CHUNK * 3 - 5, algorithm);
            bytes.extend(b"oh no");
            let refused = upload(&client, REPOSITORY, &bytes, &digest, style).await;
            refused.expect_code(400, "DIGEST_INVALID");
            client.expect_gone(&path(REPOSITORY, &digest)).await;
        }
    }
}

#[tokio::test]
async fn a_blob_is_mounted_from_a_repository_and_from_anywhere() {
    let client = Client::start().await;
    for algorithm in ALGORITHMS {
        for from in [format!("&from={OTHER}"), String::new()] {
            let (bytes, digest) = blob(&format!("mount {from}"), 512, algorithm);
            upload(&client, OTHER, &bytes, &digest, Style::PostPut)
                .await
                .expect(201);
            let mount = format!("/v2/{REPOSITORY}/blobs/uploads/?mount={digest}{from}");
            let created = client.send("POST", &mount).await.expect(201);
            expect_there_and_delete(&client, &created, &bytes, &digest).await;
            delete(&client, OTHER, &digest).await;
        }
    }
}

#[tokio::test]
async fn a_mount_of_what_is_missing_becomes_an_upload() {
    let client = Client::start().await;
    for algorithm in ALGORITHMS {
        for from in [format!("&from={OTHER}"), String::new()] {
            let (bytes, digest) = blob(&format!("missing {from}"), 512, algorithm);
            let mount = format!("/v2/{REPOSITORY}/blobs/uploads/?mount={digest}{from}");
            let opened = client.send("POST", &mount).await.expect(202);
            let closing = closing(opened.header("location"), &digest);
            let put = client.request("PUT", &closing).body(bytes.clone());
            let created = answer(put).await.expect(201);
            expect_there_and_delete(&client, &created, &bytes, &digest).await;
        }
    }
}

#[tokio::test]
async fn an_upload_can_be_cancelled() {
    let client = Client::start().await;
    let location = open(&client, REPOSITORY).await;
    let cancel = client
        .request("DELETE", &location)
        .header("content-length", 0);
    answer(cancel).await.expect(204);
    for method in ["GET", "PATCH", "DELETE"] {
        let late = client.send(method, &location).await;
        late.expect_code(404, "BLOB_UPLOAD_UNKNOWN");
    }
}

#[tokio::test]
async fn parts_of_a_blob_can_be_had() {
    let client = Client::start().await;
    for algorithm in ALGORITHMS {
        let (bytes, digest) = blob("ranges", 2048, algorithm);
        upload(&client, REPOSITORY, &bytes, &digest, Style::Post)
            .await
            .expect(201);
        let path = path(REPOSITORY, &digest);
        let part = |range: &str| client.request("GET", &path).header("range", range);
        for (range, expected) in [
            ("bytes=500-1499", 500..1500),
            ("bytes=500-", 500..2048),
            ("bytes=-500", 1548..2048),
            ("bytes=2000-5000", 2000..2048),
        ] {
            let found = answer(part(range)).await.expect(206);
            assert!(found.body == bytes[expected.clone()], "{range}");
            assert_eq!(found.header("content-length"), expected.len().to_string());
            let said = format!("bytes {}-{}/2048", expected.start, expected.end - 1);
            assert_eq!(found.header("content-range"), said);
            assert_eq!(found.header("docker-content-digest"), digest.as_str());
        }
        for range in ["bytes=500-0", "bytes=5000-10000"] {
            answer(part(range)).await.expect(416);
        }
        delete(&client, REPOSITORY, &digest).await;
    }
}
