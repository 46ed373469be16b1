//! Walking over all records of a kind, a page at a time.

use std::collections::VecDeque;

use super::error::StorageError;
use super::keys::{Key, Prefix};
use super::records::{Record, Records};

/// How many small records a walk has in memory.
pub(super) const SMALL: usize = 512;

/// How many manifests a walk has in memory; each can be a few megabytes large.
pub(super) const LARGE: usize = 16;

/// A walk. What is written behind it meanwhile is not seen, and what is written before it is.
pub(super) struct Walk<'a> {
    records: &'a dyn Records,
    prefix: Prefix,
    after: Option<Key>,
    page: VecDeque<(Key, Record)>,
    page_size: usize,
    is_done: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn new(records: &'a dyn Records, prefix: Prefix, page_size: usize) -> Self {
        Self {
            records,
            prefix,
            after: None,
            page: VecDeque::new(),
            page_size,
            is_done: false,
        }
    }

    /// The next record, which stays the next one.
    pub(super) async fn peek(&mut self) -> Result<Option<&(Key, Record)>, StorageError> {
        if self.page.is_empty() && !self.is_done {
            let after = self.after.as_ref();
            let page = self
                .records
                .list(&self.prefix, after, self.page_size)
                .await?;
            self.is_done = page.len() < self.page_size;
            if let Some((last, _)) = page.last() {
                self.after = Some(last.clone());
            }
            self.page = page.into();
        }
        Ok(self.page.front())
    }

    /// The next record.
    pub(super) async fn next(&mut self) -> Result<Option<(Key, Record)>, StorageError> {
        self.peek().await?;
        Ok(self.page.pop_front())
    }

    /// Goes on after `key`.
    pub(super) fn skip_to(&mut self, key: Key) {
        self.page.clear();
        self.is_done = false;
        self.after = Some(key);
    }

    /// True when a record whose name goes on after `stem` and a colon counts. Stems must be
    /// asked for in the order of the names: two walks are then one pass over both.
    pub(super) async fn any_under(
        &mut self,
        stem: &str,
        mut counts: impl FnMut(&Key) -> bool,
    ) -> Result<bool, StorageError> {
        let below = format!("{stem}:");
        while let Some((key, _)) = self.peek().await? {
            if key.rest().starts_with(&below) {
                if counts(key) {
                    return Ok(true);
                }
            } else if key.rest() > below.as_str() {
                return Ok(false);
            }
            self.page.pop_front();
        }
        Ok(false)
    }
}
