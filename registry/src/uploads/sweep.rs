//! What lay idle for too long is given up, with its bytes.

use std::collections::HashSet;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::Uploads;
use super::identifier::Identifier;
use super::places::Senders;
use crate::storage::{StageId, StorageError, now};

/// How often it is looked for. An upload is idle for hours before it is given up, so that a
/// few minutes more do not matter.
const EVERY: Duration = Duration::from_mins(10);

/// How long a stage that no record names is left alone, in seconds. A stage is synced some
/// milliseconds before its record is committed.
const NAMELESS: u64 = 60 * 60;

/// What a sweep gave up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Swept {
    /// Uploads that lay idle for too long.
    pub(crate) uploads: usize,
    /// Stages that a crash left without a record.
    pub(crate) stages: usize,
}

impl Uploads {
    /// Sweeps from time to time, as long as there are uploads.
    pub(crate) async fn sweep_regularly(uploads: Weak<Self>) {
        loop {
            tokio::time::sleep(EVERY).await;
            let Some(uploads) = uploads.upgrade() else {
                return;
            };
            match uploads.sweep().await {
                Ok(swept) if swept == Swept::default() => {}
                Ok(Swept { uploads, stages }) => {
                    tracing::info!(uploads, stages, "gave up uploads that lay idle");
                }
                Err(error) => tracing::warn!(%error, "failed to sweep uploads"),
            }
        }
    }

    /// Gives up the uploads that lay idle for too long.
    pub(crate) async fn sweep(self: &Arc<Self>) -> Result<Swept, StorageError> {
        // The records first: a stage whose record comes later is young.
        let (uploads, alive) = self.sweep_records().await?;
        let stages = self.sweep_stages(&alive).await?;
        Ok(Swept { uploads, stages })
    }

    async fn sweep_records(self: &Arc<Self>) -> Result<(usize, HashSet<StageId>), StorageError> {
        let (mut swept, mut alive, mut after) = (0, HashSet::new(), None);
        let (mut senders, changes) = (Senders::new(), self.places.changes());
        loop {
            let page = self.store.uploads(after.as_ref()).await?;
            for (name, upload) in &page {
                let identifier = self.identifiers.read(&name.repository, &name.id);
                if self.is_expired(upload.touched())
                    && let Some(_turn) = self.turn_of(identifier, &name.id)
                {
                    self.remove(name, upload).await?;
                    swept += 1;
                } else {
                    *senders.entry(upload.sender().into()).or_default() += 1;
                    alive.extend(upload.stage().cloned());
                }
            }
            match page.into_iter().next_back() {
                Some((last, _)) => after = Some(last),
                None => break,
            }
        }
        self.places.counted(senders, changes);
        Ok((swept, alive))
    }

    async fn sweep_stages(&self, alive: &HashSet<StageId>) -> Result<usize, StorageError> {
        let (mut swept, mut after) = (0, None);
        loop {
            let page = self.store.stages(after.as_ref()).await?;
            for (stage, written) in &page {
                if !alive.contains(stage) && written.saturating_add(NAMELESS) < now() {
                    self.store.discard_stage(Some(stage)).await?;
                    swept += 1;
                }
            }
            match page.into_iter().next_back() {
                Some((last, _)) => after = Some(last),
                None => return Ok(swept),
            }
        }
    }

    /// The turn of an upload that no request has. What has another store's identifier is
    /// nobody's: number 0 stands for all of them.
    fn turn_of(self: &Arc<Self>, identifier: Option<Identifier>, id: &str) -> Option<super::Turn> {
        let identifier = identifier.unwrap_or(Identifier {
            opened: 0,
            number: 0,
            algorithm: wasmport_artifact::Algorithm::Sha256,
        });
        self.turn(&identifier, id).ok()
    }
}
