//! A script of pushes, moves and deletes over a disk that fails at each of its changes in turn:
//! whatever was acknowledged is there afterwards, also after the power was lost, nothing half is
//! served, and the store works on.
//!
//! Each run takes a part of the faults; `FAULTS_EVERY=1` takes them all. `FAULTS_SEED` repeats
//! what a power loss left in an earlier run.

#![cfg(unix)]
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and so may what it calls; it prints what it counted"
)]

mod disk;
#[path = "../crash/random.rs"]
#[allow(dead_code, reason = "the crash test needs more of it")]
mod random;
mod script;

use std::sync::Arc;

use wasmport_registry::storage::{FileBlobs, RedbRecords, RedbSettings, StorageError, Store};

use disk::{Failure, Fault, ModelDisk, temporary};
use random::Random;
use script::Script;

fn open(disk: &Arc<ModelDisk>) -> Result<Store, StorageError> {
    let path = disk.root.path().join("records.redb");
    let records = RedbRecords::open_on(&path, &RedbSettings::default(), Arc::clone(disk) as _)?;
    let blobs = FileBlobs::open_on(disk.root.path(), Arc::clone(disk) as _)?;
    Ok(Store::new(Arc::new(records), Arc::new(blobs)))
}

/// Runs the script with a fault, and checks in the same process, and after a power loss.
/// Gives how many changes of the disk there were.
async fn run(fault: Fault, random: &mut Random) -> u64 {
    let disk = Arc::new(ModelDisk::over(temporary(), fault));
    let mut script = Script::default();
    if let Ok(store) = open(&disk) {
        script.run(store.clone(), fault == Fault::Nothing).await;
        if !matches!(fault, Fault::PowerLoss(_) | Fault::OnceThenPowerLoss(..)) {
            disk.lift();
            script.check(store.clone()).await;
            script.works_on(store, "again").await;
        }
    }
    let steps = disk.steps();
    disk.cut_power();
    // Twice, for a store that was repaired must stand the next loss too.
    let mut disk = disk;
    for round in ["first", "second"] {
        let found = disk.after_power_loss(random);
        disk = Arc::new(ModelDisk::over(found, Fault::Nothing));
        let store = open(&disk).unwrap();
        script.check(store.clone()).await;
        script.works_on(store, round).await;
        disk.cut_power();
    }
    steps
}

async fn at_every_step(name: &str, fault: impl Fn(u64) -> Fault) {
    let every = number("FAULTS_EVERY").unwrap_or(20);
    let seed = number("FAULTS_SEED").unwrap_or_else(random::seed);
    eprintln!("{name}: FAULTS_EVERY={every} FAULTS_SEED={seed}");
    let mut random = Random::new(seed);
    let steps = run(Fault::Nothing, &mut random).await;
    assert!(steps > 50, "{steps}");
    let mut runs = 0;
    let mut step = seed % every;
    while step < steps {
        let fault = fault(step);
        eprintln!("{name}: {fault:?}");
        run(fault, &mut random).await;
        runs += 1;
        step += every;
    }
    eprintln!("{name}: {runs} runs over {steps} changes of the disk");
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_power_loss_at_any_point() {
    at_every_step("power loss", Fault::PowerLoss).await;
}

#[tokio::test]
async fn a_change_of_the_disk_that_fails_loses_nothing_and_is_got_over() {
    at_every_step("failure", |step| Fault::Once(step, Failure::Io)).await;
}

/// What a failed sync forgot must not be missed by what was acknowledged after it.
#[tokio::test]
async fn a_change_of_the_disk_that_fails_before_a_power_loss_loses_nothing() {
    at_every_step("failure, then power loss", |step| {
        Fault::OnceThenPowerLoss(step, 12 + step % 40)
    })
    .await;
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_is_got_over() {
    at_every_step("full", |step| Fault::From(step, Failure::Full)).await;
}

#[tokio::test]
async fn a_disk_that_goes_on_failing_loses_nothing_and_is_got_over() {
    at_every_step("broken", |step| Fault::From(step, Failure::Io)).await;
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}
