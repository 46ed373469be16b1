//! The audit log: one structured event, target `audit`, for every push and every refusal.

use tracing::info;
use wasmport_artifact::{Digest, RepositoryName, Selector, Tag};
use wasmport_policies::Decision;

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
