//! The types of the functions that go into Wasm and come out of it, written out so that those of
//! two artifacts can be compared.

mod writer;

use std::collections::BTreeMap;

use wasmparser::component_types::{ComponentAnyTypeId, ComponentEntityType, ComponentItem};
use wasmparser::types::{EntityType, TypesRef};

use crate::inspect::{InspectError, accepted, recognise};
use crate::inspection::{Inspection, Kind};
use writer::Writer;

/// The types of functions, in words like those of WIT: types stand for their structure, and only
/// resources have names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FunctionTypes {
    imports: Items,
    exports: Items,
}

/// By the name of an import or export, the functions in it. What is a function itself has its own
/// name in both places.
type Items = BTreeMap<String, BTreeMap<String, String>>;

impl FunctionTypes {
    /// Reads and validates `bytes`, of which `inspection` is known.
    pub fn of(bytes: &[u8], inspection: &Inspection) -> Result<Self, InspectError> {
        recognise(bytes)?;
        let mut validator = wasmparser::Validator::new_with_features(accepted());
        let types = validator.validate_all(bytes)?;
        let types = types.as_ref();
        match inspection.kind {
            Kind::CoreModule => Self::of_module(types),
            Kind::Component => Self::of_component(types, inspection),
            Kind::WitPackage => Self::of_package(types, inspection),
        }
    }

    pub(crate) fn import(&self, name: &str) -> BTreeMap<String, String> {
        self.imports.get(name).cloned().unwrap_or_default()
    }

    pub(crate) fn export(&self, name: &str) -> BTreeMap<String, String> {
        self.exports.get(name).cloned().unwrap_or_default()
    }

    fn of_module(types: TypesRef<'_>) -> Result<Self, InspectError> {
        let mut writer = Writer::new(types);
        let mut found = Self::default();
        for (module, field, ty) in types.core_imports().into_iter().flatten() {
            if let EntityType::Func(id) = ty {
                let text = writer.core_function(id)?;
                let functions = found.imports.entry(module.to_owned()).or_default();
                functions.insert(field.to_owned(), text);
            }
        }
        for (name, ty) in types.core_exports().into_iter().flatten() {
            if let EntityType::Func(id) = ty {
                let text = BTreeMap::from([(name.to_owned(), writer.core_function(id)?)]);
                found.exports.insert(name.to_owned(), text);
            }
        }
        Ok(found)
    }

    fn of_component(types: TypesRef<'_>, inspection: &Inspection) -> Result<Self, InspectError> {
        let imports = inspection.imports.iter().map(|import| &import.name);
        let imports = imports.filter_map(|name| {
            let item = types.component_item_for_import(name)?;
            Some((name.as_str(), item))
        });
        let exports = inspection.exports.iter().map(|export| &export.name);
        let exports = exports.filter_map(|name| {
            let item = types.component_item_for_export(name)?;
            Some((name.as_str(), item))
        });
        let (imports, exports): (Vec<_>, Vec<_>) = (imports.collect(), exports.collect());
        let mut writer = Writer::new(types);
        // Those of the imports first: what is exported may be made of them.
        for (name, item) in imports.iter().chain(&exports) {
            writer.name_resources(name, item);
        }
        Ok(Self {
            imports: writer.items(&imports)?,
            exports: writer.items(&exports)?,
        })
    }

    /// Each interface of a package is in a type of a component of its own.
    fn of_package(types: TypesRef<'_>, inspection: &Inspection) -> Result<Self, InspectError> {
        let mut found = Self::default();
        for export in &inspection.exports {
            let item = types.component_item_for_export(&export.name);
            let Some(ComponentEntityType::Type {
                referenced: ComponentAnyTypeId::Component(id),
                ..
            }) = item.map(|item| item.ty)
            else {
                continue;
            };
            let Some(wrapper) = types.get(id) else {
                continue;
            };
            let mut writer = Writer::new(types);
            let named =
                |(name, item): (&'_ String, &'_ ComponentItem)| (name.clone(), item.clone());
            let imports: Vec<_> = wrapper.imports.iter().map(named).collect();
            let exports: Vec<_> = wrapper.exports.iter().map(named).collect();
            for (name, item) in imports.iter().chain(&exports) {
                writer.name_resources(name, item);
            }
            let exports: Vec<_> = exports
                .iter()
                .map(|(name, item)| (name.as_str(), item))
                .collect();
            found.exports.extend(writer.items(&exports)?);
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests;
