use futures_util::future::{BoxFuture, FutureExt};
use wasmport_artifact::Digest;

use super::*;
use crate::storage::grants::grant;
use crate::storage::keys::Key;
use crate::storage::memory::MemoryRecords;
use crate::storage::records::{Batch, CommitError, Record, Records};

/// Records that get a blob of a push whenever a count is done with the blobs.
#[derive(Debug, Default)]
struct Meanwhile {
    records: MemoryRecords,
    pushes: Mutex<Vec<(Reservation, Batch)>>,
}

impl Records for Meanwhile {
    fn get(&self, key: &Key) -> BoxFuture<'_, Result<Option<Record>, StorageError>> {
        self.records.get(key)
    }

    fn list(
        &self,
        prefix: &Prefix,
        after: Option<&Key>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<(Key, Record)>, StorageError>> {
        let listed = self.records.list(prefix, after, limit);
        let is_between =
            *prefix.as_str() == *Prefix::within(Kind::Manifests, &repository()).as_str();
        let push = is_between.then(|| lock(&self.pushes).pop()).flatten();
        async move {
            if let Some((room, batch)) = push {
                self.records.commit(batch).await.unwrap();
                room.used();
            }
            listed.await
        }
        .boxed()
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), CommitError>> {
        self.records.commit(batch)
    }
}

fn repository() -> RepositoryName {
    "team/app".parse().unwrap()
}

#[tokio::test]
async fn what_is_written_during_a_count_is_not_lost() {
    // Once, so that the second count is undisturbed; and during every count.
    for pushes in [1, ATTEMPTS as u64] {
        let records = Arc::new(Meanwhile::default());
        let (_, blobs) = Store::in_memory().engines();
        let store = Store::new(Arc::clone(&records) as Arc<dyn Records>, blobs);
        let quota = QuotaSettings {
            bytes: Some(ByteSize(10_000)),
            artifacts: None,
        };
        let count = store.quotas.count(&repository());
        for number in 0..pushes {
            let size = Usage {
                bytes: 1000,
                artifacts: 0,
            };
            take(&count, quota, &repository(), size).unwrap();
            let written = Grant {
                size: 1000,
                since: 0,
            };
            let digest = Digest::of(&number.to_be_bytes());
            let batch = grant(Batch::new(), &repository(), &digest, &written);
            let room = Reservation(Some((Arc::clone(&count), size)));
            lock(&records.pushes).push((room, batch));
        }
        store.recount(&repository(), &count).await.unwrap();
        assert!(lock(&records.pushes).is_empty());
        let held = store.usage(&repository()).await.unwrap();
        assert_eq!(held.bytes, pushes * 1000);
        assert_eq!(lock(&count).used, Some(held));
    }
}
