//! The audit log: one structured event, target `audit`, for every push and every refusal.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tracing::info;
use wasmport_artifact::{Digest, RepositoryName, Selector, Tag};
use wasmport_policies::Decision;

/// `[audit]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct AuditSettings {
    /// A file that lines are appended to; it is opened anew at SIGHUP. Default: none.
    pub file: Option<PathBuf>,
    /// Write the lines to the log as well. Default `true`.
    pub log: bool,
    /// How many lines are kept in memory for the admin API. Default 1000.
    pub tail: usize,
}

impl AuditSettings {
    /// Makes the path relative to `directory` one that can be opened from here.
    pub(crate) fn resolve(&mut self, directory: &Path) {
        if let Some(file) = &mut self.file {
            crate::settings::resolve(file, directory);
        }
    }
}

impl Default for AuditSettings {
    fn default() -> Self {
        Self {
            file: None,
            log: true,
            tail: 1000,
        }
    }
}

/// Somebody pushed a manifest, and this was decided.
pub(crate) fn push(
    repository: &RepositoryName,
    reference: &Selector,
    digest: &Digest,
    decision: &Decision,
) {
    let (verdict, codes) = (decision.verdict, codes(decision));
    info!(target: "audit", action = "push", %repository, %reference, %digest, %verdict, %codes);
}

/// A held manifest was admitted later, and its tag moved.
pub(crate) fn settled(
    repository: &RepositoryName,
    tag: &Tag,
    digest: &Digest,
    decision: &Decision,
) {
    let (verdict, codes) = (decision.verdict, codes(decision));
    info!(target: "audit", action = "settle", %repository, reference = %tag, %digest, %verdict, %codes);
}

/// Somebody deleted a tag, a manifest or a blob.
pub(crate) fn deleted(repository: &RepositoryName, reference: &dyn std::fmt::Display) {
    info!(target: "audit", action = "delete", %repository, %reference);
}

/// Somebody asked for what today's policy does not let out.
pub(crate) fn pull_refused(
    repository: &RepositoryName,
    reference: &dyn std::fmt::Display,
    digest: &Digest,
    decision: &Decision,
) {
    let (verdict, codes) = (decision.verdict, codes(decision));
    info!(target: "audit", action = "pull", %repository, %reference, %digest, %verdict, %codes);
}

/// The codes of the findings, each once.
fn codes(decision: &Decision) -> String {
    let mut codes: Vec<&str> = Vec::new();
    for finding in &decision.findings {
        if !codes.contains(&finding.code.as_str()) {
            codes.push(finding.code.as_str());
        }
    }
    codes.join(",")
}
