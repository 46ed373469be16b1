//! Permits to enter the store, which only admission can write out.

use std::collections::BTreeSet;
use std::sync::Arc;

use wasmport_artifact::{Digest, Manifest, RepositoryName, Tag};
use wasmport_policies::Content;

use super::Decided;
use super::previous::Comparison;
use crate::storage::{Compared, DecisionRecord, TagTerms};

/// A manifest and everything that was found out about it.
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    pub(super) repository: RepositoryName,
    pub(super) tags: Vec<TagTerms>,
    pub(super) digest: Digest,
    pub(super) manifest: Manifest,
    pub(super) content: Content,
    /// All that could be found out was: every layer was there to be looked at.
    pub(super) is_whole: bool,
    /// Blobs of it were not in the repository, and need not be.
    pub(super) is_sparse: bool,
    /// Its tags, each with a version that it is compared with. There is always one.
    pub(super) comparisons: Vec<Comparison>,
    /// Who pushed it, when that is known.
    pub(super) pushed_by: Option<String>,
    /// What is decided on it, once it is.
    pub(super) decided: Option<Arc<Decided>>,
}

/// A manifest that the policy admits, in its repository and under its tag.
#[derive(Clone, Debug)]
pub(crate) struct AdmittedManifest(Judged);

/// A manifest that waits for a signature.
#[derive(Clone, Debug)]
pub(crate) struct HeldManifest(Judged);

impl Judged {
    pub(crate) fn repository(&self) -> &RepositoryName {
        &self.repository
    }

    pub(crate) fn tags(&self) -> &[TagTerms] {
        &self.tags
    }

    pub(crate) fn digest(&self) -> &Digest {
        &self.digest
    }

    pub(crate) fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The layers that are Wasm, or in which some was found.
    pub(super) fn layers_with_wasm(&self) -> BTreeSet<&Digest> {
        let own = self.manifest.wasm_layers().map(|layer| &layer.digest);
        match &self.content {
            Content::Image { wasm, .. } => {
                let inner = wasm.iter().map(|wasm| &wasm.layer);
                own.chain(inner).collect()
            }
            _ => own.collect(),
        }
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.is_whole
    }

    pub(crate) fn is_sparse(&self) -> bool {
        self.is_sparse
    }

    /// The decision, as it is written down.
    pub(crate) fn record(&self) -> Option<DecisionRecord> {
        let decided = self.decided.as_ref()?;
        let mut previous = Vec::new();
        for version in self
            .comparisons
            .iter()
            .filter_map(|it| it.previous.as_ref())
        {
            if !previous.contains(version) {
                previous.push(version.clone());
            }
        }
        let mut record = DecisionRecord::new(
            decided.decision.clone(),
            decided.policy.clone(),
            decided.facts.clone(),
            decided.day.to_string(),
            previous,
        );
        record.pushed_by.clone_from(&self.pushed_by);
        Some(record)
    }

    /// The digests of all versions that it is compared with.
    pub(crate) fn compared(&self) -> Compared {
        let versions = self.comparisons.iter().filter_map(Comparison::digest);
        versions.cloned().collect()
    }

    /// Of those that it is compared with for this tag.
    pub(crate) fn compared_for(&self, tag: &Tag) -> Compared {
        let own = self.comparisons.iter();
        let own = own.filter(|comparison| comparison.tag.as_ref() == Some(tag));
        own.filter_map(Comparison::digest).cloned().collect()
    }

    pub(crate) fn content(&self) -> &Content {
        &self.content
    }
}

impl AdmittedManifest {
    pub(super) fn new(judged: Judged) -> Self {
        Self(judged)
    }

    pub(crate) fn judged(&self) -> &Judged {
        &self.0
    }
}

impl HeldManifest {
    pub(super) fn new(judged: Judged) -> Self {
        Self(judged)
    }

    pub(crate) fn judged(&self) -> &Judged {
        &self.0
    }
}
