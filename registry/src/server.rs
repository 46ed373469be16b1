//! Listening, serving, and stopping without dropping what is under way.

mod bodies;
mod connection;
mod flow;
mod metered;
mod proxies;
mod requests;
mod service;
mod settings;
mod slots;
mod stop;
mod streams;
mod tls;
mod watch;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use thiserror::Error;
use tokio::net::TcpListener;
use tokio::time::sleep;
use tracing::{error, info};

use self::connection::Connections;
pub use self::proxies::{ForwardedHeader, Network, NetworkError};
use self::service::Service;
pub use self::settings::{LimitsSettings, ServerSettings};
pub(crate) use self::slots::network;
use self::stop::Stop;
pub(crate) use self::tls::Tls;
use self::tls::watch_certificates;
pub use self::tls::{ClientCertificates, MinVersion, TlsError, TlsSettings};

use crate::app::{App, ConfigureError, OpenAppError};
use crate::config::{Config, StoreLocation};
use crate::reload::Reloader;
use crate::router::{Routes, metrics_router};
use crate::storage::{RedbSettings, StorageError, Store};

/// A registry that listens and does not answer yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    addr: SocketAddr,
    app: App,
    settings: ServerSettings,
    limits: LimitsSettings,
    tls: Option<Arc<Tls>>,
    reloader: Reloader,
    /// Where `/metrics` is, if it has an address of its own.
    metrics: Option<TcpListener>,
}

/// Why a registry did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// Others could reach it and nothing would stop them.
    #[error(
        "`{0}` can be reached from other machines, and there are not both TLS and access rules: \
         listen on a loopback address, configure `[tls]` and `[[access.rule]]`, or allow it \
         explicitly"
    )]
    Remote(SocketAddr),
    /// A key for summaries is named, and nothing here signs.
    #[error("`policy.vsa-key` is set, and this program cannot sign: `wasmport serve` can")]
    NothingSigns,
    /// The store could not be opened.
    #[error("failed to open the store")]
    Store(#[source] StorageError),
    /// The store's content could not be brought up to date.
    #[error(transparent)]
    App(#[from] OpenAppError),
    /// The settings are wrong, or something that they name.
    #[error(transparent)]
    Configure(#[from] ConfigureError),
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
        let is_guarded = config.settings.tls.is_some() && config.settings.access.has_rules();
        if !config.addr.ip().is_loopback() && !config.allow_remote && !is_guarded {
            return Err(StartError::Remote(config.addr));
        }
        let tls = config.settings.tls.clone();
        let tls = tls.map(Tls::load).transpose()?.map(Arc::new);
        let records = config.settings.store.records.clone();
        let store = open(config.store, records)
            .await
            .map_err(StartError::Store)?;
        let tried = config.policy.watches.then(|| config.policy.clone());
        let mut app = App::open(store, config.policy).await?;
        match config.attestor {
            Some(attestor) => app.set_attestor(attestor),
            None if config.settings.policy.vsa_key.is_some() => {
                return Err(StartError::NothingSigns);
            }
            None => {}
        }
        if let Some(policy) = tried {
            app.audit_store(policy);
        }
        app.set_cache(&config.settings.cache);
        app.configure(&config.settings, &config.secrets).await?;
        let (listener, addr) = listen(config.addr).await?;
        let metrics = match config.settings.telemetry.metrics_addr {
            Some(addr) => Some(listen(addr).await?),
            None => None,
        };
        if let Some((_, addr)) = metrics {
            info!(%addr, "metrics");
            app.move_metrics();
        }
        let reloader = Reloader::new(
            app.clone(),
            tls.clone(),
            config.source,
            config.settings.clone(),
        );
        Ok(Self {
            addr,
            reloader,
            listener,
            metrics: metrics.map(|(listener, _)| listener),
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

    /// Reads policy, access rules and certificates again, at any time.
    pub fn reloader(&self) -> Reloader {
        self.reloader.clone()
    }

    /// Answers requests until `shutdown` is done, then finishes those under way, and lets go
    /// of the store.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        info!(addr = %self.addr, "listening");
        let stop = Stop::default();
        let mut service = Service::new(
            Connections::new(
                Routes::new(self.app.clone()),
                &self.settings,
                &self.limits,
                self.tls.clone(),
                Arc::clone(&self.app.metrics),
                stop.clone(),
            ),
            &self.limits,
            stop.clone(),
        );
        if let Some(tls) = self.tls {
            service.spawn(watch_certificates(tls, stop.clone()));
        }
        if let Some(listener) = self.metrics {
            let router = metrics_router(self.app.clone());
            let stopped = stop.stopped();
            service.spawn(async move {
                let serve = axum::serve(listener, router).with_graceful_shutdown(stopped);
                if let Err(error) = serve.await {
                    error!(%error, "failed to serve metrics");
                }
            });
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

async fn listen(addr: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let cannot = |source| StartError::Listen { addr, source };
    let listener = TcpListener::bind(addr).await.map_err(cannot)?;
    let addr = listener.local_addr().map_err(cannot)?;
    Ok((listener, addr))
}

async fn open(location: StoreLocation, records: RedbSettings) -> Result<Store, StorageError> {
    let StoreLocation::Directory(directory) = location else {
        return Ok(Store::in_memory());
    };
    let opened = tokio::task::spawn_blocking(move || Store::open_with(&directory, &records)).await;
    let store = opened.unwrap_or_else(|error| {
        Err(StorageError::Engine {
            action: "open the store".to_owned(),
            source: error.into(),
        })
    })?;
    store.upgrade().await?;
    Ok(store)
}
