//! Types of instances and components, read into shapes.

use wasmparser::{
    ComponentExternName, ComponentType, ComponentTypeDeclaration, ComponentTypeRef,
    InstanceTypeDeclaration, TypeBounds,
};

use super::InspectError;
use super::scope::{Scope, aliased};
use super::shapes::{Entry, Item, Shapes, Type};

/// The shape of a type. `scopes` are the scopes around it, the outermost first; `wasmparser` limits how
/// deep types nest in each other, and so how deep this recurses.
pub(super) fn read_type(
    defined: &ComponentType<'_>,
    scopes: &mut Vec<Scope>,
    shapes: &mut Shapes,
) -> Result<Type, InspectError> {
    match defined {
        ComponentType::Resource { .. } => Ok(Type::Resource),
        ComponentType::Defined(_) | ComponentType::Func(_) => Ok(Type::Other),
        ComponentType::Instance(declarations) => {
            let scope = within(scopes, |scopes| {
                let mut declarations = declarations.iter();
                declarations.try_for_each(|declared| declare(declared, scopes, shapes))
            })?;
            Ok(Type::Instance(shapes.instance(scope.exports)?))
        }
        ComponentType::Component(declarations) => {
            let scope = within(scopes, |scopes| {
                let mut declarations = declarations.iter();
                declarations.try_for_each(|declared| declare_in_component(declared, scopes, shapes))
            })?;
            Ok(Type::Component(
                shapes.component(scope.imports, scope.exports)?,
            ))
        }
    }
}

/// What an import or export is by its type.
pub(super) fn item_of(ty: ComponentTypeRef, scopes: &[Scope]) -> Item {
    let type_at = |index| {
        scopes
            .last()
            .map_or(Type::Other, |scope| scope.type_at(index))
    };
    match ty {
        ComponentTypeRef::Func(_) => Item::Func,
        ComponentTypeRef::Value(_) => Item::Value,
        ComponentTypeRef::Type(TypeBounds::SubResource) => Item::Type(Type::Resource),
        ComponentTypeRef::Type(TypeBounds::Eq(index)) => Item::Type(match type_at(index) {
            // A resource of another interface, which is used here under a name.
            Type::Resource => Type::Other,
            other => other,
        }),
        ComponentTypeRef::Instance(index) => Item::Instance(match type_at(index) {
            Type::Instance(shape) => Some(shape),
            _ => None,
        }),
        ComponentTypeRef::Component(index) => Item::Component(match type_at(index) {
            Type::Component(shape) => Some(shape),
            _ => None,
        }),
        // The types of core modules are not read: whatever a host puts there may import anything.
        ComponentTypeRef::Module(_) => Item::CoreModule(None),
    }
}

/// `item` under the name that the bytes give it.
pub(super) fn entry(
    name: &ComponentExternName<'_>,
    item: Item,
    shapes: &mut Shapes,
) -> Result<Entry, InspectError> {
    shapes.count_shape()?;
    let implements = name.full_implements();
    Ok(Entry {
        name: shapes.name(&name.full_name())?,
        implements: implements.map(|text| shapes.name(&text)).transpose()?,
        item,
    })
}

/// Runs `read` in a scope of its own and gives that.
fn within(
    scopes: &mut Vec<Scope>,
    read: impl FnOnce(&mut Vec<Scope>) -> Result<(), InspectError>,
) -> Result<Scope, InspectError> {
    scopes.push(Scope::default());
    let done = read(scopes);
    let scope = scopes.pop().unwrap_or_default();
    done.map(|()| scope)
}

fn declare_in_component(
    declared: &ComponentTypeDeclaration<'_>,
    scopes: &mut Vec<Scope>,
    shapes: &mut Shapes,
) -> Result<(), InspectError> {
    match declared {
        ComponentTypeDeclaration::CoreType(_) => Ok(()),
        ComponentTypeDeclaration::Type(defined) => {
            let found = Item::Type(read_type(defined, scopes, shapes)?);
            define(Some(found), scopes, shapes)
        }
        ComponentTypeDeclaration::Alias(alias) => {
            define(aliased(scopes, shapes, alias)?, scopes, shapes)
        }
        ComponentTypeDeclaration::Export { name, ty } => export(name, *ty, scopes, shapes),
        ComponentTypeDeclaration::Import(import) => {
            let item = item_of(import.ty, scopes);
            let entry = entry(&import.name, item, shapes)?;
            if let Some(scope) = scopes.last_mut() {
                scope.imports.push(entry);
            }
            define(Some(item), scopes, shapes)
        }
    }
}

fn declare(
    declared: &InstanceTypeDeclaration<'_>,
    scopes: &mut Vec<Scope>,
    shapes: &mut Shapes,
) -> Result<(), InspectError> {
    match declared {
        InstanceTypeDeclaration::CoreType(_) => Ok(()),
        InstanceTypeDeclaration::Type(defined) => {
            let found = Item::Type(read_type(defined, scopes, shapes)?);
            define(Some(found), scopes, shapes)
        }
        InstanceTypeDeclaration::Alias(alias) => {
            define(aliased(scopes, shapes, alias)?, scopes, shapes)
        }
        InstanceTypeDeclaration::Export { name, ty } => export(name, *ty, scopes, shapes),
    }
}

fn export(
    name: &ComponentExternName<'_>,
    ty: ComponentTypeRef,
    scopes: &mut [Scope],
    shapes: &mut Shapes,
) -> Result<(), InspectError> {
    let item = item_of(ty, scopes);
    let entry = entry(name, item, shapes)?;
    if let Some(scope) = scopes.last_mut() {
        scope.exports.push(entry);
    }
    define(Some(item), scopes, shapes)
}

fn define(
    item: Option<Item>,
    scopes: &mut [Scope],
    shapes: &mut Shapes,
) -> Result<(), InspectError> {
    match (item, scopes.last_mut()) {
        (Some(item), Some(scope)) => scope.define(item, shapes),
        _ => Ok(()),
    }
}
