//! `wasmport fsck`: is everything in a store what it should be?

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use wasmport_registry::storage::Fsck;

use crate::error::{Failure, Kind};
use crate::output::{Answer, human_size};
use crate::store::{open, store_failed};

/// Check a registry's store: hash everything, and compare all records
///
/// The registry must not be running. With `--repair` records that follow from others are
/// written anew, and what is broken is moved to `quarantine/` in the store; nothing is thrown
/// away.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  wasmport fsck /srv/wasm
  wasmport fsck /srv/wasm --repair

Exit status: 0 nothing is wrong, or everything was repaired; 1 defects are left; 2 usage, or
there is no store; 3 the store is in use, or cannot be read.")]
pub(crate) struct FsckArgs {
    /// The directory of the store
    #[arg(value_name = "STORE")]
    store: PathBuf,

    /// Repair what can be repaired
    #[arg(long)]
    repair: bool,
}

/// What was found in a store.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CheckedStore {
    store: PathBuf,
    left: u64,
    #[serde(flatten)]
    fsck: Fsck,
}

pub(crate) async fn run(args: &FsckArgs) -> Result<CheckedStore, Failure> {
    let store = open(&args.store).await?;
    let quarantine = args.store.join("quarantine");
    let quarantine = args.repair.then_some(quarantine.as_path());
    let fsck = store.fsck(quarantine).await;
    let fsck = fsck.map_err(|error| store_failed("check the store", &error))?;
    let checked = CheckedStore {
        store: args.store.clone(),
        left: fsck.left(),
        fsck,
    };
    if checked.left == 0 {
        return Ok(checked);
    }
    let failure = Failure::new(Kind::Defects, format!("{} defects are left", checked.left))
        .explained(checked.to_text() + "\n")
        .found(&checked);
    Err(if args.repair {
        failure
    } else {
        failure.hint("`--repair` does what is said for each of them")
    })
}

impl Answer for CheckedStore {
    fn to_text(&self) -> String {
        let fsck = &self.fsck;
        let mut text = format!(
            "checked {}: {} manifests, {} blobs ({}), {} records",
            self.store.display(),
            fsck.manifests,
            fsck.blobs,
            human_size(fsck.bytes),
            fsck.records
        );
        for defect in &fsck.defects {
            let what = if defect.repaired { "repaired" } else { "found" };
            let kind = serde_json::to_value(defect.kind).unwrap_or_default();
            let kind = kind.as_str().unwrap_or_default();
            let _infallible = write!(
                text,
                "\n{what} {kind}: {}\n  meaning: {}\n  repair:  {}",
                defect.name, defect.meaning, defect.repair
            );
        }
        let hidden = fsck.found - fsck.defects.len() as u64;
        if hidden > 0 {
            let _infallible = write!(text, "\nand {hidden} more");
        }
        if fsck.garbage_blobs > 0 {
            let _infallible = write!(
                text,
                "\n{} blobs belong to no repository; the collector takes them",
                fsck.garbage_blobs
            );
        }
        let _infallible = match (fsck.found, fsck.repaired) {
            (0, _) => write!(text, "\nnothing is wrong"),
            (found, repaired) => write!(text, "\n{found} defects, {repaired} repaired"),
        };
        text
    }
}
