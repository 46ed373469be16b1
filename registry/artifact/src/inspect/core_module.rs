//! Core modules at every depth: imports, exports, memories and what runs by itself.

use std::collections::{BTreeMap, BTreeSet};

use wasmparser::{Import as CoreImport, MemoryType, Payload, TypeRef};

use super::InspectError;
use super::shapes::{self, Shapes};
use crate::inspection::{Export, Import, ItemKind, Memory};
use crate::limits;

/// The size of a page where no module says another.
const PAGE_BYTES: u64 = 65_536;
/// `1 << 64` does not fit; the proposal allows 1 and 65,536.
const MAX_PAGE_SIZE_LOG2: u32 = 63;

/// The core module that is open, and the memories of all.
#[derive(Default)]
pub(super) struct CoreModules {
    /// Imports of a module inside a component.
    inner: Vec<shapes::CoreImport>,
    /// Field names by module name, of a module that is alone.
    imports: BTreeMap<String, BTreeSet<String>>,
    exports: Vec<Export>,
    pub(super) memories: Vec<Memory>,
}

impl CoreModules {
    /// Reads a section of a module; `is_outermost` says that a host provides what it imports.
    pub(super) fn take(
        &mut self,
        is_outermost: bool,
        payload: &Payload<'_>,
        shapes: &mut Shapes,
    ) -> Result<(), InspectError> {
        match payload {
            Payload::ImportSection(section) => {
                for import in section.clone().into_imports() {
                    self.import(is_outermost, &import?, shapes)?;
                }
            }
            Payload::MemorySection(section) => {
                for memory in section.clone() {
                    self.memory(&memory?, false)?;
                }
            }
            Payload::ExportSection(section) if is_outermost => {
                for export in section.clone() {
                    let name = export?.name;
                    shapes.count(1, name.len())?;
                    self.exports
                        .push(Export::named(name.to_owned(), ItemKind::Core));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The imports of a nested module that ends here.
    pub(super) fn close(&mut self) -> Vec<shapes::CoreImport> {
        std::mem::take(&mut self.inner)
    }

    /// What the outermost module imports and exports.
    pub(super) fn outermost(&mut self) -> (Vec<Import>, Vec<Export>) {
        let imports = std::mem::take(&mut self.imports);
        let imports = imports.into_iter().map(|(module, fields)| Import {
            functions: fields.into_iter().collect(),
            ..Import::named(module, ItemKind::Core)
        });
        (imports.collect(), std::mem::take(&mut self.exports))
    }

    fn import(
        &mut self,
        is_outermost: bool,
        import: &CoreImport<'_>,
        shapes: &mut Shapes,
    ) -> Result<(), InspectError> {
        if let TypeRef::Memory(memory) = &import.ty {
            self.memory(memory, true)?;
        }
        if is_outermost {
            shapes.count(1, import.module.len() + import.name.len())?;
            let fields = self.imports.entry(import.module.to_owned()).or_default();
            fields.insert(import.name.to_owned());
            return Ok(());
        }
        shapes.count_shape()?;
        let (module, field) = (shapes.name(import.module)?, shapes.name(import.name)?);
        self.inner.push(shapes::CoreImport { module, field });
        Ok(())
    }

    fn memory(&mut self, memory: &MemoryType, imported: bool) -> Result<(), InspectError> {
        if self.memories.len() >= limits::ITEMS {
            return Err(InspectError::TooManyItems);
        }
        let page_size = memory
            .page_size_log2
            .map_or(PAGE_BYTES, |log2| 1 << log2.min(MAX_PAGE_SIZE_LOG2));
        self.memories.push(Memory {
            minimum: memory.initial,
            maximum: memory.maximum,
            page_size,
            shared: memory.shared,
            memory64: memory.memory64,
            imported,
        });
        Ok(())
    }
}
