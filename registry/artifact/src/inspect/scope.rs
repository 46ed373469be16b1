//! The index spaces of one component, or of one type of a component or instance, while it is read.

use wasmparser::{ComponentAlias, ComponentExternalKind, ComponentOuterAliasKind};

use super::InspectError;
use super::shapes::{ComponentId, Entry, InstanceId, Item, ModuleId, Shapes, Type};

/// What can be referred to by number, and what was imported and exported so far.
#[derive(Default)]
pub(super) struct Scope {
    types: Vec<Type>,
    instances: Vec<Option<InstanceId>>,
    components: Vec<Option<ComponentId>>,
    modules: Vec<Option<ModuleId>>,
    pub(super) imports: Vec<Entry>,
    pub(super) exports: Vec<Entry>,
}

impl Scope {
    /// Gives `item` the next number of its kind.
    pub(super) fn define(&mut self, item: Item, shapes: &mut Shapes) -> Result<(), InspectError> {
        match item {
            // Nothing asks later what these were.
            Item::Func | Item::Value => return Ok(()),
            Item::Type(found) => self.types.push(found),
            Item::Instance(found) => self.instances.push(found),
            Item::Component(found) => self.components.push(found),
            Item::CoreModule(found) => self.modules.push(found),
        }
        shapes.count_shape()
    }

    pub(super) fn instance(&self, index: u32) -> Option<InstanceId> {
        self.instances.get(index as usize).copied().flatten()
    }

    pub(super) fn component(&self, index: u32) -> Option<ComponentId> {
        self.components.get(index as usize).copied().flatten()
    }

    /// What has this number. What is not there is invalid, and taken for something unknown.
    pub(super) fn item(&self, kind: ComponentExternalKind, index: u32) -> Item {
        match kind {
            ComponentExternalKind::Func => Item::Func,
            ComponentExternalKind::Value => Item::Value,
            ComponentExternalKind::Type => Item::Type(self.type_at(index)),
            ComponentExternalKind::Instance => Item::Instance(self.instance(index)),
            ComponentExternalKind::Component => Item::Component(self.component(index)),
            ComponentExternalKind::Module => {
                Item::CoreModule(self.modules.get(index as usize).copied().flatten())
            }
        }
    }

    pub(super) fn type_at(&self, index: u32) -> Type {
        let found = self.types.get(index as usize);
        found.copied().unwrap_or(Type::Other)
    }
}

/// What an alias in the innermost of `scopes` refers to; `None` for what is core and of no interest.
pub(super) fn aliased(
    scopes: &[Scope],
    shapes: &mut Shapes,
    alias: &ComponentAlias<'_>,
) -> Result<Option<Item>, InspectError> {
    Ok(match alias {
        ComponentAlias::InstanceExport {
            kind,
            instance_index,
            name,
        } => {
            let instance = scopes
                .last()
                .and_then(|scope| scope.instance(*instance_index));
            let found = instance.and_then(|instance| shapes.item(instance, name));
            let found = found.filter(|item| is_of(*item, *kind));
            let found = found.unwrap_or_else(|| unknown(*kind));
            let behind = shapes.behind(Item::Instance(instance));
            Some(shapes.with(found, behind)?)
        }
        ComponentAlias::Outer { kind, count, index } => {
            let kind = match kind {
                ComponentOuterAliasKind::Type => ComponentExternalKind::Type,
                ComponentOuterAliasKind::Component => ComponentExternalKind::Component,
                ComponentOuterAliasKind::CoreModule => ComponentExternalKind::Module,
                ComponentOuterAliasKind::CoreType => return Ok(None),
            };
            let outward = (*count as usize).saturating_add(1);
            let scope = scopes
                .len()
                .checked_sub(outward)
                .and_then(|at| scopes.get(at));
            Some(scope.map_or_else(|| unknown(kind), |scope| scope.item(kind, *index)))
        }
        ComponentAlias::CoreInstanceExport { .. } => None,
    })
}

fn unknown(kind: ComponentExternalKind) -> Item {
    Scope::default().item(kind, 0)
}

fn is_of(item: Item, kind: ComponentExternalKind) -> bool {
    matches!(
        (item, kind),
        (Item::Func, ComponentExternalKind::Func)
            | (Item::Value, ComponentExternalKind::Value)
            | (Item::Type(_), ComponentExternalKind::Type)
            | (Item::Instance(_), ComponentExternalKind::Instance)
            | (Item::Component(_), ComponentExternalKind::Component)
            | (Item::CoreModule(_), ComponentExternalKind::Module)
    )
}
