//! The registry that is loaded, and names that nobody used there before.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};

use crate::Options;

/// Where requests go.
#[derive(Debug)]
pub(crate) struct Target {
    /// Host and port.
    pub(crate) authority: String,
    pub(crate) authorization: Option<String>,
    repository: String,
    /// Another one in each run.
    run: u64,
    next: AtomicU64,
}

impl Target {
    pub(crate) fn new(options: &Options) -> anyhow::Result<Self> {
        let authority = options.url.strip_prefix("http://");
        let authority = authority.context("the address must begin with `http://`")?;
        let authority = authority.trim_end_matches('/');
        if authority.contains('/') {
            bail!("the address `{}` has a path", options.url);
        }
        let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
        Ok(Self {
            authority: authority.to_owned(),
            authorization: options.authorization.clone(),
            repository: options.repository.clone(),
            run: u64::try_from(since.as_micros())?,
            next: AtomicU64::new(0),
        })
    }

    /// A number that this run has not had, and no run before it.
    pub(crate) fn number(&self) -> u128 {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        (u128::from(self.run) << 64) | u128::from(next)
    }

    /// The name of a repository that is not there yet.
    pub(crate) fn repository(&self) -> String {
        format!("{}/{:x}", self.repository, self.number())
    }
}
