//! `wasmport serve`: the registry in the foreground.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use wasmport_registry::{Config, Server, StartError, StoreLocation};

use crate::environment;
use crate::error::{Failure, Kind};
use crate::output::{Answer, Output};
use crate::policy;

/// Serve a registry that inspects what it is given
///
/// It stores durably in a directory, reads what each Wasm artifact imports, and holds that
/// against a policy when it is pushed and again when it is pulled.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  wasmport serve
  wasmport serve --store /srv/wasm --policy policy.toml

Exit status: 0 after SIGINT or SIGTERM.")]
pub(crate) struct ServeArgs {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:5000")]
    addr: SocketAddr,

    /// Directory of the store, made when it is not there [default: the user's data directory]
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,

    /// Policy file, or `preset:NAME`
    #[arg(long, value_name = "POLICY", default_value = "preset:standard")]
    policy: String,

    /// Listen beyond loopback, although everyone who reaches it may push and pull
    #[arg(long)]
    allow_remote: bool,
}

/// Where the registry listens, and on what terms.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Listening {
    address: SocketAddr,
    store: PathBuf,
    policy: String,
}

pub(crate) async fn run(args: &ServeArgs, output: Output) -> Result<(), Failure> {
    let store = args
        .store
        .clone()
        .map_or_else(environment::default_store, Ok)?;
    let policy = policy::load(&args.policy)?;
    let mut config = Config::new(args.addr, StoreLocation::Directory(store.clone()), policy);
    config.allow_remote = args.allow_remote;
    environment::log_to_stderr();
    let server = Server::bind(config)
        .await
        .map_err(|error| not_started(&error))?;
    let listening = Listening {
        address: server.addr(),
        store,
        policy: args.policy.clone(),
    };
    let closed =
        |error: std::io::Error| Failure::caused(Kind::Io, "failed to say where it listens", &error);
    output.success(&listening).map_err(closed)?;
    let stopped = server.run(signalled()).await;
    stopped.map_err(|error| Failure::caused(Kind::Io, "failed to serve", &error))
}

fn not_started(error: &StartError) -> Failure {
    let what = "failed to start the registry";
    match error {
        StartError::Remote(_) => Failure::caused(Kind::Usage, what, error).hint(
            "listen on a loopback address, or say `--allow-remote` where the network is trusted",
        ),
        StartError::Listen { .. } => Failure::caused(Kind::Io, what, error)
            .hint("is another registry running? `--addr 127.0.0.1:0` takes a free port"),
        _ => Failure::caused(Kind::Io, what, error),
    }
}

/// Done at the first SIGINT or SIGTERM.
async fn signalled() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupted => {}
                _ = terminated.recv() => {}
            }
            return;
        }
    }
    let _interrupted = interrupted.await;
}

impl Answer for Listening {
    fn to_text(&self) -> String {
        format!(
            "listening on http://{}\nstore        {}\npolicy       {}",
            self.address,
            self.store.display(),
            self.policy
        )
    }
}
