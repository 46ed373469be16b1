//! What instances and components hold, as far as names and kinds go, with the type system of the
//! component model followed through aliases, nested types and nested components.
//!
//! Shapes lie in one arena and refer to each other by number: nothing is copied however often a type
//! is used, and nothing recurses when it is dropped however deep types refer to each other.

mod behind;

use super::InspectError;
use crate::limits;
pub(super) use behind::Behind;

/// Names, instances, components and core modules that were seen so far.
#[derive(Default)]
pub(super) struct Shapes {
    text: String,
    lists: Vec<Vec<Entry>>,
    instances: Vec<InstanceShape>,
    components: Vec<ComponentShape>,
    core_imports: Vec<Vec<CoreImport>>,
    modules: Vec<ModuleShape>,
    budget: Budget,
}

/// A piece of the arena's text.
#[derive(Clone, Copy)]
pub(super) struct Name {
    start: u32,
    length: u32,
}

/// An instance in the arena.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct InstanceId(u32);

/// A component in the arena.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ComponentId(u32);

/// A core module in the arena.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ModuleId(u32);

/// A type, as far as it matters for what can be called.
#[derive(Clone, Copy)]
pub(super) enum Type {
    Resource,
    Instance(InstanceId),
    Component(ComponentId),
    Other,
}

/// Something that has a name in an instance or component. `None` when it could not be followed.
#[derive(Clone, Copy)]
pub(super) enum Item {
    Func,
    Value,
    Type(Type),
    Instance(Option<InstanceId>),
    Component(Option<ComponentId>),
    CoreModule(Option<ModuleId>),
}

/// A named item, with the interface behind the name where there is one.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) name: Name,
    pub(super) implements: Option<Name>,
    pub(super) item: Item,
}

/// A list of entries in the arena, which several shapes may have in common.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ListId(u32);

/// An instance from outside.
#[derive(Clone, Copy)]
struct InstanceShape {
    /// Sorted by name.
    items: Option<ListId>,
    behind: Option<Behind>,
    /// True when there is a component or core module in it, however deep.
    has_code: bool,
}

/// A component from outside.
#[derive(Clone, Copy)]
struct ComponentShape {
    imports: Option<ListId>,
    /// An instance of it.
    exports: Option<InstanceId>,
    behind: Option<Behind>,
}

/// A core module from outside.
#[derive(Clone, Copy)]
struct ModuleShape {
    /// `None` where they are not known.
    imports: Option<ListId>,
    behind: Option<Behind>,
}

/// One import of a nested core module.
#[derive(Clone, Copy)]
pub(super) struct CoreImport {
    pub(super) module: Name,
    pub(super) field: Name,
}

/// How much was kept so far. What a small file can blow up is counted before it is copied.
#[derive(Default)]
struct Budget {
    items: usize,
    bytes: usize,
    shapes: usize,
}

impl Shapes {
    /// Counts names that are about to be kept in the inspection.
    pub(super) fn count(&mut self, names: usize, bytes: usize) -> Result<(), InspectError> {
        self.budget.items = self.budget.items.saturating_add(names);
        self.budget.bytes = self.budget.bytes.saturating_add(bytes);
        if self.budget.items > limits::ITEMS || self.budget.bytes > limits::NAME_BYTES {
            return Err(InspectError::TooManyItems);
        }
        Ok(())
    }

    /// Counts an entry of an index space or of a shape.
    pub(super) fn count_shape(&mut self) -> Result<(), InspectError> {
        self.count_visits(1)
    }

    /// Counts entries that are about to be looked at again: types can refer to each other so that there
    /// are more ways through them than bytes.
    pub(super) fn count_visits(&mut self, entries: usize) -> Result<(), InspectError> {
        self.budget.shapes = self.budget.shapes.saturating_add(entries);
        if self.budget.shapes > limits::SHAPES {
            return Err(InspectError::TooManyItems);
        }
        Ok(())
    }

    pub(super) fn name(&mut self, text: &str) -> Result<Name, InspectError> {
        if self.text.len().saturating_add(text.len()) > limits::NAME_BYTES {
            return Err(InspectError::TooManyItems);
        }
        let too_many = |_| InspectError::TooManyItems;
        let start = u32::try_from(self.text.len()).map_err(too_many)?;
        let length = u32::try_from(text.len()).map_err(too_many)?;
        self.text.push_str(text);
        Ok(Name { start, length })
    }

    pub(super) fn text(&self, name: Name) -> &str {
        let start = name.start as usize;
        let text = self.text.get(start..start + name.length as usize);
        text.unwrap_or_default()
    }

    /// An instance with these items; their order is lost.
    pub(super) fn instance(&mut self, mut items: Vec<Entry>) -> Result<InstanceId, InspectError> {
        items.sort_by(|left, right| self.text(left.name).cmp(self.text(right.name)));
        items.shrink_to_fit();
        let has_code = items.iter().any(|entry| self.has_code(entry.item));
        let items = Some(self.list(items)?);
        self.add_instance(InstanceShape {
            items,
            behind: None,
            has_code,
        })
    }

    pub(super) fn component(
        &mut self,
        imports: Vec<Entry>,
        exports: Vec<Entry>,
    ) -> Result<ComponentId, InspectError> {
        let exports = Some(self.instance(exports)?);
        let imports = Some(self.list(imports)?);
        self.add_component(ComponentShape {
            imports,
            exports,
            behind: None,
        })
    }

    pub(super) fn module(&mut self, imports: Vec<CoreImport>) -> Result<ModuleId, InspectError> {
        let list = ListId(add(&mut self.core_imports, imports)?);
        self.add_module(ModuleShape {
            imports: Some(list),
            behind: None,
        })
    }

    /// The items of an instance, sorted by name.
    pub(super) fn items(&self, instance: InstanceId) -> &[Entry] {
        let shape = self.instances.get(instance.0 as usize);
        self.entries(shape.and_then(|shape| shape.items))
    }

    /// What an instance has under `name`.
    pub(super) fn item(&self, instance: InstanceId, name: &str) -> Option<Item> {
        let items = self.items(instance);
        let found = items.binary_search_by(|entry| self.text(entry.name).cmp(name));
        Some(items.get(found.ok()?)?.item)
    }

    pub(super) fn component_imports(&self, component: ComponentId) -> &[Entry] {
        self.entries(self.component_import_list(component))
    }

    /// Which list that is, where it is known: several components can have one.
    pub(super) fn component_import_list(&self, component: ComponentId) -> Option<ListId> {
        self.components.get(component.0 as usize)?.imports
    }

    /// What a component exports, as its type says.
    pub(super) fn component_exports(&self, component: ComponentId) -> Option<InstanceId> {
        self.components.get(component.0 as usize)?.exports
    }

    /// What a core module imports, where that is known.
    pub(super) fn module_imports(&self, module: ModuleId) -> Option<(ListId, &[CoreImport])> {
        let list = self.modules.get(module.0 as usize)?.imports?;
        let imports = self.core_imports.get(list.0 as usize)?;
        Some((list, imports))
    }

    fn entries(&self, list: Option<ListId>) -> &[Entry] {
        let entries = list.and_then(|list| self.lists.get(list.0 as usize));
        entries.map(Vec::as_slice).unwrap_or_default()
    }

    fn list(&mut self, entries: Vec<Entry>) -> Result<ListId, InspectError> {
        Ok(ListId(add(&mut self.lists, entries)?))
    }

    fn add_instance(&mut self, shape: InstanceShape) -> Result<InstanceId, InspectError> {
        self.count_shape()?;
        Ok(InstanceId(add(&mut self.instances, shape)?))
    }

    fn add_component(&mut self, shape: ComponentShape) -> Result<ComponentId, InspectError> {
        self.count_shape()?;
        Ok(ComponentId(add(&mut self.components, shape)?))
    }

    fn add_module(&mut self, shape: ModuleShape) -> Result<ModuleId, InspectError> {
        self.count_shape()?;
        Ok(ModuleId(add(&mut self.modules, shape)?))
    }
}

/// Keeps an item, and gives its number.
fn add<T>(list: &mut Vec<T>, item: T) -> Result<u32, InspectError> {
    let number = u32::try_from(list.len()).map_err(|_| InspectError::TooManyItems)?;
    list.push(item);
    Ok(number)
}
