//! `wasmport gc`: takes away what nothing reaches in a store, while no registry runs.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Serialize};
use wasmport_registry::GcSettings;
use wasmport_registry::settings::Timespan;
use wasmport_registry::storage::{CollectOptions, Collected};

use crate::error::Failure;
use crate::output::{Answer, human_size};
use crate::store::{open, store_failed};

/// Remove what nothing in a store leads to; the registry must not be running
///
/// A running registry does the same by the clock, and when `wasmport admin gc` says so.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  wasmport gc /srv/wasm --dry-run
  wasmport gc /srv/wasm --grace 0s

Exit status: 0 done; 2 usage, or there is no store; 3 the store is in use, or cannot be read.")]
pub(crate) struct GcArgs {
    /// The directory of the store
    #[arg(value_name = "STORE")]
    store: PathBuf,

    #[command(flatten)]
    terms: Terms,
}

/// What goes.
#[derive(Args, Debug)]
pub(crate) struct Terms {
    /// Only say what would go
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// What is younger stays, such as `24h` or `0s` [default: 24h, or what the registry has]
    #[arg(long, value_name = "TIME")]
    pub(crate) grace: Option<Timespan>,

    /// Manifests without a tag go when they are older, such as `720h` [default: they stay]
    #[arg(long, value_name = "TIME")]
    pub(crate) untagged_after: Option<Timespan>,
}

/// What went.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CollectedStore {
    pub(crate) collected: Collected,
}

pub(crate) async fn run(args: &GcArgs) -> Result<CollectedStore, Failure> {
    let store = open(&args.store).await?;
    let upgraded = store.upgrade().await;
    upgraded.map_err(|error| store_failed("read the store", &error))?;
    let settings = GcSettings::default();
    let options = CollectOptions {
        grace: args.terms.grace.unwrap_or(settings.grace).duration(),
        untagged_after: args.terms.untagged_after.map(Timespan::duration),
        deleted_history: settings.deleted_history.duration(),
        dry_run: args.terms.dry_run,
    };
    let collected = store.collect(options).await;
    let collected = collected.map_err(|error| store_failed("collect", &error))?;
    Ok(CollectedStore { collected })
}

impl Answer for CollectedStore {
    fn to_text(&self) -> String {
        let it = &self.collected;
        let mut text = String::new();
        for removed in &it.removed {
            let place = removed.repository.as_ref();
            let place = place.map_or(String::new(), |place| format!(" in {place}"));
            let _infallible = writeln!(
                text,
                "{} {}{place}: {}",
                removed.kind, removed.name, removed.reason
            );
        }
        text + &summary(it)
    }
}

/// What a run removed, in numbers.
pub(crate) fn summary(it: &Collected) -> String {
    let verb = if it.dry_run {
        "would remove"
    } else {
        "removed"
    };
    let mut text = format!(
        "{verb} {} manifests, {} tags, {} grants, {} blobs ({}), {} facts; \
         looked at {} things in {:.1} s",
        it.manifests,
        it.tags,
        it.grants,
        it.blobs,
        human_size(it.bytes),
        it.facts,
        it.examined,
        it.seconds
    );
    if it.history > 0 {
        let _infallible = write!(text, "; {} moves of deleted tags", it.history);
    }
    if it.in_use > 0 {
        let _infallible = write!(text, "; {} were in use", it.in_use);
    }
    text
}
