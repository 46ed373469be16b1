//! `wasmport-registry`: the registry alone, for a container or a service.

use std::env;
use std::io::{IsTerminal, stderr};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use tracing::error;
use tracing_subscriber::EnvFilter;
use wasmport_registry::{Config, LoadedPolicy, Server, StoreLocation};

/// An OCI registry that reads what a Wasm artifact imports before it lets it out.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = Config::DEFAULT_ADDR)]
    addr: SocketAddr,

    /// Listen on an address that other machines can reach, though there are no access rules
    #[arg(long)]
    allow_remote: bool,

    /// The directory to keep artifacts in [default: under the user's data directory]
    #[arg(long, value_name = "DIR", env = "WASMPORT_STORE")]
    store: Option<PathBuf>,

    /// What may come in and go out: a file, or `preset:NAME`
    #[arg(
        long,
        value_name = "FILE|preset:NAME",
        default_value = "preset:standard"
    )]
    policy: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal())
        .init();
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            error!("{failure:#}");
            ExitCode::from(2)
        }
    }
}

async fn run(options: Options) -> anyhow::Result<()> {
    let store = options
        .store
        .or_else(default_store)
        .context("no `--store` was given, and there is no home directory")?;
    let policy = LoadedPolicy::load(&options.policy)?;
    let config = Config {
        allow_remote: options.allow_remote,
        ..Config::new(options.addr, StoreLocation::Directory(store), policy)
    };
    Server::bind(config).await?.run(stopped()).await?;
    Ok(())
}

/// `$XDG_DATA_HOME/wasmport/registry`, or what stands for it.
fn default_store() -> Option<PathBuf> {
    let data = env::var_os("XDG_DATA_HOME").map(PathBuf::from);
    let data = data.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".local/share")))?;
    Some(data.join("wasmport").join("registry"))
}

/// Done when the process is asked to stop, by ctrl-C or by what runs it.
async fn stopped() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else {
            return interrupted().await;
        };
        tokio::select! {
            () = interrupted() => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    interrupted().await;
}

async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Nobody can ask, and so nobody does.
        std::future::pending::<()>().await;
    }
}
