//! Everything that is read from the environment and the home directory.

use std::env;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use wasmport_builder::Environment;
use wasmport_client::Credentials;
use wasmport_registry::telemetry::{TelemetrySettings, start_log};
use wasmport_registry::traces::Traces;
use wasmport_registry::{Secret, Secrets};

use crate::error::{Failure, Kind};

/// The variable in which cosign expects the password of a private key.
const PASSWORD: &str = "COSIGN_PASSWORD";

/// Where `wasmport serve` keeps its store when nothing is said: the user's data directory
/// (XDG Base Directory Specification).
pub(crate) fn default_store() -> Option<PathBuf> {
    let data = env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    let data = data.or_else(|| env::home_dir().map(|home| home.join(".local/share")));
    data.map(|data| data.join("wasmport/registry"))
}

/// What the registry must not read from a file that others can read: each is in a variable,
/// or in the file that the variable `…_FILE` names.
pub(crate) fn secrets() -> Secrets {
    let secret = |name: &str| {
        let text = env::var(name).ok().map(Secret::Text);
        let file = || env::var_os(format!("{name}_FILE")).map(|path| Secret::File(path.into()));
        text.or_else(file)
    };
    Secrets {
        token_key: secret("WASMPORT_TOKEN_KEY"),
    }
}

/// Credentials as `docker login` keeps them, where there is a place for them.
pub(crate) fn credentials() -> Credentials {
    let named = env::var_os("DOCKER_CONFIG").map(PathBuf::from);
    let directory = named.or_else(|| env::home_dir().map(|home| home.join(".docker")));
    directory.map_or(Credentials::Anonymous, |directory| Credentials::Docker {
        directory,
    })
}

/// What cargo and the builder heed.
pub(crate) fn for_builds() -> Environment {
    Environment::read(|name| env::var_os(name))
}

/// Logs of the registry go to stderr, as much as `RUST_LOG` says.
pub(crate) fn log_to_stderr(settings: &TelemetrySettings) {
    // A log that is there already goes on.
    let _is_there = start_log(settings, env::var("RUST_LOG").ok().as_deref());
}

/// Whether words on stderr may be coloured: it is a terminal, and nobody objects
/// (<https://no-color.org>).
pub(crate) fn is_coloured() -> bool {
    let objects = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let is_dumb = env::var_os("TERM").is_some_and(|value| value == "dumb");
    std::io::stderr().is_terminal() && !objects && !is_dumb
}

/// Traces of the registry, to where the settings say or the variable of OpenTelemetry.
pub(crate) fn traces(settings: &TelemetrySettings) -> Result<Traces, Failure> {
    let endpoint = env::var("OTEL_EXPORTER_OTLP_ENDPOINT").ok();
    Traces::start(settings, endpoint.as_deref())
        .map_err(|error| Failure::caused(Kind::Usage, "failed to start the traces", &error))
}

/// A path as a person here would write it.
pub(crate) fn from_here(path: &Path) -> &Path {
    let here = env::current_dir().ok();
    here.and_then(|here| path.strip_prefix(here).ok())
        .unwrap_or(path)
}

/// The password of an existing private key.
pub(crate) fn password() -> Result<String, Failure> {
    match env::var(PASSWORD) {
        Ok(password) => Ok(password),
        Err(_) => ask("Password for the private key: "),
    }
}

/// The password for a new private key, asked for twice.
pub(crate) fn new_password() -> Result<String, Failure> {
    if let Ok(password) = env::var(PASSWORD) {
        return Ok(password);
    }
    let first = ask("Password for the new private key (may be empty): ")?;
    if first == ask("Again: ")? {
        return Ok(first);
    }
    Err(Failure::new(Kind::Usage, "the two passwords differ"))
}

/// Asks only where somebody can answer: a pipeline would hang.
fn ask(prompt: &str) -> Result<String, Failure> {
    if !std::io::stdin().is_terminal() {
        let message = "the private key needs a password, and there is no terminal to ask on";
        return Err(
            Failure::new(Kind::Usage, message).hint(format!("set {PASSWORD}; it may be empty"))
        );
    }
    rpassword::prompt_password(prompt)
        .map_err(|error| Failure::caused(Kind::Io, "failed to read the password", &error))
}
