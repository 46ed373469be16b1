//! Checks a store that no registry has open: hashes every blob and manifest, and holds every
//! record against those that it must agree with.
//!
//! What can be derived is derived anew, and what is broken is put into `quarantine/` and never
//! thrown away. The passes go from the bytes to what points to them, so that a repair in one
//! pass is seen by the next one, and a second run finds nothing but what nobody can repair.

mod bytes;
mod defect;
mod grants;
mod manifests;
mod quarantine;
mod tags;

use std::path::Path;

use super::error::StorageError;
use super::keys::Key;
use super::records::{Batch, Record};
use super::store::Store;
pub use defect::{Defect, DefectKind, Fsck};

/// How many changes are written at once.
const BATCH: usize = 256;

/// A check under way.
struct Check<'a> {
    store: &'a Store,
    /// Where broken things go. `None` when nothing shall be changed.
    quarantine: Option<&'a Path>,
    batch: Batch,
    report: Fsck,
}

impl Store {
    /// Checks everything, and repairs what can be repaired if there is a directory to put
    /// broken things into. No registry may have the store open.
    pub async fn fsck(&self, quarantine: Option<&Path>) -> Result<Fsck, StorageError> {
        let mut check = Check {
            store: self,
            quarantine,
            batch: Batch::new(),
            report: Fsck {
                repair: quarantine.is_some(),
                ..Fsck::default()
            },
        };
        check.format().await?;
        check.small_blobs().await?;
        check.large_blobs().await?;
        check.manifests().await?;
        check.grants().await?;
        check.holders().await?;
        check.users_and_referrers_of_manifests().await?;
        check.users().await?;
        check.referrers().await?;
        check.tags().await?;
        Ok(check.report)
    }
}

impl Check<'_> {
    async fn format(&mut self) -> Result<(), StorageError> {
        if self.store.is_current().await? {
            return Ok(());
        }
        if self.quarantine.is_some() {
            self.store.upgrade().await?;
        }
        self.found(DefectKind::OldFormat, &Key::format(), None)
            .await
    }

    /// Notes a defect. `fix` repairs it, when there is one.
    async fn found(
        &mut self,
        kind: DefectKind,
        name: &impl ToString,
        fix: Option<Batch>,
    ) -> Result<(), StorageError> {
        let is_repaired = self.quarantine.is_some() && kind.can_be_repaired();
        if let Some(fix) = fix.filter(|_| is_repaired) {
            self.batch = std::mem::take(&mut self.batch).and(fix);
            if self.batch.changes().len() >= BATCH {
                self.flush().await?;
            }
        }
        self.report.note(kind, name.to_string(), is_repaired);
        Ok(())
    }

    /// Every pass ends with this, so that the next one sees what was repaired.
    async fn flush(&mut self) -> Result<(), StorageError> {
        self.store.write(std::mem::take(&mut self.batch)).await
    }

    /// A record that cannot be read is kept in quarantine, and deleted.
    async fn unreadable(
        &mut self,
        kind: DefectKind,
        key: &Key,
        record: &Record,
    ) -> Result<(), StorageError> {
        if let Some(directory) = self.quarantine {
            quarantine::record(directory, key, record)?;
        }
        self.found(kind, key, Some(Batch::new().delete(key.clone())))
            .await
    }
}
