//! Exceptions: what some artifacts may import for a while, although their rule refuses it.

use std::collections::BTreeSet;

use jiff::Span;
use jiff::civil::Date;
use wasmport_artifact::{Digest, RepositoryName};

use crate::policy::entry::Allow;
use crate::policy::placed::Placed;
use crate::policy::repositories::RepositoryPattern;

/// How long before its end it is warned of: enough for a release, or for a new exception.
const WARNING_DAYS: i32 = 30;

/// What some artifacts may import for a while.
#[derive(Clone, Debug)]
pub(crate) struct Exception {
    pub(crate) repositories: Vec<Placed<RepositoryPattern>>,
    /// None for every artifact of the repositories.
    pub(crate) digests: Option<BTreeSet<Digest>>,
    pub(crate) allow: Allow,
    pub(crate) reason: String,
    /// The last day, in UTC.
    pub(crate) expires: Placed<Date>,
}

impl Exception {
    /// What exceptions are ordered by.
    pub(crate) fn key(&self) -> (Date, &str) {
        (self.expires.value, &self.reason)
    }

    /// Whether it is for this artifact, on any day.
    pub(crate) fn is_for(&self, repository: &RepositoryName, digest: &Digest) -> bool {
        let digests = self.digests.as_ref();
        digests.is_none_or(|digests| digests.contains(digest))
            && self
                .repositories
                .iter()
                .any(|pattern| pattern.value.matches(repository))
    }

    /// The first day on which decisions warn that it will end.
    pub(crate) fn warns_from(&self) -> Date {
        warns_from(self.expires.value)
    }

    /// Whether it holds on this day: on the last one it still does.
    pub(crate) fn holds(&self, today: Date) -> bool {
        today <= self.expires.value
    }
}

/// The first day on which it is warned of that something ends with `last`.
pub(crate) fn warns_from(last: Date) -> Date {
    let ahead = last.checked_sub(Span::new().days(WARNING_DAYS));
    ahead.unwrap_or(Date::MIN)
}
