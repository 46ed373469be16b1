//! The check of a store: each kind of damage is made by hand, found, and repaired, and then a
//! second run finds nothing but what nobody can repair.

use std::fs;
use std::sync::Arc;

use tempfile::TempDir;
use wasmport_artifact::{Descriptor, Digest, RepositoryName, Tag};
use wasmport_registry::storage::{Batch, DefectKind, Fsck, Key, Records, Store};

use crate::artifact::{Artifact, hello};
use crate::registry::{Registry, files};

/// A store with a component, its tag, and a referrer.
struct Fixture {
    store: Store,
    records: Arc<dyn Records>,
    app: RepositoryName,
    subject: Artifact,
    referrer: Artifact,
}

impl Fixture {
    async fn new() -> Self {
        let store = Store::in_memory();
        store.upgrade().await.unwrap();
        let registry = Registry::over_store(store.clone()).await;
        let subject = hello();
        registry.push("app", "1.0", &subject).await;
        let kind = Some("application/vnd.test");
        let referrer = Artifact::other(b"about", Some(subject.descriptor()), kind);
        let answer = registry
            .push("app", referrer.digest().as_str(), &referrer)
            .await;
        assert_eq!(answer.status, 201);
        Self {
            records: store.engines().0,
            store,
            app: "app".parse().unwrap(),
            subject,
            referrer,
        }
    }

    fn layer(&self) -> Digest {
        Digest::of(self.subject.layer())
    }

    async fn write(&self, batch: Batch) {
        self.records.commit(batch).await.unwrap();
    }

    async fn value(&self, key: &Key) -> Vec<u8> {
        self.records.get(key).await.unwrap().unwrap().value.to_vec()
    }

    /// What `damage` does is found, repaired, and not found again, but for `left`.
    async fn check(self, damage: Batch, expected: &[DefectKind], left: &[DefectKind]) -> TempDir {
        let quarantine = TempDir::new().unwrap();
        assert_eq!(kinds(&self.store.fsck(None).await.unwrap()), []);
        self.write(damage).await;
        let found = self.store.fsck(None).await.unwrap();
        for kind in expected {
            assert!(kinds(&found).contains(kind), "{kind:?} in {found:?}");
        }
        assert_eq!(found.left(), found.found);
        let repair = quarantine.path().join("quarantine");
        let repaired = self.store.fsck(Some(&repair)).await.unwrap();
        assert_eq!(repaired.left(), left.len() as u64, "{repaired:?}");
        let again = self.store.fsck(None).await.unwrap();
        assert_eq!(kinds(&again), left, "{again:?}");
        quarantine
    }
}

fn kinds(of: &Fsck) -> Vec<DefectKind> {
    of.defects.iter().map(|defect| defect.kind).collect()
}

use DefectKind as K;

#[tokio::test]
async fn a_store_of_an_older_version_is_brought_up_to_date() {
    let it = Fixture::new().await;
    let damage = Batch::new()
        .delete(Key::format())
        .delete(Key::holder(&it.layer(), &it.app));
    let expected = [K::OldFormat, K::HolderMissing];
    it.check(damage, &expected, &[]).await;
}

#[tokio::test]
async fn a_small_blob_that_rotted_is_put_aside() {
    let it = Fixture::new().await;
    let layer = it.layer();
    let damage = Batch::new().put(Key::bytes(&layer), "rotten");
    let left = [K::ManifestIncomplete];
    let quarantine = it.check(damage, &[K::BlobCorrupted], &left).await;
    let name = layer.as_str().replace(':', "-");
    let kept = fs::read(quarantine.path().join("quarantine").join(name)).unwrap();
    assert_eq!(kept, b"rotten");
}

#[tokio::test]
async fn a_blob_without_measures_gets_them_and_measures_without_a_blob_go() {
    let it = Fixture::new().await;
    let damage = Batch::new().delete(Key::small_blob(&it.layer())).put(
        Key::small_blob(&Digest::of(b"never")),
        r#"{"size":5,"published":0}"#,
    );
    it.check(damage, &[K::BlobMeasures], &[]).await;
}

#[tokio::test]
async fn a_blob_that_is_gone_can_be_pushed_again() {
    let it = Fixture::new().await;
    let (store, layer) = (it.store.clone(), it.subject.layer().to_vec());
    let damage = Batch::new()
        .delete(Key::small_blob(&it.layer()))
        .delete(Key::bytes(&it.layer()));
    it.check(damage, &[K::BlobMissing], &[K::ManifestIncomplete])
        .await;
    Registry::over_store(store.clone())
        .await
        .push_blob("app", &layer)
        .await;
    assert_eq!(kinds(&store.fsck(None).await.unwrap()), []);
}

#[tokio::test]
async fn grants_and_holders_agree() {
    for (damage, expected) in [
        (
            (|it, layer| Batch::new().put(Key::grant(it, layer), r#"{"size":1,"since":7}"#))
                as fn(&RepositoryName, &Digest) -> Batch,
            K::GrantWrong,
        ),
        (
            |it, layer| Batch::new().put(Key::grant(it, layer), "no json"),
            K::GrantWrong,
        ),
        (
            |it, layer| Batch::new().delete(Key::holder(layer, it)),
            K::HolderMissing,
        ),
        (
            |_, layer| Batch::new().put(Key::holder(layer, &"other".parse().unwrap()), ""),
            K::HolderDangling,
        ),
    ] {
        let it = Fixture::new().await;
        let damage = damage(&it.app, &it.layer());
        it.check(damage, &[expected], &[]).await;
    }
}

#[tokio::test]
async fn what_is_derived_from_manifests_is_derived_anew() {
    let (other, never) = (Digest::of(b"other"), Digest::of(b"never"));
    let it = Fixture::new().await;
    let user = Key::user(&it.app, &it.layer(), &it.subject.digest());
    it.check(Batch::new().delete(user), &[K::UserMissing], &[])
        .await;
    let it = Fixture::new().await;
    let user = Key::user(&it.app, &it.layer(), &never);
    it.check(Batch::new().put(user, ""), &[K::UserDangling], &[])
        .await;
    let it = Fixture::new().await;
    let referrer = Key::referrer(&it.app, &it.subject.digest(), &it.referrer.digest());
    let damage = Batch::new().delete(referrer.clone());
    it.check(damage, &[K::ReferrerWrong], &[]).await;
    let it = Fixture::new().await;
    let wrong = Descriptor::new("text/plain", it.referrer.digest(), 1);
    let damage = Batch::new().put(referrer, serde_json::to_vec(&wrong).unwrap());
    it.check(damage, &[K::ReferrerWrong], &[]).await;
    let it = Fixture::new().await;
    let dangling = Key::referrer(&it.app, &other, &it.referrer.digest());
    it.check(
        Batch::new().put(dangling, "{}"),
        &[K::ReferrerDangling],
        &[],
    )
    .await;
}

#[tokio::test]
async fn a_manifest_that_rotted_is_put_aside_with_what_pointed_to_it() {
    let it = Fixture::new().await;
    let key = Key::manifest(&it.app, &it.subject.digest());
    let mut bytes = it.value(&key).await;
    *bytes.last_mut().unwrap() = b' ';
    let expected = [K::ManifestCorrupted, K::TagDangling, K::UserDangling];
    it.check(Batch::new().put(key, bytes), &expected, &[]).await;
    let it = Fixture::new().await;
    let key = Key::manifest(&it.app, &it.subject.digest());
    it.check(Batch::new().put(key, "no head"), &expected, &[])
        .await;
}

#[tokio::test]
async fn tags_and_wishes_that_lead_nowhere_are_put_aside() {
    let tag: Tag = "2.0".parse().unwrap();
    let nowhere = format!(r#"{{"digest":"{}","moved":1,"turn":1}}"#, Digest::of(b"x"));
    let wish = format!(r#"{{"digest":"{}","since":1}}"#, Digest::of(b"x"));
    for (key, value, expected) in [
        (
            Key::tag as fn(&RepositoryName, &Tag) -> Key,
            nowhere,
            K::TagDangling,
        ),
        (Key::tag, "no json".to_owned(), K::TagUnreadable),
        (Key::pending, wish, K::WishDangling),
        (Key::pending, "no json".to_owned(), K::WishDangling),
    ] {
        let it = Fixture::new().await;
        let damage = Batch::new().put(key(&it.app, &tag), value);
        it.check(damage, &[expected], &[]).await;
    }
}

#[tokio::test]
async fn a_file_that_rotted_is_moved_to_quarantine() {
    let registry = Registry::start().await;
    let layer: Vec<u8> = (0..1_000_000_u32).map(|at| (at % 251) as u8).collect();
    let artifact = Artifact::other(&layer, None, None);
    registry.push("app", "1.0", &artifact).await;
    let directory = registry.store();
    let (directory, _keep) = (directory, registry.stop_and_keep().await);
    let hex = Digest::of(&layer).hex().to_owned();
    let file = files(&directory)
        .into_iter()
        .find(|file| file.ends_with(&hex))
        .unwrap();
    let mut bytes = layer.clone();
    bytes[500_000] ^= 1;
    fs::write(&file, &bytes).unwrap();
    let store = Store::open(&directory).unwrap();
    let quarantine = directory.join("quarantine");
    let found = store.fsck(None).await.unwrap();
    assert_eq!(kinds(&found), [K::BlobCorrupted]);
    assert_eq!(found.manifests, 1);
    let repaired = store.fsck(Some(&quarantine)).await.unwrap();
    assert_eq!(kinds(&repaired), [K::BlobCorrupted, K::BlobMissing]);
    let kept = fs::read(quarantine.join(format!("sha256-{hex}"))).unwrap();
    assert_eq!(kept, bytes);
    assert!(!file.exists());
    assert_eq!(kinds(&store.fsck(None).await.unwrap()), []);
}

#[tokio::test]
async fn of_a_blob_that_is_there_twice_only_the_rotten_copy_goes() {
    for (record_rots, file_rots) in [(true, false), (false, true), (true, true)] {
        let registry = Registry::start().await;
        let layer: Vec<u8> = (0..100_000_u32).map(|at| (at % 251) as u8).collect();
        let digest = Digest::of(&layer);
        let artifact = Artifact::other(&layer, None, None);
        registry.push("app", "1.0", &artifact).await;
        let directory = registry.store();
        let (directory, _keep) = (directory, registry.stop_and_keep().await);
        let mut rotten = layer.clone();
        rotten[50_000] ^= 1;
        if file_rots {
            let mut all = files(&directory).into_iter();
            let file = all.find(|file| file.ends_with(digest.hex())).unwrap();
            fs::write(&file, &rotten).unwrap();
        }
        let store = Store::open(&directory).unwrap();
        // Another bit, so that both copies can be told apart in quarantine.
        let mut record = layer.clone();
        record[10] ^= u8::from(record_rots);
        let measures = r#"{"size":100000,"published":0}"#;
        let batch = Batch::new()
            .put(Key::bytes(&digest), record.clone())
            .put(Key::small_blob(&digest), measures);
        store.engines().0.commit(batch).await.unwrap();
        let quarantine = directory.join("quarantine");
        let repaired = store.fsck(Some(&quarantine)).await.unwrap();
        let name = format!("sha256-{}", digest.hex());
        if record_rots && file_rots {
            let corrupted = [K::BlobCorrupted, K::BlobCorrupted, K::BlobMissing];
            assert_eq!(kinds(&repaired), corrupted);
            assert_eq!(fs::read(quarantine.join(&name)).unwrap(), record);
            let second = quarantine.join(format!("{name}-2"));
            assert_eq!(fs::read(second).unwrap(), rotten);
        } else {
            assert_eq!(kinds(&repaired), [K::BlobCorrupted]);
            let kept = if record_rots { record } else { rotten };
            assert_eq!(fs::read(quarantine.join(&name)).unwrap(), kept);
            let registry = Registry::over_store(store.clone()).await;
            let path = format!("/v2/app/blobs/{digest}");
            let answer = registry.send("GET", &path, "").await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.body, layer);
        }
        assert_eq!(kinds(&store.fsck(None).await.unwrap()), []);
    }
}
