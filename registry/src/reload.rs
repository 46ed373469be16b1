//! Reading everything again while the registry runs: the policy, the access rules, the
//! certificates. What is wrong is said, and what was there before stays.

use std::sync::Arc;

use serde::Serialize;
use tracing::{error, info};
use wasmport_artifact::with_causes;

use crate::app::App;
use crate::config::{ConfigSource, Settings, SettingsError};
use crate::metrics::Metrics;
use crate::policy_file::LoadedPolicy;
use crate::server::Tls;

/// Reads everything again. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reloader {
    app: App,
    tls: Option<Arc<Tls>>,
    source: Option<Arc<ConfigSource>>,
    /// The settings that were good last. Held while they are read again: one at a time.
    settings: Arc<tokio::sync::Mutex<Settings>>,
}

/// What became of one kind of thing.
#[derive(Clone, Debug, Serialize)]
pub struct Reloaded {
    /// `settings`, `policy`, `access` (and what else the file has), `certificates`.
    pub what: &'static str,
    /// Why the old one was kept. `None` when the new one was taken.
    pub error: Option<String>,
}

type Problem = Box<dyn std::error::Error + Send + Sync>;

impl Reloader {
    pub(crate) fn new(
        app: App,
        tls: Option<Arc<Tls>>,
        source: Option<ConfigSource>,
        settings: Settings,
    ) -> Self {
        Self {
            app,
            tls,
            source: source.map(Arc::new),
            settings: Arc::new(settings.into()),
        }
    }

    /// Reads everything again. What is good is used from now on, by every request that comes
    /// after; each kind is taken as a whole or not at all.
    pub async fn reload(&self) -> Vec<Reloaded> {
        let mut settings = self.settings.lock().await;
        let mut report = Report::new(&self.app.metrics);
        if let Some(source) = &self.source {
            if let Some(new) = report.note("settings", read(source).await) {
                *settings = new;
            }
            let name = source.overrides.policy.as_ref();
            let name = name.unwrap_or(&settings.policy.file).clone();
            report.note("policy", self.take_policy(name).await);
            let configured = self.app.reconfigure(&settings, &source.secrets).await;
            report.note("access", configured.map_err(Problem::from));
        }
        if let Some(tls) = self.tls.clone() {
            let settings = settings.tls.clone();
            let reloaded = blocking(move || tls.replace(settings)).await;
            report.note("certificates", reloaded);
        }
        report.reloaded
    }

    async fn take_policy(&self, name: String) -> Result<(), Problem> {
        let policy = blocking(move || LoadedPolicy::load(&name)).await?;
        Ok(self.app.replace_policy(policy).await?)
    }
}

/// Notes, logs and counts what was taken and what was not.
struct Report<'a> {
    metrics: &'a Metrics,
    reloaded: Vec<Reloaded>,
}

impl<'a> Report<'a> {
    fn new(metrics: &'a Metrics) -> Self {
        let reloaded = Vec::new();
        Self { metrics, reloaded }
    }

    fn note<T>(&mut self, what: &'static str, result: Result<T, Problem>) -> Option<T> {
        self.metrics.reloaded(what, result.is_ok());
        match result {
            Ok(new) => {
                info!(what, "reloaded");
                self.reloaded.push(Reloaded { what, error: None });
                Some(new)
            }
            Err(problem) => {
                let error = with_causes(problem.as_ref());
                error!(what, error, "kept the old, since the new cannot be used");
                let error = Some(error);
                self.reloaded.push(Reloaded { what, error });
                None
            }
        }
    }
}

async fn read(source: &ConfigSource) -> Result<Settings, Problem> {
    let Some(file) = source.file.clone() else {
        return Ok(Settings::default());
    };
    blocking(move || -> Result<Settings, SettingsError> { Settings::read(&file) }).await
}

async fn blocking<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, Problem>
where
    T: Send + 'static,
    E: Into<Problem> + Send + 'static,
{
    tokio::task::spawn_blocking(work).await?.map_err(Into::into)
}
