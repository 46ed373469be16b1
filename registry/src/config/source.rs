//! Where a registry's configuration comes from, so that it can be read again.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use thiserror::Error;

use super::{Config, PolicyMode, Settings, SettingsError, StoreLocation};
use crate::access::{LoadAccessError, Loaded};
use crate::policy_file::{LoadPolicyError, LoadedPolicy};
use crate::server::{Tls, TlsError};
use crate::traces::{StartTracesError, Traces};

/// The file, the flags and the environment of one run.
#[derive(Clone, Debug, Default)]
pub struct ConfigSource {
    /// `registry.toml`, or the defaults.
    pub file: Option<PathBuf>,
    /// What the flags say. They win over the file.
    pub overrides: Overrides,
    /// What the environment says.
    pub secrets: Secrets,
    /// Where the store is when neither file nor flags say.
    pub default_store: Option<PathBuf>,
}

/// What flags say, instead of the file.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--addr`
    pub addr: Option<SocketAddr>,
    /// `--allow-remote`
    pub allow_remote: bool,
    /// `--store`
    pub store: Option<PathBuf>,
    /// `--policy`
    pub policy: Option<String>,
    /// `--audit`
    pub audit: bool,
}

/// What must not stand in a file that others can read.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// What tokens are signed with, instead of `access.token.key-file`.
    pub token_key: Option<Secret>,
}

/// A secret, or where it is. It never appears in logs.
#[derive(Clone)]
pub enum Secret {
    /// Itself.
    Text(String),
    /// In this file.
    File(PathBuf),
}

/// Why a configuration cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file is wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The policy is wrong.
    #[error("failed to load the policy `{name}`")]
    Policy {
        /// The file, or `preset:NAME`.
        name: String,
        /// Why not.
        source: Box<LoadPolicyError>,
    },
    /// The access rules are wrong, or a file that they name.
    #[error("failed to load the access rules")]
    Access(#[from] Box<LoadAccessError>),
    /// A certificate or its key is wrong.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Traces cannot be sent as the settings say.
    #[error(transparent)]
    Traces(#[from] StartTracesError),
    /// Nobody said where the store is.
    #[error("no store is named, and there is no home directory to keep one in")]
    NoStore,
}

impl ConfigSource {
    /// Reads the file and all that it names. What is read here of the access rules and the
    /// certificates only shows whether they are good; the server reads them when it starts.
    pub fn load(&self) -> Result<Config, ConfigError> {
        let settings = match &self.file {
            Some(file) => Settings::read(file)?,
            None => Settings::default(),
        };
        Loaded::load(&settings, &self.secrets).map_err(Box::new)?;
        if let Some(tls) = settings.tls.clone() {
            Tls::load(tls)?;
        }
        Traces::check(&settings.telemetry)?;
        let overrides = &self.overrides;
        let policy = overrides.policy.as_ref().unwrap_or(&settings.policy.file);
        let policy = LoadedPolicy::load(policy).map_err(|source| ConfigError::Policy {
            name: policy.clone(),
            source: Box::new(source),
        })?;
        let named = overrides
            .store
            .as_ref()
            .or(settings.store.directory.as_ref());
        let store = named.or(self.default_store.as_ref());
        let store = store.cloned().ok_or(ConfigError::NoStore)?;
        Ok(Config {
            addr: overrides.addr.unwrap_or(settings.server.addr),
            allow_remote: overrides.allow_remote || settings.server.allow_remote,
            store: StoreLocation::Directory(store),
            policy: policy.watching(overrides.watches(&settings)),
            settings,
            secrets: self.secrets.clone(),
            attestor: None,
            source: Some(self.clone()),
        })
    }
}

impl Overrides {
    /// Whether the policy only watches, by the flag or by the file.
    pub(crate) fn watches(&self, settings: &Settings) -> bool {
        self.audit || settings.policy.mode == PolicyMode::Audit
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => formatter.write_str("Text(…)"),
            Self::File(path) => formatter.debug_tuple("File").field(path).finish(),
        }
    }
}
