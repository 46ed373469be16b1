//! Listening, serving, and stopping without dropping what is under way.

use std::future::Future;
use std::io;
use std::net::SocketAddr;

use axum::serve::ListenerExt;
use thiserror::Error;
use tokio::net::TcpListener;
use tracing::{debug, info};

use crate::app::{App, OpenAppError};
use crate::config::{Config, StoreLocation};
use crate::router::router;
use crate::storage::{StorageError, Store};

/// A registry that listens and does not answer yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    addr: SocketAddr,
    app: App,
}

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
        let store = open(config.store).await.map_err(StartError::Store)?;
        let app = App::open(store, config.policy).await?;
        let cannot = |source| StartError::Listen {
            addr: config.addr,
            source,
        };
        let listener = TcpListener::bind(config.addr).await.map_err(cannot)?;
        Ok(Self {
            addr: listener.local_addr().map_err(cannot)?,
            listener,
            app,
        })
    }

    /// The address that it listens on, with the port that it got.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Answers requests until `shutdown` is done, and then finishes those under way.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        info!(addr = %self.addr, "listening");
        // Answers are written whole; to wait for more would only delay them.
        let listener = self.listener.tap_io(|connection| {
            if let Err(error) = connection.set_nodelay(true) {
                debug!(%error, "failed to set TCP_NODELAY");
            }
        });
        axum::serve(listener, router(self.app))
            .with_graceful_shutdown(shutdown)
            .await?;
        info!("stopped");
        Ok(())
    }
}

async fn open(location: StoreLocation) -> Result<Store, StorageError> {
    let StoreLocation::Directory(directory) = location else {
        return Ok(Store::in_memory());
    };
    let opened = tokio::task::spawn_blocking(move || Store::open(&directory)).await;
    opened.unwrap_or_else(|error| {
        Err(StorageError::Engine {
            action: "open the store".to_owned(),
            source: error.into(),
        })
    })
}
