//! One connection, one request at a time.

use anyhow::{Context, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::target::Target;

/// A connection that opens itself again when the registry has closed it.
pub(crate) struct Client<'a> {
    target: &'a Target,
    sender: Option<SendRequest<Full<Bytes>>>,
    /// How many requests were answered.
    pub(crate) requests: u64,
    /// How many bytes of bodies were sent and received.
    pub(crate) bytes: u64,
}

/// What came back, without its body.
pub(crate) struct Answer {
    pub(crate) headers: HeaderMap,
}

impl<'a> Client<'a> {
    pub(crate) fn new(target: &'a Target) -> Self {
        Self {
            target,
            sender: None,
            requests: 0,
            bytes: 0,
        }
    }

    /// Sends a request, and checks that the answer has this status.
    pub(crate) async fn send(
        &mut self,
        method: Method,
        path: &str,
        body: Option<(&str, Bytes)>,
        expected: StatusCode,
    ) -> anyhow::Result<Answer> {
        let what = format!("{method} {path}");
        let mut answer = self.exchange(method, path, body).await?;
        let (status, mut text) = (answer.status(), Vec::new());
        while let Some(frame) = answer.body_mut().frame().await {
            if let Ok(data) = frame?.into_data() {
                self.bytes += data.len() as u64;
                text.extend_from_slice(&data);
            }
        }
        if status != expected {
            let text = String::from_utf8_lossy(&text);
            bail!("{what}: got {status}, expected {expected}: {text}");
        }
        Ok(Answer {
            headers: answer.headers().clone(),
        })
    }

    /// Sends a GET, and checks that exactly `expected` comes back, without keeping it.
    pub(crate) async fn get(
        &mut self,
        path: &str,
        accept: Option<&str>,
        expected: &[u8],
    ) -> anyhow::Result<HeaderMap> {
        let body = accept.map(|accept| (accept, Bytes::new()));
        let mut answer = self.exchange(Method::GET, path, body).await?;
        if answer.status() != StatusCode::OK {
            bail!("GET {path}: got {}, expected 200", answer.status());
        }
        let mut left = expected;
        while let Some(frame) = answer.body_mut().frame().await {
            let Ok(data) = frame?.into_data() else {
                continue;
            };
            self.bytes += data.len() as u64;
            left = left
                .strip_prefix(data.as_ref())
                .with_context(|| format!("GET {path}: the bytes are not those that were pushed"))?;
        }
        if !left.is_empty() {
            bail!("GET {path}: {} bytes are missing", left.len());
        }
        Ok(answer.headers().clone())
    }

    /// The body's first half is the content type, or what is accepted where there is none.
    async fn exchange(
        &mut self,
        method: Method,
        path: &str,
        body: Option<(&str, Bytes)>,
    ) -> anyhow::Result<hyper::Response<Incoming>> {
        let mut request = Request::builder().method(method.clone()).uri(path);
        request = request.header(HOST, &self.target.authority);
        if let Some(value) = &self.target.authorization {
            request = request.header(AUTHORIZATION, value);
        }
        let bytes = match body {
            Some((accept, _)) if matches!(method, Method::GET | Method::HEAD) => {
                request = request.header(hyper::header::ACCEPT, accept);
                Bytes::new()
            }
            Some((kind, bytes)) => {
                request = request.header(CONTENT_TYPE, kind);
                bytes
            }
            None => Bytes::new(),
        };
        self.bytes += bytes.len() as u64;
        let request = request.body(Full::new(bytes))?;
        let answer = self.connected().await?.send_request(request).await;
        self.requests += 1;
        if answer.is_err() {
            self.sender = None;
        }
        answer.with_context(|| format!("{method} {path}"))
    }

    async fn connected(&mut self) -> anyhow::Result<&mut SendRequest<Full<Bytes>>> {
        let is_open = match &mut self.sender {
            Some(sender) => sender.ready().await.is_ok(),
            None => false,
        };
        if !is_open {
            let stream = TcpStream::connect(&self.target.authority).await?;
            stream.set_nodelay(true)?;
            let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            self.sender = Some(sender);
        }
        self.sender.as_mut().context("the connection is open")
    }
}
