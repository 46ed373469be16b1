//! An OCI registry that reads what a Wasm artifact imports before it lets it out.
//!
//! [`router()`] is the API on one page, `admission` takes the decisions, and [`storage`]
//! keeps what was admitted. A registry for a test takes three lines:
//!
//! ```
//! use wasmport_registry::{Config, LoadedPolicy, Server, StoreLocation};
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let policy = LoadedPolicy::load("preset:standard")?;
//! let config = Config::new("127.0.0.1:0".parse()?, StoreLocation::Memory, policy);
//! let server = Server::bind(config).await?;
//! println!("http://{}/v2/", server.addr());
//! # server.run(std::future::ready(())).await?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod access;
mod admission;
mod api_settings;
mod app;
pub mod audit;
mod boundary;
mod cache;
mod collector;
pub mod config;
mod endpoint;
mod error;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod header;
mod health_check;
mod metrics;
mod policy_file;
mod preconditions;
mod query;
mod ranges;
mod rates;
mod reload;
mod router;
mod routes;
mod server;
pub mod settings;
pub mod signals;
mod signers;
pub mod storage;
mod survey;
mod tag_rules;
pub mod telemetry;
pub mod traces;
mod uploads;

pub use admission::{Attestor, by_precedence as tags_by_precedence, version as version_of_tag};
pub use api_settings::ApiSettings;
pub use app::{App, ConfigureError, OpenAppError, TagSettingsError};
pub use cache::CacheSettings;
pub use collector::GcSettings;
pub use config::{Config, ConfigError, ConfigSource, Overrides, Secret, Secrets, StoreLocation};
pub use health_check::{HealthError, check_health};
pub use policy_file::{LoadPolicyError, LoadedPolicy};
pub use rates::RateSettings;
pub use reload::{ReloadResult, Reloaded, Reloader};
pub use router::router;
pub use server::{
    ClientCertificates, ForwardedHeader, LimitsSettings, MinVersion, Network, NetworkError, Server,
    ServerSettings, StartError, TlsError, TlsSettings,
};
pub use signers::{LoadSignerError, Signed};
pub use survey::{Audited, SurveyError, audit as audit_store, survey};
pub use tag_rules::{ImmutableTags, TagSettings};
pub use uploads::UploadSettings;
