//! `wasmport serve`: the registry in the foreground.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde::Serialize;
use wasmport_artifact::Digest;
use wasmport_registry::signals::{asked_to_stop, reload_when_asked};
use wasmport_registry::{
    Attestor, ConfigError, ConfigSource, Overrides, Server, StartError, StoreLocation,
};
use wasmport_signature::{PrivateKey, Signature, sign_statement};

use crate::environment;
use crate::error::{Failure, Kind};
use crate::keys::read_private;
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
  wasmport serve --config registry.toml --check-config

Exit status: 0 after SIGINT or SIGTERM.")]
pub(crate) struct ServeArgs {
    /// The configuration, `registry.toml`; the other options win over it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Load the configuration and all that it names, say what is wrong, and stop
    #[arg(long)]
    check_config: bool,

    /// Where to listen; port 0 takes a free one [default: 127.0.0.1:5000]
    #[arg(long, value_name = "ADDRESS")]
    addr: Option<SocketAddr>,

    /// Directory of the store, made when it is not there [default: the user's data directory]
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,

    /// Policy file, or `preset:NAME` [default: preset:standard]
    #[arg(long, value_name = "POLICY")]
    policy: Option<String>,

    /// Refuse nothing: log, count and warn of what the policy would refuse, and of what is
    /// stored already
    #[arg(long)]
    audit: bool,

    /// Listen beyond loopback even without TLS and access rules
    #[arg(long)]
    allow_remote: bool,
}

/// Signs what the registry, which cannot, wants to have signed.
#[derive(Debug)]
struct KeyAttestor(PrivateKey);

impl Attestor for KeyAttestor {
    fn attest(
        &self,
        subject: &Digest,
        predicate_type: &str,
        predicate: &serde_json::Value,
    ) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        match sign_statement(&self.0, subject, predicate_type, predicate)? {
            Signature::Bundle { bytes } => Ok(bytes),
            Signature::Simple { .. } => Err("a statement is signed as a bundle".into()),
        }
    }
}

/// Where the registry listens, and on what terms.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Listening {
    address: SocketAddr,
    store: PathBuf,
    policy: String,
}

/// What `--check-config` found to be good.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Checked {
    config: Option<PathBuf>,
    address: SocketAddr,
    policy: String,
}

pub(crate) async fn run(args: &ServeArgs, output: Output) -> Result<(), Failure> {
    let source = source(args);
    let mut config = source.load().map_err(|error| not_loaded(&error))?;
    if let Some(path) = &config.settings.policy.vsa_key {
        config.attestor = Some(Arc::new(KeyAttestor(read_private(path)?)));
    }
    let policy = args.policy.clone();
    let policy = policy.unwrap_or_else(|| config.settings.policy.file.clone());
    let closed =
        |error: std::io::Error| Failure::caused(Kind::Io, "failed to write the answer", &error);
    if args.check_config {
        let checked = Checked {
            config: source.file,
            address: config.addr,
            policy,
        };
        return output.success(&checked).map_err(closed);
    }
    let StoreLocation::Directory(store) = config.store.clone() else {
        return Err(Failure::new(Kind::Usage, "the store has no directory"));
    };
    environment::log_to_stderr(&config.settings.telemetry);
    let traces = environment::traces(&config.settings.telemetry)?;
    let server = Server::bind(config)
        .await
        .map_err(|error| not_started(&error))?;
    let listening = Listening {
        address: server.addr(),
        store,
        policy,
    };
    // Before anyone is told that it listens: a signal that nobody waits for ends the process.
    let (reloads, stop) = (reload_when_asked(server.reloader()), asked_to_stop());
    output.success(&listening).map_err(closed)?;
    let stopped = tokio::select! {
        stopped = server.run(stop) => stopped,
        () = reloads => Ok(()),
    };
    traces.stop().await;
    stopped.map_err(|error| Failure::caused(Kind::Io, "failed to serve", &error))
}

fn source(args: &ServeArgs) -> ConfigSource {
    ConfigSource {
        file: args.config.clone(),
        overrides: Overrides {
            addr: args.addr,
            allow_remote: args.allow_remote,
            store: args.store.clone(),
            policy: args.policy.clone(),
            audit: args.audit,
        },
        secrets: environment::secrets(),
        default_store: environment::default_store(),
    }
}

fn not_loaded(error: &ConfigError) -> Failure {
    match error {
        ConfigError::NoStore => {
            Failure::caused(Kind::Usage, "failed to load the configuration", error)
                .hint("name one with `--store DIR`")
        }
        // The policy's own errors are said as everywhere else.
        ConfigError::Policy { name, source } => policy::not_loaded(name, source),
        other => Failure::caused(Kind::Usage, "failed to load the configuration", other),
    }
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

impl Answer for Checked {
    fn to_text(&self) -> String {
        let file = self.config.as_ref();
        let file = file.map_or("the defaults".to_owned(), |file| file.display().to_string());
        format!(
            "the configuration is good\nconfig       {file}\naddress      {}\npolicy       {}",
            self.address, self.policy
        )
    }
}
