//! The collector in a running registry: by the clock, and when an operator says so.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::settings::Timespan;
use crate::storage::{CollectOptions, Collected, StorageError, Store};

/// How many runs are remembered.
const RUNS: usize = 20;

/// How often the clock is looked at, and the settings with it.
const TICK: Duration = Duration::from_mins(1);

/// For how long after the start nothing is taken away, unless an operator says so: the
/// registry does not know what pushes that are still open asked for before. No push is known
/// to wait that long between asking for a blob and relying on it.
const AFTER_START: Duration = Duration::from_hours(1);

/// `[gc]`: what the collector takes away, and when.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct GcSettings {
    /// Whether it runs by itself. Default: `true`.
    pub enabled: bool,
    /// What is younger stays: blobs that no manifest uses yet, signatures whose subject has
    /// not come. Default: `"24h"`, which is longer than any build between its first and its
    /// last request.
    pub grace: Timespan,
    /// The time between two runs. Default: `"6h"`.
    pub interval: Timespan,
    /// Manifests without a tag go when they are older than this. Default: they stay, since
    /// deployments name them by digest.
    pub untagged_after: Option<Timespan>,
    /// The history of a tag goes this long after the tag was deleted. Default: `"2160h"`, which
    /// is 90 days; the audit log keeps it longer where the system keeps that.
    pub deleted_history: Timespan,
}

impl Default for GcSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            grace: Timespan(Duration::from_hours(24)),
            interval: Timespan(Duration::from_hours(6)),
            untagged_after: None,
            deleted_history: Timespan(Duration::from_hours(90 * 24)),
        }
    }
}

/// What an operator asks for.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct CollectRequest {
    pub(crate) dry_run: bool,
    /// Instead of that of the settings.
    pub(crate) grace: Option<Timespan>,
    /// Instead of that of the settings.
    pub(crate) untagged_after: Option<Timespan>,
}

/// Why nothing was collected.
#[derive(Debug, Error)]
pub(crate) enum CollectError {
    #[error("the collector is running already")]
    Running,
    #[error(
        "the registry started less than {} ago and does not know what open pushes rely on; \
         wait, or give a grace, which is then taken at its word", .0
    )]
    TooSoon(Timespan),
    #[error("the registry stops")]
    Stopped,
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// The collector of a registry.
#[derive(Debug)]
pub(crate) struct Collector {
    store: Store,
    settings: ArcSwap<GcSettings>,
    started: Instant,
    /// When the current period of grace began. Whoever has this runs.
    period: tokio::sync::Mutex<Instant>,
    runs: Mutex<VecDeque<Collected>>,
    stop: CancellationToken,
}

impl Collector {
    /// A collector, which runs by itself as its settings say, until it is stopped or dropped.
    pub(crate) fn start(store: Store) -> Arc<Self> {
        let collector = Arc::new(Self {
            store,
            settings: ArcSwap::default(),
            started: Instant::now(),
            period: tokio::sync::Mutex::new(Instant::now()),
            runs: Mutex::default(),
            stop: CancellationToken::new(),
        });
        let stop = collector.stop.clone();
        let watch = watch(Arc::downgrade(&collector));
        tokio::spawn(async move { stop.run_until_cancelled(watch).await });
        collector
    }

    /// Takes these settings from now on.
    pub(crate) fn set(&self, settings: GcSettings) {
        self.settings.store(Arc::new(settings));
    }

    /// Runs now.
    pub(crate) async fn run(&self, request: CollectRequest) -> Result<Collected, CollectError> {
        let settings = self.settings.load_full();
        let mut period = self.period.try_lock().map_err(|_| CollectError::Running)?;
        let options = CollectOptions {
            grace: request.grace.unwrap_or(settings.grace).duration(),
            untagged_after: request
                .untagged_after
                .or(settings.untagged_after)
                .map(Timespan::duration),
            deleted_history: settings.deleted_history.duration(),
            dry_run: request.dry_run,
        };
        let wait = AFTER_START.min(options.grace);
        if !request.dry_run && request.grace.is_none() && self.started.elapsed() < wait {
            return Err(CollectError::TooSoon(Timespan(wait)));
        }
        if period.elapsed() >= settings.grace.duration() {
            self.store.begin_period_of_grace();
            *period = Instant::now();
        }
        let collected = self.stop.run_until_cancelled(self.store.collect(options));
        let collected = collected.await.ok_or(CollectError::Stopped)??;
        info!(
            dry_run = collected.dry_run,
            manifests = collected.manifests,
            grants = collected.grants,
            blobs = collected.blobs,
            size_bytes = collected.bytes,
            duration_ms = collected.seconds * 1000.0,
            "collected"
        );
        self.store.counts().collected(&collected);
        self.remember(collected.clone());
        Ok(collected)
    }

    /// The last runs, the newest first.
    pub(crate) fn runs(&self) -> Vec<Collected> {
        let runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        runs.iter().cloned().collect()
    }

    /// Ends the run that is under way, and those by the clock.
    pub(crate) fn stop(&self) {
        self.stop.cancel();
    }

    fn remember(&self, collected: Collected) {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        runs.push_front(collected);
        runs.truncate(RUNS);
    }
}

/// Runs the collector by the clock. Nobody who only waits keeps the store open.
async fn watch(collector: Weak<Collector>) {
    let mut last = None::<Instant>;
    loop {
        tokio::time::sleep(TICK).await;
        let Some(collector) = collector.upgrade() else {
            return;
        };
        let settings = collector.settings.load_full();
        let is_due = last.is_none_or(|last| last.elapsed() >= settings.interval.duration());
        if !settings.enabled || !is_due {
            continue;
        }
        match collector.run(CollectRequest::default()).await {
            Ok(_) => last = Some(Instant::now()),
            Err(CollectError::Running | CollectError::TooSoon(_)) => {}
            Err(CollectError::Stopped) => return,
            Err(error) => {
                last = Some(Instant::now());
                error!(
                    error = &error as &dyn std::error::Error,
                    "failed to collect"
                );
            }
        }
    }
}
