//! Where the lines of the audit log go.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use thiserror::Error;
use tracing::{error, info};

use super::AuditSettings;

/// A file, the log, and the last lines in memory.
#[derive(Debug)]
pub(crate) struct AuditLog {
    to: ArcSwap<Destination>,
    tail: Mutex<VecDeque<Arc<str>>>,
}

#[derive(Debug)]
struct Destination {
    file: Option<File>,
    settings: AuditSettings,
}

/// Why the audit log could not be opened.
#[derive(Debug, Error)]
#[error("failed to open the audit log `{}`", path.display())]
pub struct AuditError {
    path: PathBuf,
    source: io::Error,
}

/// An audit log that was opened, before it is used.
#[derive(Debug)]
pub(crate) struct OpenAudit(Destination);

impl OpenAudit {
    /// Opens the file to append to it, and makes it if it is not there.
    pub(crate) fn open(settings: &AuditSettings) -> Result<Self, AuditError> {
        let file = settings.file.as_deref().map(open).transpose()?;
        Ok(Self(Destination {
            file,
            settings: settings.clone(),
        }))
    }
}

impl Default for AuditLog {
    fn default() -> Self {
        Self {
            to: ArcSwap::from_pointee(Destination {
                file: None,
                settings: AuditSettings::default(),
            }),
            tail: Mutex::default(),
        }
    }
}

impl AuditLog {
    /// Writes there from now on.
    pub(crate) fn replace(&self, opened: OpenAudit) {
        self.to.store(Arc::new(opened.0));
    }

    /// The last lines, at most `count`, the oldest first.
    pub(crate) fn tail(&self, count: usize) -> Vec<Arc<str>> {
        let tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        let skip = tail.len().saturating_sub(count);
        tail.iter().skip(skip).cloned().collect()
    }

    /// Writes one line. It is with the system when this returns: there is nothing to flush.
    pub(super) fn write(&self, line: String) {
        let to = self.to.load();
        if to.settings.log {
            info!(target: "audit", "{line}");
        }
        if let Some(mut file) = to.file.as_ref() {
            // One call for one line: appended lines of several requests never mix.
            if let Err(error) = file.write_all(format!("{line}\n").as_bytes()) {
                error!(%error, line, "failed to write to the audit log");
            }
        }
        let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        tail.push_back(line.into());
        while tail.len() > to.settings.tail {
            tail.pop_front();
        }
    }
}

fn open(path: &Path) -> Result<File, AuditError> {
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.map_err(|source| AuditError {
        path: path.to_owned(),
        source,
    })
}
