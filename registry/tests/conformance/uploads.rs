//! The ways in which a blob can be uploaded. Each checks every answer on its way.

use reqwest::Body;
use wasmport_artifact::Digest;

use crate::client::{Answer, Client, answer};

/// The smallest chunk that the program sends.
pub(crate) const CHUNK: usize = 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// POST with the content.
    Post,
    /// POST, and PUT with the content.
    PostPut,
    /// POST, PATCH for each chunk, and PUT.
    Chunks {
        /// PUT has the last chunk.
        last_in_put: bool,
        /// Before each chunk, one is tried that does not follow.
        out_of_order: bool,
    },
    /// POST, PATCH as a stream of unknown length, and PUT.
    Stream,
}

pub(crate) const STYLES: [Style; 7] = [
    Style::Post,
    Style::PostPut,
    Style::Stream,
    Style::Chunks {
        last_in_put: false,
        out_of_order: false,
    },
    Style::Chunks {
        last_in_put: true,
        out_of_order: false,
    },
    Style::Chunks {
        last_in_put: false,
        out_of_order: true,
    },
    Style::Chunks {
        last_in_put: true,
        out_of_order: true,
    },
];

/// Uploads `content` as `digest` and gives the last answer.
pub(crate) async fn upload(
    client: &Client,
    repository: &str,
    content: &[u8],
    digest: &Digest,
    style: Style,
) -> Answer {
    if style == Style::Post {
        let path = format!("/v2/{repository}/blobs/uploads/?digest={digest}");
        return send(client, "POST", &path, content, None).await;
    }
    let mut location = open(client, repository).await;
    match style {
        Style::Post => {}
        Style::PostPut => {
            let closing = closing(&location, digest);
            return send(client, "PUT", &closing, content, None).await;
        }
        Style::Stream => {
            let pieces: Vec<Result<Vec<u8>, std::io::Error>> = content
                .chunks(100)
                .map(|piece| Ok(piece.to_vec()))
                .collect();
            let body = Body::wrap_stream(futures_util::stream::iter(pieces));
            let request = client.request("PATCH", &location).body(body);
            let patched = answer(octets(request)).await.expect(202);
            patched.header("location").clone_into(&mut location);
        }
        Style::Chunks {
            last_in_put,
            out_of_order,
        } => {
            let size = (content.len() / 3 + 1).max(CHUNK).min(content.len().max(1));
            let mut start = 0;
            while start < content.len() {
                let end = (start + size).min(content.len());
                if out_of_order {
                    let put = last_in_put.then_some(digest);
                    location = disorder(client, &location, content, start, size, put).await;
                }
                let range = Some((start, end));
                if last_in_put && end == content.len() {
                    let closing = closing(&location, digest);
                    return send(client, "PUT", &closing, &content[start..end], range).await;
                }
                let chunk = &content[start..end];
                let patched = send(client, "PATCH", &location, chunk, range)
                    .await
                    .expect(202);
                assert_eq!(patched.header("range"), format!("0-{}", end - 1));
                patched.header("location").clone_into(&mut location);
                start = end;
            }
        }
    }
    let closing = closing(&location, digest);
    send(client, "PUT", &closing, b"", None).await
}

/// Sends a chunk that does not follow: it must be refused, and the status must say where to
/// go on.
async fn disorder(
    client: &Client,
    location: &str,
    content: &[u8],
    start: usize,
    size: usize,
    put: Option<&Digest>,
) -> String {
    let begin = if start + size < content.len() {
        start + size
    } else {
        0
    };
    let end = (begin + size).min(content.len());
    // The very first chunk of a blob of one chunk follows.
    if begin == start {
        return location.to_owned();
    }
    let (method, path) = match put.filter(|_| end == content.len()) {
        Some(digest) => ("PUT", closing(location, digest)),
        None => ("PATCH", location.to_owned()),
    };
    let chunk = &content[begin..end];
    send(client, method, &path, chunk, Some((begin, end)))
        .await
        .expect(416);
    let status = client.send("GET", location).await.expect(204);
    let last: usize = status
        .header("range")
        .strip_prefix("0-")
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(last, start.saturating_sub(1));
    status.header("location").to_owned()
}

pub(crate) async fn open(client: &Client, repository: &str) -> String {
    let path = format!("/v2/{repository}/blobs/uploads/");
    let opened = send(client, "POST", &path, b"", None).await.expect(202);
    opened.header("location").to_owned()
}

pub(crate) fn closing(location: &str, digest: &Digest) -> String {
    let sign = if location.contains('?') { '&' } else { '?' };
    format!("{location}{sign}digest={digest}")
}

async fn send(
    client: &Client,
    method: &str,
    path: &str,
    content: &[u8],
    range: Option<(usize, usize)>,
) -> Answer {
    let mut request = client
        .request(method, path)
        .header("content-length", content.len())
        .body(content.to_vec());
    if let Some((start, end)) = range {
        request = request.header("content-range", format!("{start}-{}", end - 1));
    }
    answer(octets(request)).await
}

fn octets(request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
    request.header("content-type", "application/octet-stream")
}
