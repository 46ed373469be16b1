//! Shapes written out as the imports and exports of an inspection.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::InspectError;
use super::shapes::{ComponentId, Entry, InstanceId, Item, ListId, ModuleId, Shapes, Type};
use crate::inspection::{Export, Import, ItemKind, WitInterface, WitPackage, WitWorld};

/// Functions and resources of an instance.
#[derive(Default)]
struct Content {
    functions: Vec<String>,
    resources: Vec<String>,
    /// It holds more than functions and types.
    opaque: bool,
}

/// What was looked at for an export.
#[derive(PartialEq, Eq, Hash)]
enum Seen {
    Instance(InstanceId),
    /// The imports of a component.
    Component(ListId),
    /// The imports of a module.
    Module(ListId),
}

/// Outermost imports, in the order of the bytes.
pub(super) fn imports(entries: &[Entry], shapes: &mut Shapes) -> Result<Vec<Import>, InspectError> {
    entries.iter().map(|entry| import(entry, shapes)).collect()
}

/// Outermost exports, in the order of the bytes.
pub(super) fn exports(entries: &[Entry], shapes: &mut Shapes) -> Result<Vec<Export>, InspectError> {
    entries.iter().map(|entry| export(entry, shapes)).collect()
}

/// What a WIT package defines: its exports are types of components, of which each wraps an interface or a
/// world (wit-component, `encoding/wit.rs`).
pub(super) fn wit_package(
    exports: &[Entry],
    shapes: &mut Shapes,
) -> Result<WitPackage, InspectError> {
    let mut package = WitPackage::default();
    for entry in exports {
        let Item::Type(Type::Component(wrapper)) = entry.item else {
            continue;
        };
        let Some(inside) = shapes.component_exports(wrapper) else {
            continue;
        };
        for wrapped in shapes.items(inside).to_vec() {
            let name = kept(&wrapped, shapes)?;
            package.name = package.name.or_else(|| package_name(&name));
            match wrapped.item {
                Item::Instance(Some(interface)) => {
                    let content = content(interface, shapes)?;
                    let (functions, resources) = (content.functions, content.resources);
                    package.interfaces.push(WitInterface {
                        name,
                        functions,
                        resources,
                    });
                }
                Item::Component(Some(world)) => {
                    package.worlds.push(wit_world(name, world, shapes)?);
                }
                _ => {}
            }
        }
    }
    Ok(package)
}

fn wit_world(
    name: String,
    world: ComponentId,
    shapes: &mut Shapes,
) -> Result<WitWorld, InspectError> {
    let named = |entries: Vec<Entry>, shapes: &mut Shapes| {
        let values = entries
            .into_iter()
            .filter(|entry| !matches!(entry.item, Item::Type(_)));
        values
            .map(|entry| kept(&entry, shapes))
            .collect::<Result<Vec<_>, _>>()
    };
    let exported = shapes
        .component_exports(world)
        .map(|instance| shapes.items(instance).to_vec());
    Ok(WitWorld {
        name,
        imports: named(shapes.component_imports(world).to_vec(), shapes)?,
        exports: named(exported.unwrap_or_default(), shapes)?,
    })
}

/// `namespace:name@version` of `namespace:name/item@version`.
fn package_name(item: &str) -> Option<String> {
    let (package, item) = item.split_once('/')?;
    let version = item
        .split_once('@')
        .map(|(_, version)| format!("@{version}"));
    Some(format!("{package}{}", version.unwrap_or_default()))
}

fn import(entry: &Entry, shapes: &mut Shapes) -> Result<Import, InspectError> {
    let content = match entry.item {
        Item::Instance(Some(instance)) => content(instance, shapes)?,
        // Not followed, or an import of code that is not there yet.
        Item::Instance(None) | Item::Component(_) | Item::CoreModule(_) => Content {
            opaque: true,
            ..Content::default()
        },
        Item::Type(Type::Resource) => Content {
            resources: vec![kept(entry, shapes)?],
            ..Content::default()
        },
        Item::Func | Item::Value | Item::Type(_) => Content::default(),
    };
    let implements = entry.implements.map(|name| shapes.text(name).to_owned());
    Ok(Import {
        implements,
        functions: content.functions,
        resources: content.resources,
        opaque: content.opaque,
        ..Import::named(kept(entry, shapes)?, kind(entry.item))
    })
}

fn export(entry: &Entry, shapes: &mut Shapes) -> Result<Export, InspectError> {
    let content = match entry.item {
        Item::Instance(Some(instance)) => content(instance, shapes)?,
        item => Content {
            opaque: matches!(item, Item::Instance(None)) || shapes.is_unknown_code(item),
            ..Content::default()
        },
    };
    let implements = entry.implements.map(|name| shapes.text(name).to_owned());
    let mut export = Export {
        implements,
        functions: content.functions,
        resources: content.resources,
        opaque: content.opaque,
        ..Export::named(kept(entry, shapes)?, kind(entry.item))
    };
    asked(entry.item, shapes, &mut export)?;
    Ok(export)
}

/// Adds what code that is exported as such would import, wherever in the export it lies: in instances, in
/// what components export, and behind either. Each is looked at once, however often and however deep it is
/// in there.
fn asked(item: Item, shapes: &mut Shapes, export: &mut Export) -> Result<(), InspectError> {
    let mut waiting = vec![(item, false)];
    let mut seen = HashSet::new();
    while let Some((item, is_covered)) = waiting.pop() {
        let behind = shapes.behind(item);
        // Code that its type does not show is among what is behind what it lies in.
        let is_covered = is_covered || behind.is_some();
        waiting.extend(behind.map(|behind| (behind.item(), false)));
        let inside = match item {
            Item::Component(Some(component)) => {
                let list = shapes.component_import_list(component);
                if list.is_some_and(|list| seen.insert((Seen::Component(list), false))) {
                    let entries = shapes.component_imports(component).to_vec();
                    export.imports.extend(imports(&entries, shapes)?);
                }
                shapes.component_exports(component)
            }
            Item::CoreModule(Some(module)) => {
                let list = shapes.module_imports(module).map(|(list, _)| list);
                if list.is_some_and(|list| seen.insert((Seen::Module(list), false))) {
                    export.imports.extend(core_imports(module, shapes)?);
                }
                None
            }
            Item::Instance(instance) => instance,
            _ => None,
        };
        let Some(instance) = inside.filter(|id| seen.insert((Seen::Instance(*id), is_covered)))
        else {
            continue;
        };
        shapes.count_visits(shapes.items(instance).len())?;
        for entry in shapes.items(instance).to_vec() {
            if !is_covered && shapes.is_unknown_code(entry.item) {
                export.imports.push(import(&entry, shapes)?);
            }
            waiting.push((entry.item, is_covered));
        }
    }
    Ok(())
}

fn core_imports(module: ModuleId, shapes: &mut Shapes) -> Result<Vec<Import>, InspectError> {
    let mut by_module: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let found = shapes.module_imports(module);
    let found = found.map(|(_, imports)| imports.to_vec());
    for import in found.unwrap_or_default() {
        let (name, field) = (
            shapes.text(import.module).to_owned(),
            shapes.text(import.field).to_owned(),
        );
        shapes.count(1, name.len() + field.len())?;
        by_module.entry(name).or_default().insert(field);
    }
    let imports = by_module.into_iter().map(|(module, fields)| Import {
        functions: fields.into_iter().collect(),
        ..Import::named(module, ItemKind::Core)
    });
    Ok(imports.collect())
}

fn content(instance: InstanceId, shapes: &mut Shapes) -> Result<Content, InspectError> {
    let named = shapes.items(instance).iter();
    let bytes = named.map(|entry| shapes.text(entry.name).len()).sum();
    shapes.count(shapes.items(instance).len(), bytes)?;
    let mut content = Content::default();
    for entry in shapes.items(instance) {
        let name = || shapes.text(entry.name).to_owned();
        match entry.item {
            Item::Func => content.functions.push(name()),
            Item::Type(Type::Resource) => content.resources.push(name()),
            Item::Type(_) => {}
            Item::Value | Item::Instance(_) | Item::Component(_) | Item::CoreModule(_) => {
                content.opaque = true;
            }
        }
    }
    Ok(content)
}

/// The name of an entry, counted with the one behind it.
fn kept(entry: &Entry, shapes: &mut Shapes) -> Result<String, InspectError> {
    let implements = entry.implements.map_or(0, |name| shapes.text(name).len());
    let name = shapes.text(entry.name).to_owned();
    shapes.count(1, name.len() + implements)?;
    Ok(name)
}

fn kind(item: Item) -> ItemKind {
    match item {
        Item::Func => ItemKind::Func,
        Item::Value => ItemKind::Value,
        Item::Type(_) => ItemKind::Type,
        Item::Instance(_) => ItemKind::Instance,
        Item::Component(_) => ItemKind::Component,
        Item::CoreModule(_) => ItemKind::CoreModule,
    }
}
