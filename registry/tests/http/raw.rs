//! A registry with settings of its own, and a client that says every byte itself.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::Client;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use wasmport_artifact::{Digest, media_type};
use wasmport_registry::settings::Timespan;
use wasmport_registry::{Config, LoadedPolicy, Server, StoreLocation};

use crate::artifact::Artifact;

/// Longer than any of these tests takes, so that a wait for what never comes fails.
const PATIENCE: Duration = Duration::from_mins(1);

/// A registry that forgets.
pub(crate) struct Tuned {
    pub(crate) addr: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<std::io::Result<()>>,
}

/// A connection to it.
pub(crate) struct Raw(TcpStream);

/// A time-out that a test waits for.
pub(crate) fn soon() -> Timespan {
    Timespan::millis(100)
}

impl Tuned {
    /// Starts one whose settings `tune` has changed.
    pub(crate) async fn start(tune: impl FnOnce(&mut Config)) -> Self {
        let policy = LoadedPolicy::load("preset:standard").unwrap();
        let addr = "127.0.0.1:0".parse().unwrap();
        let mut config = Config::new(addr, StoreLocation::Memory, policy);
        tune(&mut config);
        Self::of(Server::bind(config).await.unwrap())
    }

    /// Runs this one.
    pub(crate) fn of(server: Server) -> Self {
        let (stop, stopped) = oneshot::channel();
        Self {
            addr: server.addr(),
            stop: Some(stop),
            task: tokio::spawn(server.run(async move {
                let _ = stopped.await;
            })),
        }
    }

    /// Pushes blobs and manifest.
    pub(crate) async fn push(&self, repository: &str, tag: &str, artifact: &Artifact) {
        let client = Client::new();
        let url = format!("http://{}/v2/{repository}", self.addr);
        for blob in &artifact.blobs {
            let upload = format!("{url}/blobs/uploads/?digest={}", Digest::of(blob));
            let pushed = client.post(upload).body(blob.clone()).send().await.unwrap();
            assert_eq!(pushed.status(), 201);
        }
        let put = client.put(format!("{url}/manifests/{tag}"));
        let put = put.header("content-type", media_type::IMAGE_MANIFEST);
        let pushed = put.body(artifact.manifest.clone()).send().await.unwrap();
        assert_eq!(pushed.status(), 201, "{}", pushed.text().await.unwrap());
    }

    pub(crate) async fn connect(&self) -> Raw {
        Raw(TcpStream::connect(self.addr).await.unwrap())
    }

    /// A connection that can receive little more than this many bytes before they are read.
    pub(crate) async fn connect_with_buffer(&self, bytes: u32) -> Raw {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(bytes).unwrap();
        Raw(socket.connect(self.addr).await.unwrap())
    }

    /// Asks it to stop.
    pub(crate) fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// Waits until it has stopped.
    pub(crate) async fn stopped(self) {
        within(self.task).await.unwrap().unwrap();
    }

    /// Waits until it refuses connections.
    pub(crate) async fn refuses(&self) {
        within(async { while TcpStream::connect(self.addr).await.is_ok() {} }).await;
    }

    /// Opens an upload, and gives its path.
    pub(crate) async fn open_upload(&self) -> String {
        let mut raw = self.connect().await;
        raw.send("POST /v2/app/blobs/uploads/ HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n")
            .await;
        let head = raw.head().await;
        assert!(head.starts_with("HTTP/1.1 202"), "{head}");
        let mut lines = head.lines();
        let location = lines.find_map(|line| line.strip_prefix("location: "));
        location.unwrap().to_owned()
    }

    /// Begins to send a body, which the registry waits for from now on.
    pub(crate) async fn begin_patch(&self, location: &str, length: usize) -> Raw {
        let mut raw = self.connect().await;
        raw.send(&format!(
            "PATCH {location} HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\
             expect: 100-continue\r\n\r\n"
        ))
        .await;
        let head = raw.head().await;
        assert!(head.starts_with("HTTP/1.1 100"), "{head}");
        raw
    }
}

impl Raw {
    pub(crate) async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// What is sent may be cut at any time.
    pub(crate) async fn try_send(&mut self, text: &str) -> bool {
        self.0.write_all(text.as_bytes()).await.is_ok()
    }

    pub(crate) async fn get(&mut self, path: &str) -> String {
        self.send(&format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n"))
            .await;
        self.head().await
    }

    /// The whole answer, whose connection ends with it.
    pub(crate) async fn page(&mut self, path: &str) -> String {
        let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        self.send(&request).await;
        String::from_utf8(self.closed().await).unwrap()
    }

    /// The head of an answer, or what there is of it.
    pub(crate) async fn head(&mut self) -> String {
        let mut head = Vec::new();
        within(async {
            while !head.ends_with(b"\r\n\r\n") {
                match self.0.read_u8().await {
                    Ok(byte) => head.push(byte),
                    Err(_) => break,
                }
            }
        })
        .await;
        String::from_utf8(head).unwrap()
    }

    /// Waits until the registry closes the connection, and gives what came before.
    pub(crate) async fn closed(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        // A connection that is cut may end in a reset.
        let _ = within(self.0.read_to_end(&mut rest)).await;
        rest
    }
}

pub(crate) async fn within<F: Future>(future: F) -> F::Output {
    let came = tokio::time::timeout(PATIENCE, future).await;
    came.unwrap_or_else(|_| panic!("it never came"))
}
