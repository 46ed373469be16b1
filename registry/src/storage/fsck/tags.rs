//! Tags, and wishes for them, point to manifests that are there.

use super::{Check, DefectKind};
use crate::storage::error::StorageError;
use crate::storage::keys::{Key, Kind, Named};
use crate::storage::records::Record;
use crate::storage::store::decode;
use crate::storage::tags::PointsTo;
use crate::storage::walk::SMALL;

impl Check<'_> {
    pub(super) async fn tags(&mut self) -> Result<(), StorageError> {
        for kind in [Kind::Tags, Kind::Pending] {
            let mut walk = self.walk(kind, SMALL);
            while let Some((key, record)) = walk.next().await? {
                self.report.records += 1;
                if let Some(defect) = self.pointer(kind, &key, &record).await? {
                    self.unreadable(defect, &key, &record).await?;
                }
            }
            self.flush().await?;
        }
        Ok(())
    }

    async fn pointer(
        &self,
        kind: Kind,
        key: &Key,
        record: &Record,
    ) -> Result<Option<DefectKind>, StorageError> {
        let (unreadable, dangling) = match kind {
            Kind::Tags => (DefectKind::TagUnreadable, DefectKind::TagDangling),
            _ => (DefectKind::WishDangling, DefectKind::WishDangling),
        };
        let Some(Named::Tag(repository, _) | Named::Pending(repository, _)) = key.named() else {
            return Ok(Some(unreadable));
        };
        let Ok(pointer) = decode::<PointsTo>(key, record) else {
            return Ok(Some(unreadable));
        };
        let manifest = self.manifest(&repository, &pointer.digest).await?;
        Ok(manifest.is_none().then_some(dangling))
    }
}
