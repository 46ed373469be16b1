//! Uploads that last: over restarts, broken connections and mistakes of the client.

mod cheap;
mod durable;
mod refused;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wasmport_artifact::{Algorithm, Digest};

use crate::registry::{Answer, Registry};

/// More than what is kept in the records, in several pieces of the file engine.
fn large() -> Vec<u8> {
    (0..700_000_u32)
        .map(|number| number.wrapping_mul(2_654_435_761).to_be_bytes()[0])
        .collect()
}

/// Sends a chunk with its range.
async fn chunk(registry: &Registry, method: &str, to: &str, start: usize, bytes: &[u8]) -> Answer {
    let range = format!("{start}-{}", start + bytes.len() - 1);
    let request = registry.request(method, to).header("content-range", range);
    Answer::of(request.body(bytes.to_vec())).await
}

fn with_digest(location: &str, digest: &Digest) -> String {
    format!("{location}?digest={digest}")
}

fn both(bytes: &[u8]) -> [Digest; 2] {
    [Algorithm::Sha256, Algorithm::Sha512].map(|algorithm| Digest::with(algorithm, bytes))
}

/// How many bytes the registry says it has.
async fn offset(registry: &Registry, location: &str) -> usize {
    let status = registry.get(location).await;
    assert_eq!(status.status, 204, "{}", status.text());
    assert_eq!(status.header("location"), location);
    let last: usize = status.header("range")[2..].parse().unwrap();
    if last == 0 { 0 } else { last + 1 }
}

/// Sends the beginning of a request whose body has `length` bytes, and hangs up.
async fn cut_off(registry: &Registry, method: &str, to: &str, length: usize, bytes: &[u8]) {
    let mut connection = TcpStream::connect(&registry.host).await.unwrap();
    let head = format!(
        "{method} {to} HTTP/1.1\r\nhost: {}\r\ncontent-length: {length}\r\n\r\n",
        registry.host
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.write_all(bytes).await.unwrap();
    connection.shutdown().await.unwrap();
    // The answer, or the end, comes when the registry has noticed.
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await.unwrap();
}
