//! `wasmport-registry`: the registry alone, for a container or a service.

use std::env;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use sd_notify::NotifyState;
use tracing::{error, info};
use wasmport_registry::signals::{asked_to_stop, reload_when_asked};
use wasmport_registry::telemetry::{TelemetrySettings, start_log};
use wasmport_registry::traces::Traces;
use wasmport_registry::{ConfigSource, Overrides, Secret, Secrets, Server, check_health};

/// An OCI registry that reads what a Wasm artifact imports before it lets it out.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// The configuration, `registry.toml`; the other options win over it
    #[arg(long, value_name = "FILE", env = "WASMPORT_CONFIG")]
    config: Option<PathBuf>,

    /// Load the configuration and all that it names, say what is wrong, and stop
    #[arg(long)]
    check_config: bool,

    /// Ask a registry that runs whether it is ready, and stop: 0 when it is
    #[arg(long, value_name = "URL", exclusive = true)]
    health: Option<String>,

    /// Where to listen; port 0 takes a free one [default: 127.0.0.1:5000]
    #[arg(long, value_name = "ADDR")]
    addr: Option<SocketAddr>,

    /// Listen on an address that other machines can reach, even without TLS and access rules
    #[arg(long)]
    allow_remote: bool,

    /// The directory to keep artifacts in [default: under the user's data directory]
    #[arg(long, value_name = "DIR", env = "WASMPORT_STORE")]
    store: Option<PathBuf>,

    /// What may come in and go out: a file, or `preset:NAME` [default: preset:standard]
    #[arg(long, value_name = "FILE|preset:NAME")]
    policy: Option<String>,

    /// Refuse nothing: log, count and warn of what the policy would refuse, and of what is
    /// stored already
    #[arg(long)]
    audit: bool,
}

/// Tells what started the process how it is. Without systemd nobody listens.
fn tell(state: NotifyState<'_>) {
    let _unheard = sd_notify::notify(&[state]);
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    match run(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // When it failed before it knew how to log, it logs as it does by default.
            let _is_there = log(&TelemetrySettings::default());
            error!("{failure:#}");
            ExitCode::from(2)
        }
    }
}

async fn run(options: Options) -> anyhow::Result<()> {
    if let Some(url) = options.health {
        return Ok(check_health(&url)?);
    }
    let check_only = options.check_config;
    let config = source(options).load()?;
    log(&config.settings.telemetry).context("failed to start the log")?;
    if check_only {
        info!("the configuration is good");
        return Ok(());
    }
    let endpoint = env::var("OTEL_EXPORTER_OTLP_ENDPOINT").ok();
    let traces = Traces::start(&config.settings.telemetry, endpoint.as_deref())?;
    let server = Server::bind(config).await?;
    // Before anyone is told that it is ready: a signal that nobody waits for ends the process.
    let (reloads, stopped) = (reload_when_asked(server.reloader()), stopped());
    tell(NotifyState::Ready);
    let ran = tokio::select! {
        stopped = server.run(stopped) => stopped,
        () = reloads => Ok(()),
    };
    traces.stop().await;
    Ok(ran?)
}

fn log(settings: &TelemetrySettings) -> Result<(), impl std::error::Error + Send + Sync + 'static> {
    start_log(settings, env::var("RUST_LOG").ok().as_deref())
}

fn source(options: Options) -> ConfigSource {
    ConfigSource {
        file: options.config,
        overrides: Overrides {
            addr: options.addr,
            allow_remote: options.allow_remote,
            store: options.store,
            policy: options.policy,
            audit: options.audit,
        },
        secrets: Secrets {
            token_key: secret("WASMPORT_TOKEN_KEY"),
        },
        default_store: default_store(),
    }
}

/// The secret in the variable `name`, or in the file that `name_FILE` names.
fn secret(name: &str) -> Option<Secret> {
    let text = env::var(name).ok().map(Secret::Text);
    let file = || env::var_os(format!("{name}_FILE")).map(|path| Secret::File(path.into()));
    text.or_else(file)
}

/// `$XDG_DATA_HOME/wasmport/registry`, or what stands for it.
fn default_store() -> Option<PathBuf> {
    let data = env::var_os("XDG_DATA_HOME").map(PathBuf::from);
    let data = data.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".local/share")))?;
    Some(data.join("wasmport").join("registry"))
}

/// Done when the process is asked to stop from now on, and has said that it does.
fn stopped() -> impl Future<Output = ()> + Send + 'static {
    let asked = asked_to_stop();
    async move {
        asked.await;
        tell(NotifyState::Stopping);
    }
}
