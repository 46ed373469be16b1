//! Components at every depth: what goes into them and what comes out.

use wasmparser::{ComponentExport, ComponentInstance, Payload};

use super::InspectError;
use super::declarations::{entry, item_of, read_type};
use super::scope::{Scope, aliased};
use super::shapes::{Entry, Item, Shapes};

/// The components that are open, the outermost first.
#[derive(Default)]
pub(super) struct Components {
    scopes: Vec<Scope>,
    pub(super) shapes: Shapes,
}

impl Components {
    pub(super) fn open(&mut self) {
        self.scopes.push(Scope::default());
    }

    /// Ends the innermost component. A nested one becomes an item of the one around it.
    pub(super) fn close(&mut self) -> Result<(), InspectError> {
        if self.scopes.len() < 2 {
            return Ok(());
        }
        let scope = self.scopes.pop().unwrap_or_default();
        let shape = self.shapes.component(scope.imports, scope.exports)?;
        self.define(Item::Component(Some(shape)))
    }

    /// Gives `item` a number in the innermost component.
    pub(super) fn define(&mut self, item: Item) -> Result<(), InspectError> {
        match self.scopes.last_mut() {
            Some(scope) => scope.define(item, &mut self.shapes),
            None => Ok(()),
        }
    }

    /// What the outermost component imports and exports, in the order of the bytes.
    pub(super) fn outermost(&mut self) -> (Vec<Entry>, Vec<Entry>) {
        let scope = self.scopes.drain(..).next().unwrap_or_default();
        (scope.imports, scope.exports)
    }

    /// Reads a section of the innermost component.
    pub(super) fn take(&mut self, payload: &Payload<'_>) -> Result<(), InspectError> {
        match payload {
            Payload::ComponentTypeSection(section) => {
                for defined in section.clone() {
                    let found = read_type(&defined?, &mut self.scopes, &mut self.shapes)?;
                    self.define(Item::Type(found))?;
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section.clone() {
                    let found = aliased(&self.scopes, &mut self.shapes, &alias?)?;
                    found.map_or(Ok(()), |item| self.define(item))?;
                }
            }
            Payload::ComponentImportSection(section) => {
                for import in section.clone() {
                    let import = import?;
                    let item = item_of(import.ty, &self.scopes);
                    let entry = entry(&import.name, item, &mut self.shapes)?;
                    if let Some(scope) = self.scopes.last_mut() {
                        scope.imports.push(entry);
                    }
                    self.define(item)?;
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section.clone() {
                    self.export(&export?)?;
                }
            }
            Payload::ComponentInstanceSection(section) => {
                for instance in section.clone() {
                    self.instance(&instance?)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn export(&mut self, export: &ComponentExport<'_>) -> Result<(), InspectError> {
        let entry = self.entry(export)?;
        if let Some(scope) = self.scopes.last_mut() {
            scope.exports.push(entry);
        }
        self.define(entry.item)
    }

    /// An export has a number of its own, and may have a type that shows less than there is.
    fn entry(&mut self, export: &ComponentExport<'_>) -> Result<Entry, InspectError> {
        let scope = self.scopes.last();
        let actual = scope.map(|scope| scope.item(export.kind, export.index));
        let declared = export.ty.map(|ty| item_of(ty, &self.scopes));
        let item = match (declared, actual) {
            (Some(declared), Some(actual)) => self.shapes.ascribe(declared, actual)?,
            (Some(only), None) | (None, Some(only)) => only,
            (None, None) => Item::Value,
        };
        entry(&export.name, item, &mut self.shapes)
    }

    fn instance(&mut self, instance: &ComponentInstance<'_>) -> Result<(), InspectError> {
        let item = match instance {
            ComponentInstance::Instantiate {
                component_index,
                args,
            } => {
                let scope = self.scopes.last();
                let component = scope.and_then(|scope| scope.component(*component_index));
                let given = args
                    .iter()
                    .filter_map(|given| Some(scope?.item(given.kind, given.index)));
                self.shapes.instantiate(component, given)?
            }
            ComponentInstance::FromExports(exports) => {
                let mut entries = Vec::with_capacity(exports.len());
                for export in exports {
                    entries.push(self.entry(export)?);
                }
                Item::Instance(Some(self.shapes.instance(entries)?))
            }
        };
        self.define(item)
    }
}
