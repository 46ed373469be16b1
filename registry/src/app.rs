//! What every request has at hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::extract::Request;
use axum::http::Method;
use thiserror::Error;
use tracing::error;
use wasmport_artifact::{RepositoryName, with_causes};
use wasmport_policies::LayerLimits;

use crate::access::{Access, LoadAccessError, Loaded, OpenAccessError, Peer};
use crate::admission::{Admission, AdmissionError, Attestor, today};
use crate::api_settings::ApiSettings;
use crate::audit::{AuditError, AuditLog, OpenAudit};
use crate::cache::{Answers, CacheSettings, Moment};
use crate::collector::{Collector, GcSettings};
use crate::config::{RepositorySettings, Secrets, Settings};
use crate::error::ApiError;
use crate::metrics::Metrics;
use crate::policy_file::LoadedPolicy;
use crate::rates::{Asker, Rates};
use crate::reload::ReloaderPlace;
use crate::storage::Store;
use crate::survey::audit as audit_store;
use crate::tag_rules::{TagRules, TagSettings};
use crate::uploads::{UploadSettings, Uploads};

/// The state of a registry. Cheap to clone.
#[derive(Clone, Debug)]
pub struct App {
    /// Everything that is kept.
    pub(crate) store: Store,
    /// Who decides what comes in and goes out.
    pub(crate) admission: Arc<Admission>,
    /// Who may do what.
    pub(crate) access: Arc<Access>,
    /// What takes away what nothing reaches.
    pub(crate) collector: Arc<Collector>,
    /// Who did what.
    pub(crate) audit: Arc<AuditLog>,
    /// Uploads that are under way.
    pub(crate) uploads: Arc<Uploads>,
    /// What the distribution API leaves to us.
    pub(crate) api: Arc<ArcSwap<ApiSettings>>,
    /// What earlier requests found out.
    pub(crate) answers: Arc<Answers>,
    /// How often somebody may ask.
    pub(crate) rates: Arc<Rates>,
    /// What is counted.
    pub(crate) metrics: Arc<Metrics>,
    /// What reads everything again.
    pub(crate) reloader: ReloaderPlace,
    has_own_metrics_address: Arc<AtomicBool>,
    /// It stops soon: nothing new should come here.
    is_stopping: Arc<AtomicBool>,
}

/// Why a store cannot be used: mostly that what was held could not be decided on.
#[derive(Debug, Error)]
#[error("failed to bring the store up to date")]
pub struct OpenAppError(#[source] Box<dyn std::error::Error + Send + Sync>);

/// A setting of tags has a malformed glob.
#[derive(Debug, Error)]
#[error("failed to read the settings of tags")]
pub struct TagSettingsError(#[from] globset::Error);

/// Why settings cannot be used.
#[derive(Debug, Error)]
pub enum ConfigureError {
    /// The settings of tags.
    #[error(transparent)]
    Tags(#[from] TagSettingsError),
    /// The access rules.
    #[error("failed to load the access rules")]
    Access(#[from] LoadAccessError),
    /// There were access rules, and there are none any more.
    #[error("all access rules are gone, which would let everyone in; restart to mean it")]
    RulesGone,
    /// The audit log.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The access rules, in the store.
    #[error(transparent)]
    OpenAccess(#[from] OpenAccessError),
}

impl App {
    /// Uses these settings from now on, with the files that they name: all of them, or none
    /// when something is wrong.
    pub async fn configure(
        &self,
        settings: &Settings,
        secrets: &Secrets,
    ) -> Result<(), ConfigureError> {
        let tags = TagRules::new(&settings.tags).map_err(TagSettingsError)?;
        let audit = OpenAudit::open(&settings.audit)?;
        let access = Loaded::load(settings, secrets)?;
        self.access.replace(access).await?;
        self.admission.set_tag_rules(tags);
        self.admission.set_verifier(settings);
        self.admission.set_layer_limits(LayerLimits {
            expanded_bytes: settings.policy.expanded_layer.bytes(),
        });
        self.set_api(settings.api.clone());
        self.set_gc(settings.gc.clone());
        self.set_quotas(&settings.repositories);
        self.set_uploads(&settings.uploads);
        self.rates.set(settings.limits.rates.clone());
        self.audit.replace(audit);
        Ok(())
    }

    /// [`configure`](Self::configure) while requests come in: rules may be replaced by other
    /// rules, but when they have gone, that is more likely a mistake than meant.
    pub(crate) async fn reconfigure(
        &self,
        settings: &Settings,
        secrets: &Secrets,
    ) -> Result<(), ConfigureError> {
        if !self.access.is_open() && !settings.access.has_rules() {
            return Err(ConfigureError::RulesGone);
        }
        self.configure(settings, secrets).await
    }

    /// Uses these settings of tags from now on.
    pub fn set_tags(&self, settings: &TagSettings) -> Result<(), TagSettingsError> {
        self.admission.set_tag_rules(TagRules::new(settings)?);
        Ok(())
    }

    /// Uses these settings of the distribution API from now on.
    pub fn set_api(&self, settings: ApiSettings) {
        self.api.store(Arc::new(settings));
    }

    /// Collects on these terms from now on.
    pub fn set_gc(&self, settings: GcSettings) {
        self.collector.set(settings);
    }

    /// Keeps as much in memory as these settings say, and forgets what was kept before.
    pub fn set_cache(&mut self, settings: &CacheSettings) {
        self.answers = Arc::new(Answers::new(settings, self.store.counts()));
        self.store = self.store.clone().with_cache(settings);
    }

    /// Lets repositories hold as much as these settings say from now on.
    pub fn set_quotas(&self, settings: &[RepositorySettings]) {
        let rule = |entry: &RepositorySettings| Some((entry.repositories.clone(), entry.quota?));
        self.store
            .set_quotas(settings.iter().filter_map(rule).collect());
    }

    /// Uses these settings of uploads from now on.
    pub fn set_uploads(&self, settings: &UploadSettings) {
        let small = usize::try_from(settings.small_bytes.0).unwrap_or(usize::MAX);
        self.store.set_small_bytes(small);
        self.uploads.set(settings.clone());
    }

    /// A registry over `store`. What was held when the store was last used is decided on
    /// with `policy`.
    pub async fn open(store: Store, policy: LoadedPolicy) -> Result<Self, OpenAppError> {
        policy.log_warnings(today());
        let metrics = Arc::new(Metrics::new(store.counts()));
        let admission = Admission::new(store.clone(), policy, Arc::clone(&metrics));
        let admission = Arc::new(admission);
        let settled = admission.settle_all().await;
        settled.map_err(|error| OpenAppError(error.into()))?;
        let uploads = Uploads::open_store(store.clone(), UploadSettings::default()).await;
        let uploads = Arc::new(uploads.map_err(|error| OpenAppError(error.into()))?);
        tokio::spawn(Uploads::sweep_regularly(Arc::downgrade(&uploads)));
        let access = Access::open(store.clone(), Loaded::default()).await;
        let access = access.map_err(|error| OpenAppError(error.into()))?;
        let counts = store.counts();
        Ok(Self {
            collector: Collector::start(store.clone()),
            store,
            admission,
            access: Arc::new(access),
            audit: Arc::default(),
            api: Arc::default(),
            answers: Arc::new(Answers::new(&CacheSettings::default(), counts)),
            rates: Arc::default(),
            metrics,
            reloader: ReloaderPlace::default(),
            has_own_metrics_address: Arc::default(),
            uploads,
            is_stopping: Arc::default(),
        })
    }

    /// What is found out about a repository from now on is true as long as this is the
    /// moment. None while something of the repository is being written.
    pub(crate) fn moment(&self, repository: &RepositoryName) -> Option<Moment> {
        let policy = self.admission.epoch();
        let generation = self.store.generations().of(repository)?;
        Some(Moment { generation, policy })
    }

    /// Counts a request. Who asks too often is told how long to wait.
    pub(crate) fn admit(&self, method: &Method, asker: Asker<'_>) -> Result<(), ApiError> {
        let admitted = self.rates.admit(method, asker);
        admitted.map_err(|wait| self.too_often(wait))
    }

    /// The same before it is known who asks.
    pub(crate) fn admit_address(&self, request: &Request) -> Result<(), ApiError> {
        let Some(peer) = request.extensions().get::<Peer>() else {
            return Ok(());
        };
        let admitted = self.rates.admit_address(peer.address.ip());
        admitted.map_err(|wait| self.too_often(wait))
    }

    fn too_often(&self, wait: Duration) -> ApiError {
        self.metrics.refused("rate");
        ApiError::too_often(wait)
    }

    /// Decides with another policy from now on. What was held is decided on again; when that
    /// fails, it stays held, and the policy is in force all the same.
    pub async fn replace_policy(&self, policy: LoadedPolicy) -> Result<(), OpenAppError> {
        policy.log_warnings(today());
        let replaced = self.admission.replace_policy(policy).await;
        replaced.map_err(|error: AdmissionError| OpenAppError(error.into()))
    }

    /// Publishes a summary of what is admitted from now on, signed by `attestor`, as a referrer.
    pub fn set_attestor(&self, attestor: Arc<dyn Attestor>) {
        self.admission.set_attestor(attestor);
    }

    /// Says in the log what `policy` would refuse of what is stored, beside everything else.
    pub(crate) fn audit_store(&self, policy: LoadedPolicy) {
        let store = self.store.clone();
        tokio::spawn(async move {
            if let Err(error) = audit_store(&store, &policy).await {
                error!(error = %with_causes(&error), "failed to try the policy on the store");
            }
        });
    }

    /// `/metrics` has an address of its own, and is not on the registry's.
    pub(crate) fn move_metrics(&self) {
        self.has_own_metrics_address.store(true, Ordering::Relaxed);
    }

    /// Whether [`move_metrics`](Self::move_metrics) was called.
    pub(crate) fn has_own_metrics_address(&self) -> bool {
        self.has_own_metrics_address.load(Ordering::Relaxed)
    }

    /// Lets what balances the load look elsewhere.
    pub(crate) fn stop_being_ready(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
    }

    /// Whether [`stop_being_ready`](Self::stop_being_ready) was called.
    pub(crate) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Relaxed)
    }
}
