//! Which repository has which blob, both ways round, and whether the bytes are there.

use super::{Check, DefectKind};
use crate::storage::error::StorageError;
use crate::storage::grants::{Grant, grant, revoke};
use crate::storage::keys::{Key, Kind, Named};
use crate::storage::records::Batch;
use crate::storage::store::{decode, now};
use crate::storage::walk::SMALL;

impl Check<'_> {
    pub(super) async fn grants(&mut self) -> Result<(), StorageError> {
        let store = self.store;
        let mut walk = self.walk(Kind::Grants, SMALL);
        while let Some((key, record)) = walk.next().await? {
            self.report.records += 1;
            let Some(Named::Grant(repository, blob)) = key.named() else {
                self.unreadable(DefectKind::GrantWrong, &key, &record)
                    .await?;
                continue;
            };
            let Some(open) = store.open_blob(&blob).await? else {
                let fix = revoke(Batch::new(), &repository, &blob);
                self.found(DefectKind::BlobMissing, &key, Some(fix)).await?;
                continue;
            };
            let size = open.size();
            let known = decode::<Grant>(&key, &record).ok();
            if known.as_ref().is_none_or(|known| known.size != size) {
                let since = known.map_or_else(now, |known| known.since);
                let fix = grant(Batch::new(), &repository, &blob, &Grant { size, since });
                self.found(DefectKind::GrantWrong, &key, Some(fix)).await?;
            }
            let holder = Key::holder(&blob, &repository);
            if store.records.get(&holder).await?.is_none() {
                let fix = Batch::new().put(holder.clone(), bytes::Bytes::new());
                self.found(DefectKind::HolderMissing, &holder, Some(fix))
                    .await?;
            }
        }
        self.flush().await
    }

    pub(super) async fn holders(&mut self) -> Result<(), StorageError> {
        let mut walk = self.walk(Kind::Holders, SMALL);
        while let Some((key, _)) = walk.next().await? {
            self.report.records += 1;
            let has_grant = match key.named() {
                Some(Named::Holder(blob, repository)) => {
                    let grant = Key::grant(&repository, &blob);
                    self.store.records.get(&grant).await?.is_some()
                }
                _ => false,
            };
            if !has_grant {
                let fix = Batch::new().delete(key.clone());
                self.found(DefectKind::HolderDangling, &key, Some(fix))
                    .await?;
            }
        }
        self.flush().await
    }
}
