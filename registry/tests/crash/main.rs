//! The real server, killed with SIGKILL at random points under load, again and again: what was
//! acknowledged is there after each start, and everything that is served hashes right.
//!
//! Twenty-five kills run with the other tests. `.ci/crash` makes it a thousand:
//! `CRASH_KILLS` says how many, `CRASH_SEED` repeats the choices of an earlier run.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and so may what it calls; it prints what it counted"
)]

mod check;
mod ledger;
mod random;
mod server;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tempfile::TempDir;

use random::Random;
use server::Server;
use worker::Worker;

/// How many clients push, move, delete and read at once, each in a repository of its own.
const WORKERS: u64 = 8;

/// After so many kills everything is checked once more, and a new store is begun. It keeps a
/// long run from needing ever more disk.
const KILLS_OF_A_STORE: u32 = 50;

/// The longest life of a server under load, in milliseconds.
const LONGEST: u64 = 300;

#[derive(Default)]
struct Report {
    kills: u32,
    acknowledged: u64,
    checked: u64,
    resumed: u64,
    slowest_start: Duration,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_sigkill() {
    let kills: u32 = number("CRASH_KILLS").unwrap_or(25).try_into().unwrap();
    let seed = number("CRASH_SEED").unwrap_or_else(random::seed);
    eprintln!("CRASH_KILLS={kills} CRASH_SEED={seed}");
    let begun = Instant::now();
    let mut random = Random::new(seed);
    let mut report = Report::default();
    while report.kills < kills {
        let more = KILLS_OF_A_STORE.min(kills - report.kills);
        live(more, &mut random, &mut report).await;
    }
    let Report {
        kills,
        acknowledged,
        checked,
        resumed,
        slowest_start,
    } = report;
    eprintln!(
        "{kills} kills in {:?}: {acknowledged} writes acknowledged, {checked} checks after \
         restarts, {resumed} uploads resumed, slowest start {slowest_start:?}",
        begun.elapsed(),
    );
    assert!(acknowledged > u64::from(kills));
}

/// The life of one store: it is killed so many times, and at the end everything is checked.
async fn live(kills: u32, random: &mut Random, report: &mut Report) {
    let directory = TempDir::new().unwrap();
    let mut workers: Vec<Worker> = (0..WORKERS)
        .map(|number| Worker::new(number, random.fork()))
        .collect();
    for _ in 0..kills {
        if random.one_in(10) {
            Server::spawn(directory.path())
                .kill_after(random.below(60))
                .await;
            report.kills += 1;
            continue;
        }
        let server = start(&directory, report).await;
        workers = with_all(workers, |worker| worker.check(&server, false)).await;
        let is_killed = Arc::new(AtomicBool::new(false));
        let life = Duration::from_millis(1 + random.below(LONGEST));
        let kill = async {
            tokio::time::sleep(life).await;
            is_killed.store(true, Ordering::SeqCst);
            server.kill();
        };
        let work = with_all(workers, |worker| worker.work(&server, &is_killed));
        (workers, ()) = tokio::join!(work, kill);
        server.wait().await;
        report.kills += 1;
    }
    let server = start(&directory, report).await;
    workers = with_all(workers, |worker| worker.check(&server, true)).await;
    server.kill();
    server.wait().await;
    for worker in workers {
        report.acknowledged += worker.acknowledged;
        report.checked += worker.checked;
        report.resumed += worker.resumed;
    }
}

async fn start(directory: &TempDir, report: &mut Report) -> Server {
    let begun = Instant::now();
    let server = Server::spawn(directory.path());
    server.is_ready().await;
    report.slowest_start = report.slowest_start.max(begun.elapsed());
    server
}

/// Lets all workers do something at once, and gives them back.
async fn with_all<F: Future<Output = Worker>>(
    workers: Vec<Worker>,
    work: impl FnMut(Worker) -> F,
) -> Vec<Worker> {
    join_all(workers.into_iter().map(work)).await
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}
