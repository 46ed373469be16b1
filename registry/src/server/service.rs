//! Accepting connections, and letting them end.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::warn;

use super::connection::Connections;
use super::settings::LimitsSettings;
use super::slots::Slots;
use super::stop::Stop;

/// How long to wait when a connection cannot be accepted, mostly since there are too many
/// open files. It stays in the queue; to try at once would only keep the processor busy.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// How long what was cut may take to notice. Only what blocks a thread needs it.
const CUT_TIMEOUT: Duration = Duration::from_secs(5);

/// What a client gets for whom there is no place, before TLS and HTTP/2 are spoken of.
const NO_PLACE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n\
    Connection: close\r\nContent-Length: 0\r\n\r\n";

/// Connections that are served.
pub(super) struct Service {
    connections: Arc<Connections>,
    slots: Slots,
    stop: Stop,
    tasks: JoinSet<()>,
}

impl Service {
    pub(super) fn new(connections: Connections, limits: &LimitsSettings, stop: Stop) -> Self {
        Self {
            connections: Arc::new(connections),
            slots: Slots::new(limits),
            stop,
            tasks: JoinSet::new(),
        }
    }

    /// Runs something beside the connections, which ends when they are asked to.
    pub(super) fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Serves every connection that comes before `until` is done.
    pub(super) async fn accept(&mut self, listener: &TcpListener, until: impl Future<Output = ()>) {
        let mut until = pin!(until);
        loop {
            tokio::select! {
                () = &mut until => return,
                accepted = listener.accept() => match accepted {
                    Ok((socket, address)) => self.serve(socket, address),
                    Err(error) => {
                        warn!(%error, "failed to accept a connection");
                        sleep(ACCEPT_AGAIN).await;
                    }
                },
                Some(_) = self.tasks.join_next(), if !self.tasks.is_empty() => {}
            }
        }
    }

    fn serve(&mut self, socket: TcpStream, address: SocketAddr) {
        let Some(slot) = self.slots.take(address.ip()) else {
            // If it does not fit into an empty buffer, the client learns it from the close.
            let _unwritten = socket.try_write(NO_PLACE);
            self.connections.metrics().refused("connections");
            return;
        };
        let connections = Arc::clone(&self.connections);
        self.tasks.spawn(connections.serve(socket, address, slot));
    }

    /// Finishes the requests that are under way, and cuts what takes longer.
    pub(super) async fn drain(mut self, limit: Duration) {
        self.stop.stop();
        self.connections.streams().close();
        let ended = async {
            while self.tasks.join_next().await.is_some() {}
            self.connections.streams().wait().await;
        };
        if timeout(limit, ended).await.is_err() {
            warn!(
                connections = self.tasks.len(),
                "cut what was still under way"
            );
            self.tasks.shutdown().await;
            let _overrun = timeout(CUT_TIMEOUT, self.connections.streams().wait()).await;
        }
    }
}
