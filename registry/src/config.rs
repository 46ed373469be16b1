//! What a registry is told when it starts.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::policy_file::LoadedPolicy;
use crate::server::{LimitsSettings, ServerSettings, TlsSettings};

/// The settings of one registry.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen. Port 0 takes a free one; see [`Server::addr`](crate::Server::addr).
    pub addr: SocketAddr,
    /// Listen on an address that other machines can reach. There are no access rules yet:
    /// whoever reaches the registry can push to it.
    pub allow_remote: bool,
    /// Where artifacts are kept.
    pub store: StoreLocation,
    /// What may come in and go out.
    pub policy: LoadedPolicy,
    /// The certificate that it shows; without one it speaks plain HTTP.
    pub tls: Option<TlsSettings>,
    /// How long it waits, for what.
    pub server: ServerSettings,
    /// How much its clients may take.
    pub limits: LimitsSettings,
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
            tls: None,
            server: ServerSettings::default(),
            limits: LimitsSettings::default(),
        }
    }
}
