//! The sections of `registry.toml`. What belongs to one part of the registry is defined
//! beside that part, and only named here.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use wasmport_policies::LayerLimits;

use super::repository::RepositorySettings;
use crate::access::AccessSettings;
use crate::api_settings::ApiSettings;
use crate::audit::AuditSettings;
use crate::cache::CacheSettings;
use crate::collector::GcSettings;
use crate::server::{LimitsSettings, ServerSettings, TlsSettings};
use crate::settings::{ByteSize, resolve};
use crate::storage::RedbSettings;
use crate::tag_rules::TagSettings;
use crate::telemetry::TelemetrySettings;
use crate::uploads::UploadSettings;

/// All that `registry.toml` can say. `docs/registry-toml.md` describes each field.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Where it listens, and how long it waits.
    pub server: ServerSettings,
    /// How much one client may take of it.
    pub limits: LimitsSettings,
    /// The certificate that it shows; without one it speaks plain HTTP.
    pub tls: Option<TlsSettings>,
    /// Where artifacts are kept.
    pub store: StoreSettings,
    /// What may come in and go out.
    pub policy: PolicySettings,
    /// Who may do what.
    pub access: AccessSettings,
    /// Where the audit log goes.
    pub audit: AuditSettings,
    /// How much memory it uses to answer faster.
    pub cache: CacheSettings,
    /// What the collector takes away, and when.
    pub gc: GcSettings,
    /// What it says about itself, and where.
    pub telemetry: TelemetrySettings,
    /// What the distribution API leaves to the registry.
    pub api: ApiSettings,
    /// Which tags never move.
    pub tags: TagSettings,
    /// How blobs come in.
    pub uploads: UploadSettings,
    /// What holds for some repositories only.
    #[serde(rename = "repository")]
    pub repositories: Vec<RepositorySettings>,
}

/// `[store]`
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct StoreSettings {
    /// The directory, made when it is not there. Default: the user's data directory.
    pub directory: Option<PathBuf>,
    /// How the database in it works.
    pub records: RedbSettings,
}

/// `[policy]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct PolicySettings {
    /// A policy file, or `preset:NAME`. Default `preset:standard`.
    pub file: String,
    /// Whether it decides, or only says what it would refuse. Default `"enforce"`.
    pub mode: PolicyMode,
    /// A key file of cosign, by which `wasmport serve` signs a summary of each admission, which
    /// is stored as a referrer. Default: none.
    pub vsa_key: Option<PathBuf>,
    /// The URI by which those summaries name who has verified. Default: `server.external-url`,
    /// or where there is none, `urn:wasmport:registry`, which names no one.
    pub vsa_verifier: Option<String>,
    /// How many bytes one layer of an image may expand to while it is looked through for Wasm.
    /// Default 1 GiB.
    pub expanded_layer: ByteSize,
}

/// What a policy does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PolicyMode {
    /// What it does not admit is refused.
    #[default]
    Enforce,
    /// Everything is admitted. What would be refused is logged, counted and warned of, also of
    /// what is stored already when the registry starts.
    Audit,
}

impl Settings {
    /// Makes the paths relative to `directory` ones that can be opened from here.
    pub(super) fn resolve(&mut self, directory: &Path) {
        if let Some(tls) = &mut self.tls {
            tls.resolve(directory);
        }
        if let Some(store) = &mut self.store.directory {
            resolve(store, directory);
        }
        if !self.policy.file.starts_with("preset:") {
            let path = directory.join(&self.policy.file);
            self.policy.file = path.to_string_lossy().into_owned();
        }
        if let Some(key) = &mut self.policy.vsa_key {
            resolve(key, directory);
        }
        self.access.resolve(directory);
        self.audit.resolve(directory);
    }
}

impl Default for PolicySettings {
    fn default() -> Self {
        Self {
            file: "preset:standard".to_owned(),
            mode: PolicyMode::default(),
            vsa_key: None,
            vsa_verifier: None,
            expanded_layer: ByteSize(LayerLimits::default().expanded_bytes),
        }
    }
}
