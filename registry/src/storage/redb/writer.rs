//! Group commit: one thread writes, and everything that waits for it shares one sync.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::runtime;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tracing::warn;

use super::database::{Outcomes, RecordsFile};
use crate::storage::error::StorageError;
use crate::storage::records::{Batch, Change, CommitError};

/// How many batches may wait before those who bring more have to. A waiting batch is held in
/// memory by the request that brought it, and so this bounds nothing but the queue itself.
const WAITING: usize = 1024;

/// How many batches one transaction takes at most, so that the first one does not wait for
/// ever more to be added to it.
const GROUP: usize = 256;

/// After how many bytes nothing more is added to a transaction. `redb` keeps what a
/// transaction changed in memory, beyond its cache if need be.
const GROUP_BYTES: usize = 4 * 1024 * 1024;

/// How long nothing must have been committed for the thread to write what makes the database
/// open at once after a crash. It costs as much as two commits, and whoever comes meanwhile
/// waits for it.
const QUIET: Duration = Duration::from_millis(500);

/// The one thread that writes to the database.
///
/// When this is dropped, what still waits is written, and then the thread ends.
#[derive(Debug)]
pub(super) struct Writer {
    /// Always there but while this is dropped.
    queue: Option<mpsc::Sender<Waiting>>,
    thread: Option<JoinHandle<()>>,
    file: Arc<RecordsFile>,
    counts: Arc<Counts>,
}

/// How many batches were written, and in how many transactions, since the store was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommitCounts {
    /// Transactions that were begun. Each that changed something was synced.
    pub transactions: u64,
    /// Batches in them.
    pub batches: u64,
    /// How often it was written, in a quiet moment, what makes the database open at once.
    pub checkpoints: u64,
    /// How often the database was not closed cleanly, and had to be read in whole.
    pub repairs: u64,
}

#[derive(Debug, Default)]
struct Counts {
    transactions: AtomicU64,
    batches: AtomicU64,
    checkpoints: AtomicU64,
}

#[derive(Debug)]
struct Waiting {
    changes: Vec<Change>,
    answer: Answer,
}

type Answer = oneshot::Sender<Result<(), CommitError>>;

impl Writer {
    pub(super) fn start(file: Arc<RecordsFile>) -> Result<Self, StorageError> {
        let (queue, waiting) = mpsc::channel(WAITING);
        let counts = Arc::<Counts>::default();
        let cannot = |error| StorageError::io("start the thread that writes".to_owned(), error);
        // For waiting with a time limit, which the channel alone cannot.
        let clock = runtime::Builder::new_current_thread().enable_time().build();
        let clock = clock.map_err(cannot)?;
        let thread = thread::Builder::new().name("records".to_owned());
        let thread = thread.spawn({
            let (file, counts) = (Arc::clone(&file), Arc::clone(&counts));
            move || run(&file, &clock, waiting, &counts)
        });
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread.map_err(cannot)?),
            file,
            counts,
        })
    }

    /// Writes a batch, together with others. When the future is dropped after it waited once,
    /// the batch is written all the same.
    pub(super) async fn commit(&self, batch: Batch) -> Result<(), CommitError> {
        let (answer, answered) = oneshot::channel();
        let changes = batch.into_changes();
        let waiting = Waiting { changes, answer };
        let Some(queue) = &self.queue else {
            return Err(gone().into());
        };
        queue.send(waiting).await.map_err(|_| gone())?;
        answered.await.unwrap_or_else(|_| Err(gone().into()))
    }

    pub(super) fn counts(&self) -> CommitCounts {
        CommitCounts {
            transactions: self.counts.transactions.load(Ordering::Relaxed),
            batches: self.counts.batches.load(Ordering::Relaxed),
            checkpoints: self.counts.checkpoints.load(Ordering::Relaxed),
            repairs: self.file.repairs(),
        }
    }
}

impl Drop for Writer {
    /// Blocks until what waits is on disk; nobody should be told that a store is closed before.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // A panic was reported by the thread itself, and its batches were answered.
            let _ = thread.join();
        }
    }
}

fn run(
    file: &RecordsFile,
    clock: &runtime::Runtime,
    mut waiting: mpsc::Receiver<Waiting>,
    counts: &Counts,
) {
    let mut is_dirty = false;
    loop {
        let next = clock.block_on(async {
            if is_dirty {
                return timeout(QUIET, waiting.recv()).await;
            }
            Ok(waiting.recv().await)
        });
        is_dirty = next.is_ok();
        match next {
            Ok(Some(first)) => write_group(file, first, &mut waiting, counts),
            Ok(None) => return,
            Err(_) => checkpoint(file, counts),
        }
    }
}

fn write_group(
    file: &RecordsFile,
    first: Waiting,
    waiting: &mut mpsc::Receiver<Waiting>,
    counts: &Counts,
) {
    let (batches, answers) = group(first, waiting);
    counts.transactions.fetch_add(1, Ordering::Relaxed);
    let number = batches.len() as u64;
    counts.batches.fetch_add(number, Ordering::Relaxed);
    // A panic in the database must not take the only thread that writes with it. What waits
    // is told, and the database is opened anew.
    let begun = Instant::now();
    let written = catch_unwind(AssertUnwindSafe(|| file.write(&batches)));
    if let Some(watch) = file.watcher() {
        watch.written(batches.len(), begun.elapsed());
    }
    match written {
        Ok(Ok(outcomes)) => tell(answers, outcomes),
        Ok(Err(error)) => {
            for answer in answers {
                let error = file.error("write records", Arc::clone(&error));
                let _ = answer.send(Err(error.into()));
            }
        }
        Err(_) => {
            file.close();
            drop(answers);
        }
    }
}

fn checkpoint(file: &RecordsFile, counts: &Counts) {
    match catch_unwind(AssertUnwindSafe(|| file.checkpoint())) {
        Ok(Ok(())) => {
            counts.checkpoints.fetch_add(1, Ordering::Relaxed);
        }
        // Nobody waits for it, and the next commit will say what is wrong.
        Ok(Err(error)) => warn!(%error, "failed to write a checkpoint of the records"),
        Err(_) => file.close(),
    }
}

/// Everything that waits by now, within bounds.
fn group(first: Waiting, waiting: &mut mpsc::Receiver<Waiting>) -> (Vec<Vec<Change>>, Vec<Answer>) {
    let mut bytes = size(&first.changes);
    let (mut batches, mut answers) = (vec![first.changes], vec![first.answer]);
    while batches.len() < GROUP && bytes < GROUP_BYTES {
        let Ok(next) = waiting.try_recv() else {
            break;
        };
        bytes += size(&next.changes);
        batches.push(next.changes);
        answers.push(next.answer);
    }
    (batches, answers)
}

fn size(changes: &[Change]) -> usize {
    let size = |change: &Change| {
        let value = change.value.as_ref().map_or(0, bytes::Bytes::len);
        change.key.as_str().len() + value
    };
    changes.iter().map(size).sum()
}

fn tell(answers: Vec<Answer>, outcomes: Outcomes) {
    for (answer, outcome) in answers.into_iter().zip(outcomes) {
        // Whoever asked may have gone away; what was written stays.
        let _ = answer.send(outcome.map_err(CommitError::Changed));
    }
}

fn gone() -> StorageError {
    StorageError::Engine {
        action: "write records".to_owned(),
        source: "the thread that writes them has stopped".into(),
    }
}
