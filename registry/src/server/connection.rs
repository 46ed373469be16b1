//! One connection, from accept to close.

use std::net::SocketAddr;
use std::sync::Arc;

use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;
use tokio_util::task::TaskTracker;
use tracing::debug;

use super::flow::Activity;
use super::metered::{Meter, Metered, Transport};
use super::requests::{Gate, Requests};
use super::settings::{LimitsSettings, ServerSettings};
use super::slots::Slot;
use super::stop::Stop;
use super::streams::{NextStream, Streams};
use super::tls::{self, Tls};
use super::watch::{Overrun, Timeouts, Watch, Watched};
use crate::access::Peer;
use crate::metrics::Metrics;
use crate::router::Routes;

/// What a connection may have buffered in each direction, in bytes: the headers of a request,
/// and pieces of bodies. Thousands of connections may send headers that never end.
const BUFFER_BYTES: usize = 64 * 1024;

/// What an HTTP/2 stream may have buffered for a client that does not read, in bytes.
const STREAM_BUFFER_BYTES: usize = 128 * 1024;

/// How often a silent HTTP/2 client is asked whether it is there, in header timeouts.
const PINGS: u32 = 3;

/// What all connections share.
#[derive(Debug)]
pub(super) struct Connections {
    routes: Routes,
    gate: Arc<Gate>,
    limits: LimitsSettings,
    timeouts: Timeouts,
    tls: Option<Arc<Tls>>,
    metrics: Arc<Metrics>,
    streams: TaskTracker,
    stop: Stop,
}

impl Connections {
    pub(super) fn new(
        routes: Routes,
        server: &ServerSettings,
        limits: &LimitsSettings,
        tls: Option<Arc<Tls>>,
        metrics: Arc<Metrics>,
        stop: Stop,
    ) -> Self {
        Self {
            routes,
            gate: Arc::new(Gate::new(server, limits.clone(), Arc::clone(&metrics))),
            limits: limits.clone(),
            timeouts: Timeouts::new(server),
            tls,
            metrics,
            streams: TaskTracker::new(),
            stop,
        }
    }

    /// The tasks of HTTP/2 streams, which end with their connections.
    pub(super) fn streams(&self) -> &TaskTracker {
        &self.streams
    }

    pub(super) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Serves a connection to its end.
    pub(super) async fn serve(self: Arc<Self>, socket: TcpStream, address: SocketAddr, slot: Slot) {
        let _slot = slot;
        // Answers are written whole; to wait for more would only delay them.
        if let Err(error) = socket.set_nodelay(true) {
            debug!(%address, %error, "failed to set TCP_NODELAY");
        }
        let peer = |certificate| Peer {
            address,
            certificate,
            is_behind_proxy: false,
        };
        let Some(tls) = &self.tls else {
            return self.answer(Transport::Plain(socket), peer(None)).await;
        };
        if let Some(stream) = self.shake_hands(tls, socket, address).await {
            let certificate = tls::client_certificate(&stream);
            let transport = Transport::Tls(Box::new(stream));
            self.answer(transport, peer(certificate)).await;
        }
    }

    async fn shake_hands(
        &self,
        tls: &Tls,
        socket: TcpStream,
        address: SocketAddr,
    ) -> Option<TlsStream<TcpStream>> {
        let shaken = timeout(self.timeouts.header, tls.accept(socket));
        let shaken = tokio::select! {
            shaken = shaken => shaken,
            () = self.stop.stopped() => return None,
        };
        match shaken {
            Ok(Ok(stream)) => return Some(stream),
            Ok(Err(error)) => debug!(%address, %error, "a TLS handshake failed"),
            Err(_) => debug!(%address, "cut a TLS handshake"),
        }
        None
    }

    async fn answer(&self, transport: Transport, peer: Peer) {
        let address = peer.address;
        let activity = Arc::new(Activity::default());
        let next_stream = NextStream::default();
        let requests = Requests {
            routes: self.routes.clone(),
            gate: Arc::clone(&self.gate),
            peer,
            activity: Arc::clone(&activity),
            next_stream: next_stream.clone(),
        };
        let metered = Metered {
            transport,
            activity: Arc::clone(&activity),
        };
        let builder = self.builder(next_stream);
        let connection = builder.serve_connection(TokioIo::new(metered), requests);
        let meter = Meter::new(Arc::clone(&self.metrics), Arc::clone(&activity));
        let watch = Watch::new(self.timeouts, activity);
        match Watched::new(connection, watch, meter, self.stop.clone()).await {
            Ok(Ok(())) | Err(Overrun::KeepAlive) => {}
            Ok(Err(error)) => debug!(%address, %error, "a connection failed"),
            Err(overrun) => {
                self.metrics.cut(overrun.as_str());
                debug!(%address, ?overrun, "cut a connection");
            }
        }
    }

    fn builder(&self, next_stream: NextStream) -> Builder<Streams> {
        let streams = self.streams.clone();
        let mut builder = Builder::new(Streams::new(streams, self.timeouts, next_stream));
        // The watch has the timeouts: hyper's would be armed anew for each request.
        let mut http1 = builder.http1();
        http1.header_read_timeout(None).max_buf_size(BUFFER_BYTES);
        if self.limits.headers > HYPER_HEADERS {
            http1.max_headers(self.limits.headers);
        }
        let header_bytes = u32::try_from(self.limits.header_bytes.bytes()).unwrap_or(u32::MAX);
        builder
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(self.timeouts.header * PINGS)
            .keep_alive_timeout(self.timeouts.header)
            .max_concurrent_streams(self.limits.http2_streams)
            .max_pending_accept_reset_streams(self.limits.http2_resets)
            .max_header_list_size(header_bytes)
            .max_send_buf_size(STREAM_BUFFER_BYTES);
        builder
    }
}

/// As many headers as hyper keeps on the stack. To tell it any number, even this one, is an
/// allocation a request.
const HYPER_HEADERS: usize = 100;
