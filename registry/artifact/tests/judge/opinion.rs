//! A second opinion on components: what the types say that the validator builds, with every proposal on.

use std::collections::{BTreeMap, BTreeSet};

use wasmparser::component_types::{
    ComponentEntityType, ComponentInstanceTypeId, ComponentItem, ComponentTypeId,
};
use wasmparser::types::TypesRef;
use wasmparser::{
    BinaryReaderError, ComponentExternalKind, ComponentInstance, Parser, Payload, Validator,
    WasmFeatures,
};
use wasmport_artifact::{Export, Import, Inspection, ItemKind};

/// More ways through types than this are not gone.
const VISITS: usize = 20_000;

/// Functions of an instance, and whether it holds more than functions and types.
type Functions = (Vec<String>, bool);

/// Names of imports and of functions in them. Each import is there without a function, too.
type Asked = BTreeSet<(String, String)>;

#[derive(Default)]
struct Opinion {
    imports: BTreeMap<String, Functions>,
    exports: BTreeMap<String, Functions>,
    /// What exported code imports, by the export. Nothing where some type was written out, which may
    /// show more than there is.
    asked: BTreeMap<String, Asked>,
    /// True when some component is given more than functions and types: that may be code, which it may
    /// export again.
    hands_code_over: bool,
}

/// Holds what was found against the opinion, where there is one: on what is valid.
pub(super) fn compare(inspected: &Inspection, bytes: &[u8]) -> Result<(), String> {
    let Ok(opinion) = Opinion::on(bytes) else {
        return Ok(());
    };
    let is_instance = |kind: ItemKind| kind == ItemKind::Instance;
    let imports = inspected.imports.iter();
    let imports = imports.filter(|import| is_instance(import.kind));
    let found = imports.map(|it| (it.name.clone(), (it.functions.clone(), it.opaque)));
    agree("imports", &found.collect(), &opinion.imports)?;
    let exports = inspected.exports.iter();
    let exports = exports.filter(|export| is_instance(export.kind));
    let found = exports.map(|it| (it.name.clone(), (it.functions.clone(), it.opaque)));
    agree("exports", &found.collect(), &opinion.exports)?;
    inspected.exports.iter().try_for_each(|export| {
        let Some(asked) = opinion.asked.get(&export.name) else {
            return Ok(());
        };
        let hides = asked.iter().any(|one| !is_told(export, one));
        let invents = !opinion.hands_code_over && !tells_only(export, asked);
        if hides || invents {
            return Err(format!("found {export:?}, which asks for {asked:?}"));
        }
        Ok(())
    })
}

fn agree(
    what: &str,
    found: &BTreeMap<String, Functions>,
    opinion: &BTreeMap<String, Functions>,
) -> Result<(), String> {
    if found == opinion {
        return Ok(());
    }
    Err(format!(
        "found {what} {found:?}, and wasmparser's types say {opinion:?}"
    ))
}

/// True when an export says that it imports this, or that nobody knows what it imports.
fn is_told(export: &Export, (name, function): &(String, String)) -> bool {
    let tells = |import: &Import| {
        is_code(import.kind)
            || (import.name == *name
                && (function.is_empty() || import.opaque || import.functions.contains(function)))
    };
    (export.opaque && is_code(export.kind)) || export.imports.iter().any(tells)
}

/// True when nothing is said of what an export imports but what it does import, and that code of which
/// nobody knows what it imports is code.
fn tells_only(export: &Export, asked: &Asked) -> bool {
    let imports = export.imports.iter();
    let mut imports = imports.filter(|import| !is_code(import.kind));
    imports.all(|import| {
        let of_it = |function: &String| asked.contains(&(import.name.clone(), function.clone()));
        asked.iter().any(|(name, _)| *name == import.name) && import.functions.iter().all(of_it)
    })
}

fn is_code(kind: ItemKind) -> bool {
    matches!(kind, ItemKind::CoreModule | ItemKind::Component)
}

impl Opinion {
    fn on(bytes: &[u8]) -> Result<Self, BinaryReaderError> {
        let types = Validator::new_with_features(WasmFeatures::all()).validate_all(bytes)?;
        let types = types.as_ref();
        let mut opinion = Self::default();
        let mut has_written_types = false;
        let mut nested = 0;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::Version { .. } => nested += 1,
                Payload::End(_) => nested -= 1,
                Payload::ComponentImportSection(section) if nested == 1 => {
                    for import in section {
                        let name = import?.name;
                        let item = types.component_item_for_import(name.name);
                        if let Some(ComponentEntityType::Instance(id)) = item.map(|item| item.ty) {
                            let name = name.full_name().into_owned();
                            opinion.imports.insert(name, functions(types, id));
                        }
                    }
                }
                Payload::ComponentExportSection(section) => {
                    for export in section {
                        let export = export?;
                        has_written_types |= export.ty.is_some();
                        if nested == 1 {
                            let item = types.component_item_for_export(export.name.name);
                            let name = export.name.full_name().into_owned();
                            opinion.export(types, name, item);
                        }
                    }
                }
                Payload::ComponentInstanceSection(section) => {
                    for instance in section {
                        opinion.hands_code_over |= is_given_more(&instance?);
                    }
                }
                _ => {}
            }
        }
        if has_written_types {
            opinion.asked.clear();
        }
        Ok(opinion)
    }

    fn export(&mut self, types: TypesRef<'_>, name: String, item: Option<&ComponentItem>) {
        let Some(item) = item else { return };
        if let ComponentEntityType::Instance(id) = item.ty {
            self.exports.insert(name.clone(), functions(types, id));
        }
        let mut asked = Asked::new();
        let mut visits = VISITS;
        ask(types, &item.ty, &mut asked, &mut visits);
        if visits > 0 {
            self.asked.insert(name, asked);
        }
    }
}

fn is_given_more(instance: &ComponentInstance<'_>) -> bool {
    use ComponentExternalKind::{Component, Instance, Module};
    let ComponentInstance::Instantiate { args, .. } = instance else {
        return false;
    };
    args.iter()
        .any(|given| matches!(given.kind, Component | Instance | Module))
}

fn functions(types: TypesRef<'_>, id: ComponentInstanceTypeId) -> Functions {
    let mut names = Vec::new();
    let mut opaque = false;
    for (name, item) in &types[id].exports {
        match item.ty {
            ComponentEntityType::Func(_) => names.push(item.full_name(name).into_owned()),
            ComponentEntityType::Type { .. } => {}
            _ => opaque = true,
        }
    }
    names.sort();
    (names, opaque)
}

/// What code in an item would import, however deep it lies.
fn ask(types: TypesRef<'_>, item: &ComponentEntityType, asked: &mut Asked, visits: &mut usize) {
    *visits = visits.saturating_sub(1);
    if *visits == 0 {
        return;
    }
    match item {
        ComponentEntityType::Module(id) => {
            for (module, field) in types[*id].imports.keys() {
                asked.insert((module.clone(), field.clone()));
            }
        }
        ComponentEntityType::Component(id) => {
            imports(types, *id, asked);
            for item in types[*id].exports.values() {
                ask(types, &item.ty, asked, visits);
            }
        }
        ComponentEntityType::Instance(id) => {
            for item in types[*id].exports.values() {
                ask(types, &item.ty, asked, visits);
            }
        }
        _ => {}
    }
}

fn imports(types: TypesRef<'_>, id: ComponentTypeId, asked: &mut Asked) {
    for (name, item) in &types[id].imports {
        let name = item.full_name(name).into_owned();
        if let ComponentEntityType::Instance(id) = item.ty {
            let (functions, _) = functions(types, id);
            asked.extend(
                functions
                    .into_iter()
                    .map(|function| (name.clone(), function)),
            );
        }
        asked.insert((name, String::new()));
    }
}
