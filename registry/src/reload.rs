//! Reading everything again while the registry runs: the policy, the access rules, the
//! certificates. What is wrong is said, and what was there before stays.

use std::sync::{Arc, OnceLock, Weak};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::{error, info, warn};
use wasmport_artifact::with_causes;

use crate::app::App;
use crate::audit;
use crate::config::{ConfigSource, Settings, SettingsError};
use crate::metrics::Metrics;
use crate::policy_file::LoadedPolicy;
use crate::server::Tls;

/// Reads everything again. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reloader(Arc<Sources>);

/// A way back from the application to what reloads it, which it would otherwise own in a
/// circle. Empty where nothing was configured, as in a router alone.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReloaderPlace(Arc<OnceLock<Weak<Sources>>>);

#[derive(Debug)]
struct Sources {
    app: App,
    tls: Option<Arc<Tls>>,
    source: Option<ConfigSource>,
    /// What the process was started with.
    started: Settings,
    /// The settings that were good last. Held while they are read again: one at a time.
    settings: tokio::sync::Mutex<Settings>,
}

/// What became of one kind of thing.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Reloaded {
    /// `settings`, `policy`, `access` (and what else the file has), `certificates`; where a
    /// restart is needed, the section of the file.
    pub what: String,
    /// What is in force now.
    pub result: ReloadResult,
    /// Why the old one was kept; or what went wrong after the new one was taken.
    pub error: Option<String>,
}

/// What is in force after something was read again.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReloadResult {
    /// The new one.
    Taken,
    /// The old one, since the new one cannot be used.
    Kept,
    /// The old one: the new one is read at a start only.
    Restart,
}

type Problem = Box<dyn std::error::Error + Send + Sync>;

impl ReloadResult {
    /// Its name in logs and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Kept => "kept",
            Self::Restart => "restart",
        }
    }
}

impl ReloaderPlace {
    /// What reloads the registry, while that runs.
    pub(crate) fn get(&self) -> Option<Reloader> {
        self.0.get()?.upgrade().map(Reloader)
    }
}

impl Reloader {
    pub(crate) fn new(
        app: App,
        tls: Option<Arc<Tls>>,
        source: Option<ConfigSource>,
        settings: Settings,
    ) -> Self {
        let place = app.reloader.clone();
        let reloader = Self(Arc::new(Sources {
            app,
            tls,
            source,
            started: settings.clone(),
            settings: settings.into(),
        }));
        // A second server over one application does not exist.
        let _first = place.0.set(Arc::downgrade(&reloader.0));
        reloader
    }

    /// Reads everything again. What is good is used from now on, by every request that comes
    /// after; each kind is taken as a whole or not at all.
    pub async fn reload(&self) -> Vec<Reloaded> {
        let Sources {
            app, tls, source, ..
        } = &*self.0;
        let mut settings = self.0.settings.lock().await;
        let mut report = Report::new(&app.metrics);
        if let Some(source) = source {
            if let Some(new) = report.note("settings", read(source).await) {
                *settings = new;
            }
            let name = source.overrides.policy.as_ref();
            let name = name.unwrap_or(&settings.policy.file).clone();
            let watches = source.overrides.watches(&settings);
            self.take_policy(name, watches, &mut report).await;
            let configured = app.reconfigure(&settings, &source.secrets).await;
            report.note("access", configured.map_err(Problem::from));
            report.note_restarts(&self.0.started, &settings);
        }
        if let Some(tls) = tls.clone() {
            let settings = settings.tls.clone();
            let reloaded = blocking(move || tls.replace(settings)).await;
            report.note("certificates", reloaded);
        }
        audit::reloaded(&report.reloaded);
        report.reloaded
    }

    async fn take_policy(&self, name: String, watches: bool, report: &mut Report<'_>) {
        let loaded = blocking(move || LoadedPolicy::load(&name)).await;
        if let Some(policy) = report.note("policy", loaded)
            && let Err(error) = self.0.app.replace_policy(policy.watching(watches)).await
        {
            report.add_problem(&error);
        }
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
        match result {
            Ok(new) => {
                info!(what, "reloaded");
                self.push(what, ReloadResult::Taken, None);
                Some(new)
            }
            Err(problem) => {
                let error = with_causes(problem.as_ref());
                error!(what, error, "kept the old, since the new cannot be used");
                self.push(what, ReloadResult::Kept, Some(error));
                None
            }
        }
    }

    /// The last one is in force, and yet not all went well.
    fn add_problem(&mut self, problem: &(dyn std::error::Error + 'static)) {
        let error = with_causes(problem);
        error!(
            error,
            "took the new, and what was held could not be decided on again"
        );
        if let Some(last) = self.reloaded.last_mut() {
            last.error = Some(format!(
                "it is in force, but what was held could not be decided on again: {error}"
            ));
        }
    }

    /// What has changed in the file and is read at a start only.
    fn note_restarts(&mut self, started: &Settings, now: &Settings) {
        for ((what, started), (_, now)) in at_start(started).into_iter().zip(at_start(now)) {
            if started != now {
                warn!(what, "it has changed, and takes a restart");
                let error = Some("it is read at a start only: restart to use it".to_owned());
                self.push(what, ReloadResult::Restart, error);
            }
        }
    }

    fn push(&mut self, what: &'static str, result: ReloadResult, error: Option<String>) {
        self.metrics.reloaded(what, result.as_str());
        let what = what.to_owned();
        self.reloaded.push(Reloaded {
            what,
            result,
            error,
        });
    }
}

/// The sections that are read at a start only, in a form that can be compared.
fn at_start(settings: &Settings) -> [(&'static str, Option<Value>); 6] {
    let mut limits = settings.limits.clone();
    // These are taken at once.
    limits.rates = crate::rates::RateSettings::default();
    let has_tls = settings.tls.is_some();
    [
        ("server", serde_json::to_value(&settings.server).ok()),
        ("limits", serde_json::to_value(&limits).ok()),
        ("store", serde_json::to_value(&settings.store).ok()),
        ("cache", serde_json::to_value(&settings.cache).ok()),
        ("telemetry", serde_json::to_value(&settings.telemetry).ok()),
        ("tls", Some(Value::Bool(has_tls))),
    ]
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
