//! Code that is there and that no type shows: an artifact must not hide what it exports for a host.

use super::{
    ComponentId, ComponentShape, Entry, InspectError, InstanceId, InstanceShape, Item, ModuleShape,
    Name, Shapes,
};

/// Code that may be behind something whose type does not show it: what a component was given when it was
/// instantiated, and what a type that is written out leaves away. It is an instance without names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::inspect) struct Behind(InstanceId);

impl Shapes {
    /// The code that may be behind `item` and is not in its type.
    pub(in crate::inspect) fn behind(&self, item: Item) -> Option<Behind> {
        match item {
            Item::Instance(Some(id)) => self.instances.get(id.0 as usize)?.behind,
            Item::Component(Some(id)) => self.components.get(id.0 as usize)?.behind,
            Item::CoreModule(Some(id)) => self.modules.get(id.0 as usize)?.behind,
            _ => None,
        }
    }

    /// True for code of which nothing is known, neither what it is nor what may be behind it.
    pub(in crate::inspect) fn is_unknown_code(&self, item: Item) -> bool {
        let is_known = match item {
            Item::Component(component) => component.is_some_and(|component| {
                let shape = self.components.get(component.0 as usize);
                shape.is_some_and(|shape| shape.imports.is_some())
            }),
            Item::CoreModule(module) => {
                module.is_some_and(|module| self.module_imports(module).is_some())
            }
            Item::Func | Item::Value | Item::Type(_) | Item::Instance(_) => true,
        };
        !is_known && self.behind(item).is_none()
    }

    /// What instantiating a component gives, with the code that it is given behind it: it may export
    /// that again, and types do not say so.
    pub(in crate::inspect) fn instantiate(
        &mut self,
        component: Option<ComponentId>,
        arguments: impl Iterator<Item = Item>,
    ) -> Result<Item, InspectError> {
        let exports = component.and_then(|component| self.component_exports(component));
        let own = self.behind(Item::Component(component));
        let given = arguments.filter(|item| self.has_code(*item));
        let code: Vec<Item> = given.chain(own.map(Behind::item)).collect();
        let behind = self.together(&code)?;
        self.with(Item::Instance(exports), behind)
    }

    /// `actual` as it is exported with the type of `declared`: functions are those of the type, and code
    /// is what is there.
    pub(in crate::inspect) fn ascribe(
        &mut self,
        declared: Item,
        actual: Item,
    ) -> Result<Item, InspectError> {
        match (declared, actual) {
            // What code imports, and what is a resource, is not in the type that is read here.
            (Item::CoreModule(_) | Item::Component(_) | Item::Type(_), _) => Ok(actual),
            (Item::Instance(Some(shown)), Item::Instance(Some(there))) if self.has_code(actual) => {
                self.count_visits(self.items(shown).len())?;
                let mut items = self.items(shown).to_vec();
                for entry in &mut items {
                    let name = self.text(entry.name);
                    let found = self.item(there, name).filter(|item| self.has_code(*item));
                    entry.item = found.unwrap_or(entry.item);
                }
                let shape = Item::Instance(Some(self.instance(items)?));
                let behind = self.together(&[actual])?;
                self.with(shape, behind)
            }
            _ => Ok(declared),
        }
    }

    /// `item` with more code behind it.
    pub(in crate::inspect) fn with(
        &mut self,
        item: Item,
        behind: Option<Behind>,
    ) -> Result<Item, InspectError> {
        let Some(new) = behind else { return Ok(item) };
        let behind = match self.behind(item) {
            Some(old) if old != new => self.together(&[old.item(), new.item()])?,
            _ => Some(new),
        };
        Ok(match item {
            Item::Instance(found) => {
                let shape = found.and_then(|id| self.instances.get(id.0 as usize));
                let items = shape.and_then(|shape| shape.items);
                Item::Instance(Some(self.add_instance(InstanceShape {
                    items,
                    behind,
                    has_code: true,
                })?))
            }
            Item::Component(found) => {
                let shape = found.and_then(|id| self.components.get(id.0 as usize));
                let (imports, exports) =
                    shape.map_or((None, None), |shape| (shape.imports, shape.exports));
                Item::Component(Some(self.add_component(ComponentShape {
                    imports,
                    exports,
                    behind,
                })?))
            }
            Item::CoreModule(found) => {
                let shape = found.and_then(|id| self.modules.get(id.0 as usize));
                let imports = shape.and_then(|shape| shape.imports);
                Item::CoreModule(Some(self.add_module(ModuleShape { imports, behind })?))
            }
            Item::Func | Item::Value | Item::Type(_) => item,
        })
    }

    /// True when `item` is code, or has some in it.
    pub(super) fn has_code(&self, item: Item) -> bool {
        match item {
            Item::Component(_) | Item::CoreModule(_) => true,
            Item::Instance(Some(id)) => {
                let shape = self.instances.get(id.0 as usize);
                shape.is_some_and(|shape| shape.has_code)
            }
            Item::Instance(None) | Item::Func | Item::Value | Item::Type(_) => false,
        }
    }

    fn together(&mut self, code: &[Item]) -> Result<Option<Behind>, InspectError> {
        if code.is_empty() {
            return Ok(None);
        }
        self.count_visits(code.len())?;
        let nameless = Name {
            start: 0,
            length: 0,
        };
        let entries = code.iter().map(|item| Entry {
            name: nameless,
            implements: None,
            item: *item,
        });
        Ok(Some(Behind(self.instance(entries.collect())?)))
    }
}

impl Behind {
    /// The code, as an instance.
    pub(in crate::inspect) fn item(self) -> Item {
        Item::Instance(Some(self.0))
    }
}
