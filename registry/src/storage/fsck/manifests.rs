//! Every manifest is hashed, and what is derived from it is derived anew and compared.

use bytes::Bytes;
use wasmport_artifact::{Descriptor, Digest, Manifest, RepositoryName};

use super::{Check, DefectKind};
use crate::storage::error::StorageError;
use crate::storage::grants::{blobs, may_be_left_out};
use crate::storage::keys::{Key, Kind, Named, Prefix};
use crate::storage::manifests::split;
use crate::storage::records::{Batch, Record};
use crate::storage::referrers::descriptor_of;
use crate::storage::store::{decode, encode};
use crate::storage::walk::{LARGE, SMALL, Walk};

impl Check<'_> {
    /// Its bytes have its digest, and are a manifest.
    pub(super) async fn manifests(&mut self) -> Result<(), StorageError> {
        let mut walk = self.walk(Kind::Manifests, LARGE);
        while let Some((key, record)) = walk.next().await? {
            self.report.records += 1;
            self.report.manifests += 1;
            if sound(&key, &record).is_none() {
                self.unreadable(DefectKind::ManifestCorrupted, &key, &record)
                    .await?;
            }
        }
        self.flush().await
    }

    /// What the manifests say is in the records that are derived from them.
    pub(super) async fn users_and_referrers_of_manifests(&mut self) -> Result<(), StorageError> {
        let mut walk = self.walk(Kind::Manifests, LARGE);
        while let Some((key, record)) = walk.next().await? {
            let Some((repository, digest, manifest)) = sound(&key, &record) else {
                continue;
            };
            self.users_of(&repository, &digest, &manifest).await?;
            self.referrer_of(&repository, &digest, &manifest).await?;
        }
        self.flush().await
    }

    async fn users_of(
        &mut self,
        repository: &RepositoryName,
        digest: &Digest,
        manifest: &Manifest,
    ) -> Result<(), StorageError> {
        let records = &self.store.records;
        for blob in blobs(manifest) {
            let user = Key::user(repository, &blob.digest, digest);
            if records.get(&user).await?.is_none() {
                let fix = Batch::new().put(user.clone(), Bytes::new());
                self.found(DefectKind::UserMissing, &user, Some(fix))
                    .await?;
            }
            // Of an image some blobs may have been left out on purpose.
            let grant = Key::grant(repository, &blob.digest);
            if manifest.is_wasm() && !may_be_left_out(blob) && records.get(&grant).await?.is_none()
            {
                let name = format!("{} in {repository}@{digest}", blob.digest);
                self.found(DefectKind::ManifestIncomplete, &name, None)
                    .await?;
            }
        }
        Ok(())
    }

    async fn referrer_of(
        &mut self,
        repository: &RepositoryName,
        digest: &Digest,
        manifest: &Manifest,
    ) -> Result<(), StorageError> {
        let Some(subject) = manifest.subject() else {
            return Ok(());
        };
        let key = Key::referrer(repository, &subject.digest, digest);
        let expected = descriptor_of(manifest, digest);
        let found = self.store.records.get(&key).await?;
        let found = found.and_then(|found| decode::<Descriptor>(&key, &found).ok());
        if found.as_ref() != Some(&expected) {
            let fix = Batch::new().put(key.clone(), encode(&expected));
            self.found(DefectKind::ReferrerWrong, &key, Some(fix))
                .await?;
        }
        Ok(())
    }

    /// Nothing is derived from what is not there.
    pub(super) async fn users(&mut self) -> Result<(), StorageError> {
        let mut walk = self.walk(Kind::Users, SMALL);
        while let Some((key, _)) = walk.next().await? {
            self.report.records += 1;
            let is_used = match key.named() {
                Some(Named::User(repository, blob, digest)) => {
                    let manifest = self.manifest(&repository, &digest).await?;
                    let names = |manifest: &Manifest| {
                        blobs(manifest).iter().any(|named| named.digest == blob)
                    };
                    manifest.as_ref().is_some_and(names)
                }
                _ => false,
            };
            if !is_used {
                let fix = Batch::new().delete(key.clone());
                self.found(DefectKind::UserDangling, &key, Some(fix))
                    .await?;
            }
        }
        self.flush().await
    }

    /// Nothing is listed with a subject that is not about it.
    pub(super) async fn referrers(&mut self) -> Result<(), StorageError> {
        let mut walk = self.walk(Kind::Referrers, SMALL);
        while let Some((key, _)) = walk.next().await? {
            self.report.records += 1;
            let is_about = match key.named() {
                Some(Named::Referrer(repository, subject, digest)) => {
                    let manifest = self.manifest(&repository, &digest).await?;
                    let about = manifest.as_ref().and_then(Manifest::subject);
                    about.is_some_and(|about| about.digest == subject)
                }
                _ => false,
            };
            if !is_about {
                let fix = Batch::new().delete(key.clone());
                self.found(DefectKind::ReferrerDangling, &key, Some(fix))
                    .await?;
            }
        }
        self.flush().await
    }

    pub(super) async fn manifest(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Option<Manifest>, StorageError> {
        let key = Key::manifest(repository, digest);
        let record = self.store.records.get(&key).await?;
        let sound = record.and_then(|record| sound(&key, &record));
        Ok(sound.map(|(_, _, manifest)| manifest))
    }
}

impl<'a> Check<'a> {
    pub(super) fn walk(&self, kind: Kind, page: usize) -> Walk<'a> {
        Walk::new(&*self.store.records, Prefix::all(kind), page)
    }
}

/// A manifest that is what its name says.
fn sound(key: &Key, record: &Record) -> Option<(RepositoryName, Digest, Manifest)> {
    let Some(Named::Manifest(repository, digest)) = key.named() else {
        return None;
    };
    let stored = split(key, record).ok()?;
    digest.check(&stored.bytes).ok()?;
    let manifest = stored.parse().ok()?;
    Some((repository, digest, manifest))
}
