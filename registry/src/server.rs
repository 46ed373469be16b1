//! Listening, serving, and stopping without dropping what is under way.

mod bodies;
mod connection;
mod flow;
mod metered;
mod requests;
mod settings;
mod slots;
mod stop;
mod streams;
mod tls;
mod watch;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::{error, info, warn};
use wasmport_artifact::with_causes;

use self::connection::Connections;
pub use self::settings::{LimitsSettings, ServerSettings};
use self::slots::Slots;
use self::stop::Stop;
pub(crate) use self::tls::Tls;
pub use self::tls::{ClientCertificates, MinVersion, TlsError, TlsSettings};

use crate::app::{App, OpenAppError, TagSettingsError};
use crate::config::{Config, StoreLocation};
use crate::router::router;
use crate::storage::{StorageError, Store};

/// A registry that listens and does not answer yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    addr: SocketAddr,
    app: App,
    settings: ServerSettings,
    limits: LimitsSettings,
    tls: Option<Arc<Tls>>,
}

/// How long to wait when a connection cannot be accepted, mostly since there are too many
/// open files. It stays in the queue; to try at once would only keep the processor busy.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// How long what was cut may take to notice. Only what blocks a thread needs it.
const CUT_TIMEOUT: Duration = Duration::from_secs(5);

/// What a client gets for whom there is no place, before TLS and HTTP/2 are spoken of.
const NO_PLACE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n\
    Connection: close\r\nContent-Length: 0\r\n\r\n";

/// Why a registry did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// Others could reach it and nothing would stop them.
    #[error(
        "`{0}` can be reached from other machines, and the registry has no access rules yet: \
         listen on a loopback address, or allow it explicitly"
    )]
    Remote(SocketAddr),
    /// The store could not be opened.
    #[error("failed to open the store")]
    Store(#[source] StorageError),
    /// The store's content could not be brought up to date.
    #[error(transparent)]
    App(#[from] OpenAppError),
    /// The settings of tags are wrong.
    #[error(transparent)]
    Tags(#[from] TagSettingsError),
    /// TLS cannot be spoken.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The address could not be had.
    #[error("failed to listen on `{addr}`")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// Why not.
        source: io::Error,
    },
}

impl Server {
    /// Opens the store and listens. Connections wait until [`run`](Self::run).
    pub async fn bind(config: Config) -> Result<Self, StartError> {
        if !config.addr.ip().is_loopback() && !config.allow_remote {
            return Err(StartError::Remote(config.addr));
        }
        let tls = config
            .settings
            .tls
            .map(Tls::load)
            .transpose()?
            .map(Arc::new);
        let store = open(config.store).await.map_err(StartError::Store)?;
        let app = App::open(store, config.policy).await?;
        app.set_tags(&config.settings.tags)?;
        app.set_gc(config.settings.gc.clone());
        let cannot = |source| StartError::Listen {
            addr: config.addr,
            source,
        };
        let listener = TcpListener::bind(config.addr).await.map_err(cannot)?;
        Ok(Self {
            addr: listener.local_addr().map_err(cannot)?,
            listener,
            app,
            settings: config.settings.server,
            limits: config.settings.limits,
            tls,
        })
    }

    /// The address that it listens on, with the port that it got.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Answers requests until `shutdown` is done, then finishes those under way, and lets go
    /// of the store.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        info!(addr = %self.addr, "listening");
        let router = router(self.app.clone());
        let stop = Stop::default();
        let connections = Connections::new(
            router,
            &self.settings,
            &self.limits,
            self.tls.clone(),
            stop.clone(),
        );
        let mut service = Service {
            connections: Arc::new(connections),
            slots: Slots::new(&self.limits),
            stop,
            tasks: JoinSet::new(),
        };
        if let Some(tls) = self.tls {
            service
                .tasks
                .spawn(watch_certificates(tls, service.stop.clone()));
        }
        service.accept(&self.listener, shutdown).await;
        if !self.settings.drain_delay.duration().is_zero() {
            self.app.stop_being_ready();
            let delay = sleep(self.settings.drain_delay.duration());
            service.accept(&self.listener, delay).await;
        }
        drop(self.listener);
        service.drain(self.settings.drain_timeout.duration()).await;
        self.app.collector.stop();
        info!("stopped");
        Ok(())
    }
}

/// Connections that are served.
struct Service {
    connections: Arc<Connections>,
    slots: Slots,
    stop: Stop,
    tasks: JoinSet<()>,
}

impl Service {
    /// Serves every connection that comes before `until` is done.
    async fn accept(&mut self, listener: &TcpListener, until: impl Future<Output = ()>) {
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
            return;
        };
        let connections = Arc::clone(&self.connections);
        self.tasks.spawn(connections.serve(socket, address, slot));
    }

    /// Finishes the requests that are under way, and cuts what takes longer.
    async fn drain(mut self, limit: Duration) {
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

/// Replaces the certificates when their files change, until the server stops.
async fn watch_certificates(tls: Arc<Tls>, stop: Stop) {
    let interval = tls.check_interval().duration();
    if interval.is_zero() {
        return;
    }
    let mut stopped = pin!(stop.stopped());
    while timeout(interval, &mut stopped).await.is_err() {
        match tls.reload_changed() {
            None => {}
            Some(Ok(())) => info!("took the new certificates"),
            Some(Err(error)) => {
                let error = with_causes(&error);
                error!(%error, "kept the old certificates, since the new ones are not good");
            }
        }
    }
}

async fn open(location: StoreLocation) -> Result<Store, StorageError> {
    let StoreLocation::Directory(directory) = location else {
        return Ok(Store::in_memory());
    };
    let opened = tokio::task::spawn_blocking(move || Store::open(&directory)).await;
    let store = opened.unwrap_or_else(|error| {
        Err(StorageError::Engine {
            action: "open the store".to_owned(),
            source: error.into(),
        })
    })?;
    store.upgrade().await?;
    Ok(store)
}
