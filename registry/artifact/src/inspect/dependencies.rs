//! The `.dep-v0` sections that cargo-auditable writes: zlib around JSON.

use std::collections::BTreeSet;

use serde::Deserialize;
use wasmparser::CustomSectionReader;

use crate::inspection::{Dependencies, Dependency};
use crate::limits;

/// The name of the section.
const SECTION: &str = ".dep-v0";

/// What all sections say together.
#[derive(Default)]
pub(super) struct DependencySections {
    packages: BTreeSet<Dependency>,
    /// Bytes that were unpacked so far, of all sections.
    unpacked: usize,
    unreadable: bool,
    is_there: bool,
}

#[derive(Deserialize)]
struct Audit {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    source: Option<String>,
    kind: Option<String>,
    #[serde(default)]
    root: bool,
}

impl DependencySections {
    pub(super) fn take(&mut self, section: &CustomSectionReader<'_>) {
        if section.name() != SECTION {
            return;
        }
        self.is_there = true;
        match self.read(section.data()) {
            Some(audit) => self
                .packages
                .extend(audit.packages.into_iter().map(Dependency::from)),
            None => self.unreadable = true,
        }
    }

    pub(super) fn finish(self) -> Option<Dependencies> {
        self.is_there.then(|| Dependencies {
            packages: self.packages.into_iter().collect(),
            unreadable: self.unreadable,
        })
    }

    fn read(&mut self, data: &[u8]) -> Option<Audit> {
        let left = limits::DEPENDENCY_BYTES.saturating_sub(self.unpacked);
        let json = miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(data, left).ok()?;
        self.unpacked = self.unpacked.saturating_add(json.len());
        serde_json::from_slice(&json).ok()
    }
}

impl From<Package> for Dependency {
    fn from(package: Package) -> Self {
        Self {
            name: package.name,
            version: package.version,
            source: package.source,
            root: package.root,
            build: package.kind.as_deref() == Some("build"),
        }
    }
}
