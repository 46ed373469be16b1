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
        let result = miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(data, left);
        // What could not be unpacked in whole has cost as much as what could.
        let bytes = result
            .as_ref()
            .map_or_else(|error| error.output.len(), Vec::len);
        self.unpacked = self.unpacked.saturating_add(bytes);
        let json = result.ok()?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_to_unpack_costs_as_much_as_what_does_not() {
        let bomb = vec![b' '; limits::DEPENDENCY_BYTES + 1];
        let bomb = miniz_oxide::deflate::compress_to_vec_zlib(&bomb, 9);
        // Half of a bomb unpacks to nearly as much, and breaks off then.
        let broken = bomb.get(..bomb.len() / 2).unwrap();
        for data in [bomb.as_slice(), broken] {
            let mut sections = DependencySections::default();
            let mut costs = Vec::new();
            for _ in 0..4 {
                let before = sections.unpacked;
                assert!(sections.read(data).is_none());
                costs.push(sections.unpacked - before);
            }
            assert!(sections.unpacked <= limits::DEPENDENCY_BYTES);
            assert!(
                sections.unpacked > limits::DEPENDENCY_BYTES * 3 / 4,
                "{costs:?}"
            );
            assert_eq!(costs.last(), Some(&0), "{costs:?}");
        }
    }
}
