//! Instances of components, and what they pass to each other by kind and index.

use std::collections::HashMap;

use wasmparser::{
    ComponentAlias, ComponentExternalKind as Kind, ComponentInstance, ComponentOuterAliasKind,
    ComponentTypeRef,
};

use super::value::{Instance, Item, Type};
use super::{Frame, Linker, OriginError};
use crate::limits;

impl<'p, 'a> Linker<'p, 'a> {
    /// What the host provides for the import that was read last.
    pub(super) fn imported(&mut self, ty: ComponentTypeRef) -> Item<'a> {
        let import = self.imports.len().saturating_sub(1);
        match ty {
            ComponentTypeRef::Func(_) => Item::Function(self.target(import, None)),
            ComponentTypeRef::Instance(_) => {
                Item::Instance(self.add_instance(Instance::Imported(import)))
            }
            ComponentTypeRef::Type(_) => Item::Type(Type::Imported(import, None)),
            ComponentTypeRef::Module(_) => Item::Module(None),
            ComponentTypeRef::Component(_) => Item::Component(None),
            ComponentTypeRef::Value(_) => Item::Nothing,
        }
    }

    pub(super) fn instance(
        &mut self,
        scope: usize,
        instance: &'p ComponentInstance<'a>,
    ) -> Result<Option<Frame<'p, 'a>>, OriginError> {
        match instance {
            ComponentInstance::Instantiate {
                component_index,
                args,
            } => {
                self.spend(args.len() + limits::INSTANTIATION_WORK)?;
                let arguments: HashMap<_, _> = args
                    .iter()
                    .map(|given| (given.name, self.item(scope, given.kind, given.index)))
                    .collect();
                let index = *component_index as usize;
                let component = self.scope(scope).components.get(index).copied().flatten();
                if let Some(component) = component {
                    return Ok(self.frame(component, arguments));
                }
                self.give(&arguments)?;
                let unknown = self.add_instance(Instance::Unknown);
                self.scope(scope).instances.push(unknown);
            }
            ComponentInstance::FromExports(exports) => {
                self.spend(exports.len())?;
                let made = exports.iter().map(|export| {
                    let item = self.item(scope, export.kind, export.index);
                    (export.name.name, item)
                });
                let made = Instance::Made(made.collect());
                let made = self.add_instance(made);
                self.scope(scope).instances.push(made);
            }
        }
        Ok(None)
    }

    pub(super) fn alias(&mut self, scope: usize, alias: &ComponentAlias<'a>) {
        match *alias {
            ComponentAlias::InstanceExport {
                kind,
                instance_index,
                name,
            } => {
                let instances = &self.scope(scope).instances;
                let instance = instances.get(instance_index as usize).copied();
                let item = instance.map_or(Item::Nothing, |found| self.exported(found, kind, name));
                self.push(scope, kind, item);
            }
            ComponentAlias::CoreInstanceExport {
                kind,
                instance_index,
                name,
            } => self.alias_core(scope, kind, instance_index, name),
            ComponentAlias::Outer { kind, count, index } => {
                let mut outer = Some(scope);
                // Deeper than components may nest there is nothing.
                for _ in 0..count.min(u32::try_from(limits::NESTING).unwrap_or(u32::MAX)) {
                    outer = outer.and_then(|outer| self.scopes.get(outer)?.outer);
                }
                let kind = match kind {
                    ComponentOuterAliasKind::CoreModule => Kind::Module,
                    ComponentOuterAliasKind::Component => Kind::Component,
                    ComponentOuterAliasKind::Type => Kind::Type,
                    ComponentOuterAliasKind::CoreType => return,
                };
                let item = outer.map_or(Item::Nothing, |outer| self.item(outer, kind, index));
                self.push(scope, kind, item);
            }
        }
    }

    /// What an instance exports under a name.
    fn exported(&mut self, instance: usize, kind: Kind, name: &'a str) -> Item<'a> {
        match self.instances.get(instance) {
            Some(Instance::Made(exports)) => exports.get(name).copied().unwrap_or(Item::Nothing),
            Some(Instance::Imported(import)) => {
                let import = *import;
                match kind {
                    Kind::Func => Item::Function(self.target(import, Some(name))),
                    Kind::Type => Item::Type(Type::Imported(import, Some(name))),
                    Kind::Instance => Item::Instance(instance),
                    Kind::Component => Item::Component(None),
                    Kind::Module => Item::Module(None),
                    Kind::Value => Item::Nothing,
                }
            }
            Some(Instance::Unknown) | None => Item::Nothing,
        }
    }

    /// A definition by kind and index.
    pub(super) fn item(&self, scope: usize, kind: Kind, index: u32) -> Item<'a> {
        let Some(scope) = self.scopes.get(scope) else {
            return Item::Nothing;
        };
        let index = index as usize;
        let found = match kind {
            Kind::Func => scope.functions.get(index).copied().map(Item::Function),
            Kind::Instance => scope.instances.get(index).copied().map(Item::Instance),
            Kind::Component => scope.components.get(index).copied().map(Item::Component),
            Kind::Module => scope.modules.get(index).copied().map(Item::Module),
            Kind::Type => scope.types.get(index).copied().map(Item::Type),
            Kind::Value => None,
        };
        found.unwrap_or(Item::Nothing)
    }

    /// Gives a definition the next index of its kind, whatever it turned out to be.
    pub(super) fn push(&mut self, scope: usize, kind: Kind, item: Item<'a>) {
        let unknown = match (kind, item) {
            (Kind::Instance, Item::Instance(known)) => known,
            (Kind::Instance, _) => self.add_instance(Instance::Unknown),
            _ => 0,
        };
        let scope = self.scope(scope);
        match (kind, item) {
            (Kind::Func, Item::Function(function)) => scope.functions.push(function),
            (Kind::Func, _) => scope.functions.push(None),
            (Kind::Instance, _) => scope.instances.push(unknown),
            (Kind::Component, Item::Component(component)) => scope.components.push(component),
            (Kind::Component, _) => scope.components.push(None),
            (Kind::Module, Item::Module(module)) => scope.modules.push(module),
            (Kind::Module, _) => scope.modules.push(None),
            (Kind::Type, Item::Type(ty)) => scope.types.push(ty),
            (Kind::Type, _) => scope.types.push(Type::Other),
            (Kind::Value, _) => {}
        }
    }
}
