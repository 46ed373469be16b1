//! What a registry is told when it starts: by `registry.toml`, by flags, by the environment.

mod file;
mod repository;
mod sections;
mod source;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

pub use self::file::SettingsError;
pub use self::repository::RepositorySettings;
pub use self::sections::{PolicyMode, PolicySettings, Settings, StoreSettings};
pub use self::source::{ConfigError, ConfigSource, Overrides, Secret, Secrets};
use crate::admission::Attestor;
use crate::policy_file::LoadedPolicy;

/// The settings of one registry.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen. Port 0 takes a free one; see [`Server::addr`](crate::Server::addr).
    pub addr: SocketAddr,
    /// Listen on an address that other machines can reach, even without TLS and access rules.
    pub allow_remote: bool,
    /// Where artifacts are kept.
    pub store: StoreLocation,
    /// What may come in and go out.
    pub policy: LoadedPolicy,
    /// Everything else, as the file has it.
    pub settings: Settings,
    /// What must not stand in a file that others can read.
    pub secrets: Secrets,
    /// What signs the summaries of what is admitted, where they are wanted.
    pub attestor: Option<Arc<dyn Attestor>>,
    /// Where all this came from, to read it again.
    pub source: Option<ConfigSource>,
}

/// Where artifacts are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreLocation {
    /// In this directory, which is made if it is not there.
    Directory(PathBuf),
    /// In memory, until the registry stops.
    Memory,
}

impl Config {
    /// The address that a registry has unless it is told another.
    pub const DEFAULT_ADDR: &str = "127.0.0.1:5000";

    /// A registry on this machine only.
    pub fn new(addr: SocketAddr, store: StoreLocation, policy: LoadedPolicy) -> Self {
        Self {
            addr,
            allow_remote: false,
            store,
            policy,
            settings: Settings::default(),
            secrets: Secrets::default(),
            attestor: None,
            source: None,
        }
    }
}
