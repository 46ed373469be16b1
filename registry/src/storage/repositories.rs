//! Which repositories there are: those that have a manifest.

use wasmport_artifact::RepositoryName;

use super::error::StorageError;
use super::keys::{Key, Prefix};
use super::store::Store;

impl Store {
    /// The next repository with a manifest after the one named `last`, which need not be one, in
    /// the order of the names' bytes.
    ///
    /// The records have another order, since a colon ends each name in them: `a-b:` comes before
    /// `a:`. But who comes too early there has the other's name as its beginning. So the first
    /// record behind `last` names the next repository, or one that goes on with its name.
    pub(crate) async fn repository_after(
        &self,
        last: Option<&str>,
    ) -> Result<Option<RepositoryName>, StorageError> {
        let last = last.unwrap_or_default();
        let mut after = Key::manifests_from(last);
        let found = loop {
            let page = self
                .records
                .list(&Prefix::all_manifests(), Some(&after), 1)
                .await?;
            let Some((key, _)) = page.first() else {
                return Ok(None);
            };
            match key.manifest_repository() {
                Some(name) if name.as_str() > last => break name,
                Some(earlier) => after = Prefix::manifests(&earlier).end(),
                None => after = key.clone(),
            }
        };
        for shorter in beginnings(&found, last) {
            if self.has_manifests(&shorter).await? {
                return Ok(Some(shorter));
            }
        }
        Ok(Some(found))
    }

    /// True when something was ever stored in `repository`.
    pub(crate) async fn has_repository(
        &self,
        repository: &RepositoryName,
    ) -> Result<bool, StorageError> {
        if self.has_manifests(repository).await? {
            return Ok(true);
        }
        let grants = self.records.list(&Prefix::grants(repository), None, 1);
        Ok(!grants.await?.is_empty())
    }

    async fn has_manifests(&self, repository: &RepositoryName) -> Result<bool, StorageError> {
        let manifests = self.records.list(&Prefix::manifests(repository), None, 1);
        Ok(!manifests.await?.is_empty())
    }
}

/// The names after `last` that `name` goes on with, the shortest first, as far as their records
/// come after those of `name`: what follows them in it is less than a colon.
fn beginnings(name: &RepositoryName, last: &str) -> impl Iterator<Item = RepositoryName> {
    let text = name.as_str();
    let ends = text.bytes().enumerate().skip(1);
    let ends = ends.filter(|(_, next)| *next < b':').map(|(end, _)| end);
    let beginnings = ends.filter_map(move |end| text.get(..end));
    beginnings
        .filter(move |text| *text > last)
        .filter_map(|text| text.parse().ok())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use futures_util::FutureExt;
    use proptest::prelude::*;
    use wasmport_artifact::Digest;

    use super::*;
    use crate::storage::records::Batch;

    /// Names that begin with each other, and go on with what is less and more than a colon.
    fn name() -> impl Strategy<Value = String> {
        proptest::string::string_regex("[a0]{1,2}([-./_][a0b]{1,2}){0,3}").unwrap()
    }

    proptest! {
        #[test]
        fn repositories_come_in_the_order_of_their_names_from_anywhere(
            names in proptest::collection::btree_set(name(), 0..12),
            from in proptest::option::of("[-./_:;a0b]{0,5}"),
        ) {
            let store = Store::in_memory();
            let mut batch = Batch::new();
            for name in &names {
                let name: RepositoryName = name.parse().unwrap();
                for content in ["1", "2"] {
                    let digest = Digest::of(content.as_bytes());
                    batch = batch.put(Key::manifest(&name, &digest), content);
                }
            }
            store.commit_now(batch);
            let mut last = from.clone();
            let mut found = Vec::new();
            while let Some(name) = store.repository_after(last.as_deref()).now_or_never().unwrap().unwrap() {
                found.push(name.to_string());
                last = Some(name.to_string());
            }
            let expected: BTreeSet<_> =
                names.into_iter().filter(|name| Some(name) > from.as_ref()).collect();
            prop_assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
        }
    }

    impl Store {
        fn commit_now(&self, batch: Batch) {
            self.records.commit(batch).now_or_never().unwrap().unwrap();
        }
    }
}
