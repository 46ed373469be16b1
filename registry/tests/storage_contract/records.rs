//! What every engine for records promises.

use std::sync::Arc;

use bytes::Bytes;
use tempfile::TempDir;
use wasmport_artifact::{RepositoryName, Tag};
use wasmport_registry::storage::{
    Batch, CommitError, Key, MemoryRecords, Prefix, Records, RedbRecords,
};

macro_rules! records_contract {
    ($engine:expr) => {
        contract!($engine =>
            what_was_put_can_be_read,
            a_batch_is_applied_in_whole,
            a_batch_whose_expectation_fails_changes_nothing,
            a_batch_can_depend_on_the_absence_of_a_record,
            a_record_is_created_once,
            a_change_needs_the_version_that_was_read,
            deleting_what_is_not_there_is_no_error,
            a_listing_is_in_order_and_goes_on_from_a_key,
            a_listing_stays_within_its_prefix,
            of_many_that_create_a_record_one_does,
            no_update_is_lost,
        );
    };
}

mod memory_records {
    records_contract!((None::<super::TempDir>, super::memory_records()));
}

mod redb_records {
    records_contract!(super::redb_records());
}

fn memory_records() -> Arc<dyn Records> {
    Arc::new(MemoryRecords::default())
}

fn redb_records() -> (TempDir, Arc<dyn Records>) {
    let directory = TempDir::new().unwrap();
    let records = RedbRecords::open(&directory.path().join("records.redb")).unwrap();
    (directory, Arc::new(records))
}

fn repository(name: &str) -> RepositoryName {
    name.parse().unwrap()
}

fn key(tag: &str) -> Key {
    let tag: Tag = tag.parse().unwrap();
    Key::tag(&repository("app"), &tag)
}

async fn value(records: &dyn Records, key: &Key) -> Option<Bytes> {
    records.get(key).await.unwrap().map(|record| record.value)
}

async fn what_was_put_can_be_read(records: Arc<dyn Records>) {
    assert_eq!(records.get(&key("a")).await.unwrap(), None);
    for text in ["one", "", "two"] {
        records
            .commit(Batch::new().put(key("a"), text))
            .await
            .unwrap();
        assert_eq!(value(&*records, &key("a")).await.unwrap(), text);
    }
}

async fn a_batch_is_applied_in_whole(records: Arc<dyn Records>) {
    records
        .commit(Batch::new().put(key("old"), "x"))
        .await
        .unwrap();
    let batch = Batch::new()
        .put(key("a"), "1")
        .put_if_absent(key("b"), "2")
        .delete(key("old"));
    records.commit(batch).await.unwrap();
    assert_eq!(value(&*records, &key("a")).await.unwrap(), "1");
    assert_eq!(value(&*records, &key("b")).await.unwrap(), "2");
    assert_eq!(value(&*records, &key("old")).await, None);
}

async fn a_batch_whose_expectation_fails_changes_nothing(records: Arc<dyn Records>) {
    records
        .commit(Batch::new().put(key("there"), "x"))
        .await
        .unwrap();
    let batch = Batch::new()
        .put(key("before"), "1")
        .put_if_absent(key("there"), "2")
        .delete(key("there"));
    let error = records.commit(batch).await.unwrap_err();
    assert!(matches!(error, CommitError::Changed(changed) if changed == key("there")));
    assert_eq!(value(&*records, &key("before")).await, None);
    assert_eq!(value(&*records, &key("there")).await.unwrap(), "x");
}

async fn a_batch_can_depend_on_the_absence_of_a_record(records: Arc<dyn Records>) {
    let write = |value: &'static str| Batch::new().only_without(key("a")).put(key("b"), value);
    records.commit(write("1")).await.unwrap();
    assert_eq!(value(&*records, &key("a")).await, None);
    records
        .commit(Batch::new().put(key("a"), "x"))
        .await
        .unwrap();
    let refused = records.commit(write("2")).await;
    assert!(matches!(refused, Err(CommitError::Changed(changed)) if changed == key("a")));
    assert_eq!(value(&*records, &key("a")).await.unwrap(), "x");
    assert_eq!(value(&*records, &key("b")).await.unwrap(), "1");
}

async fn a_record_is_created_once(records: Arc<dyn Records>) {
    let create = |text: &'static str| records.commit(Batch::new().put_if_absent(key("a"), text));
    create("first").await.unwrap();
    assert!(matches!(
        create("second").await,
        Err(CommitError::Changed(_))
    ));
    assert_eq!(value(&*records, &key("a")).await.unwrap(), "first");
}

async fn a_change_needs_the_version_that_was_read(records: Arc<dyn Records>) {
    records
        .commit(Batch::new().put(key("a"), "1"))
        .await
        .unwrap();
    let read = records.get(&key("a")).await.unwrap().unwrap();
    let update = Batch::new().put_if_unchanged(key("a"), read.version.clone(), "2");
    records.commit(update).await.unwrap();
    let stale = Batch::new().put_if_unchanged(key("a"), read.version.clone(), "3");
    assert!(matches!(
        records.commit(stale).await,
        Err(CommitError::Changed(_))
    ));
    let stale = Batch::new().delete_if_unchanged(key("a"), read.version.clone());
    assert!(matches!(
        records.commit(stale).await,
        Err(CommitError::Changed(_))
    ));
    let gone = Batch::new().put_if_unchanged(key("never"), read.version, "3");
    assert!(matches!(
        records.commit(gone).await,
        Err(CommitError::Changed(_))
    ));
    assert_eq!(value(&*records, &key("a")).await.unwrap(), "2");
}

async fn deleting_what_is_not_there_is_no_error(records: Arc<dyn Records>) {
    records.commit(Batch::new().delete(key("a"))).await.unwrap();
}

async fn a_listing_is_in_order_and_goes_on_from_a_key(records: Arc<dyn Records>) {
    for tag in ["c", "a", "B", "b", "1"] {
        records
            .commit(Batch::new().put(key(tag), tag.to_owned()))
            .await
            .unwrap();
    }
    let prefix = Prefix::tags(&repository("app"));
    let list = async |after: Option<&Key>, limit| -> Vec<String> {
        let found = records.list(&prefix, after, limit).await.unwrap();
        let text = |record: Bytes| String::from_utf8(record.to_vec()).unwrap();
        found
            .into_iter()
            .map(|(_, record)| text(record.value))
            .collect()
    };
    assert_eq!(list(None, 10).await, ["1", "B", "a", "b", "c"]);
    assert_eq!(list(None, 2).await, ["1", "B"]);
    assert_eq!(list(Some(&key("B")), 2).await, ["a", "b"]);
    assert_eq!(list(Some(&key("aa")), 10).await, ["b", "c"]);
    assert_eq!(list(Some(&key("c")), 10).await, Vec::<String>::new());
    assert_eq!(list(None, 0).await, Vec::<String>::new());
}

async fn a_listing_stays_within_its_prefix(records: Arc<dyn Records>) {
    let tag: Tag = "a".parse().unwrap();
    for name in ["ap", "app", "app/x", "apple", "b"] {
        let key = Key::tag(&repository(name), &tag);
        records.commit(Batch::new().put(key, "x")).await.unwrap();
    }
    let prefix = Prefix::tags(&repository("app"));
    let found = records.list(&prefix, None, 10).await.unwrap();
    let keys: Vec<_> = found.into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, [key("a")]);
    let before = Key::tag(&repository("a"), &tag);
    assert_eq!(
        records
            .list(&prefix, Some(&before), 10)
            .await
            .unwrap()
            .len(),
        1
    );
}

async fn of_many_that_create_a_record_one_does(records: Arc<dyn Records>) {
    let creators = (0..16).map(|number| {
        let records = Arc::clone(&records);
        let batch = Batch::new().put_if_absent(key("a"), number.to_string());
        tokio::spawn(async move { records.commit(batch).await.is_ok() })
    });
    let created = futures_util::future::join_all(creators).await;
    assert_eq!(
        created
            .into_iter()
            .filter(|done| *done.as_ref().unwrap())
            .count(),
        1
    );
}

async fn no_update_is_lost(records: Arc<dyn Records>) {
    records
        .commit(Batch::new().put(key("a"), "0"))
        .await
        .unwrap();
    let counters = (0..8).map(|_| {
        let records = Arc::clone(&records);
        tokio::spawn(async move { while !count(&*records).await {} })
    });
    for counter in futures_util::future::join_all(counters).await {
        counter.unwrap();
    }
    assert_eq!(value(&*records, &key("a")).await.unwrap(), "8");
}

/// Adds one, unless somebody else does at the same time.
async fn count(records: &dyn Records) -> bool {
    let record = records.get(&key("a")).await.unwrap().unwrap();
    let number: u32 = std::str::from_utf8(&record.value).unwrap().parse().unwrap();
    let next = (number + 1).to_string();
    let batch = Batch::new().put_if_unchanged(key("a"), record.version, next);
    records.commit(batch).await.is_ok()
}

#[tokio::test]
async fn records_on_disk_survive_the_engine() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("records.redb");
    let records = RedbRecords::open(&path).unwrap();
    records
        .commit(Batch::new().put(key("a"), "1"))
        .await
        .unwrap();
    drop(records);
    let records = RedbRecords::open(&path).unwrap();
    assert_eq!(value(&records, &key("a")).await.unwrap(), "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_that_come_together_share_a_transaction() {
    const COMMITS: usize = 400;
    let directory = TempDir::new().unwrap();
    let records = RedbRecords::open(&directory.path().join("records.redb")).unwrap();
    let commits = (0..COMMITS).map(|number| {
        let records = records.clone();
        let batch = Batch::new().put_if_absent(key(&format!("t{number}")), "x");
        tokio::spawn(async move { records.commit(batch).await })
    });
    for commit in futures_util::future::join_all(commits).await {
        commit.unwrap().unwrap();
    }
    let counts = records.commit_counts();
    assert_eq!(counts.batches, COMMITS as u64);
    assert!(counts.transactions * 10 <= counts.batches, "{counts:?}");
}

#[tokio::test]
async fn of_batches_in_one_transaction_each_is_applied_or_refused_on_its_own() {
    let (_directory, records) = redb_records();
    // Nothing is awaited between them, so that they wait together.
    let commits = (0..32).map(|number| {
        let own = key(&format!("own{number}"));
        let batch = Batch::new().put_if_absent(key(&format!("shared{}", number / 2)), "x");
        records.commit(batch.put(own, "x"))
    });
    let commits = futures_util::future::join_all(commits).await;
    for (number, commit) in commits.iter().enumerate() {
        assert_eq!(commit.is_ok(), number % 2 == 0, "{number}: {commit:?}");
        let own = value(&*records, &key(&format!("own{number}"))).await;
        assert_eq!(own.is_some(), commit.is_ok(), "{number}");
    }
}

#[tokio::test]
async fn what_waits_when_the_engine_is_dropped_is_written() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("records.redb");
    let records = RedbRecords::open(&path).unwrap();
    for number in 0..50 {
        let batch = Batch::new().put(key(&format!("t{number}")), "x");
        // Polled once, which puts it in the queue, and given up.
        let _ = futures_util::FutureExt::now_or_never(records.commit(batch));
    }
    drop(records);
    let records = RedbRecords::open(&path).unwrap();
    let found = records.list(&Prefix::tags(&repository("app")), None, 100);
    assert_eq!(found.await.unwrap().len(), 50);
}
