//! Imports and exports of a core module.

use std::collections::BTreeMap;

use wasmparser::Payload;

use super::InspectError;
use crate::inspection::{Export, Import, ItemKind, Kind};
use crate::limits;

/// What a core module imports and exports, as far as it was read.
#[derive(Default)]
pub(super) struct Outline {
    /// Field names by module name.
    imports: BTreeMap<String, Vec<String>>,
    exports: Vec<Export>,
    items: usize,
}

impl Outline {
    pub(super) fn take(&mut self, payload: Payload<'_>) -> Result<(), InspectError> {
        match payload {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    self.count()?;
                    self.imports
                        .entry(import.module.to_owned())
                        .or_default()
                        .push(import.name.to_owned());
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    self.count()?;
                    self.exports.push(Export {
                        name: export?.name.to_owned(),
                        implements: None,
                        kind: ItemKind::Core,
                        functions: Vec::new(),
                        resources: Vec::new(),
                        imports: Vec::new(),
                        opaque: false,
                    });
                }
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn finish(self) -> (Kind, Vec<Import>, Vec<Export>) {
        let imports = self.imports.into_iter().map(|(name, mut functions)| {
            functions.sort();
            functions.dedup();
            Import {
                name,
                implements: None,
                kind: ItemKind::Core,
                functions,
                resources: Vec::new(),
                opaque: false,
            }
        });
        (Kind::CoreModule, imports.collect(), self.exports)
    }

    fn count(&mut self) -> Result<(), InspectError> {
        self.items += 1;
        if self.items > limits::ITEMS {
            Err(InspectError::TooManyItems)
        } else {
            Ok(())
        }
    }
}
