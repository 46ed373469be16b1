//! Writes types out. They can refer to each other so that a small file unfolds to gigabytes; so what
//! is written is counted.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;

use wasmparser::component_types::{
    ComponentAnyTypeId, ComponentDefinedType, ComponentEntityType, ComponentFuncTypeId,
    ComponentItem, ComponentValType, ResourceId,
};
use wasmparser::types::{CoreTypeId, TypesRef};
use wasmparser::{CompositeInnerType, ValType};

use super::Items;
use crate::inspect::InspectError;
use crate::limits;

/// Writes types of one component or module.
pub(super) struct Writer<'a> {
    types: TypesRef<'a>,
    resources: HashMap<ResourceId, String>,
    /// How many bytes may still be written.
    left: usize,
}

type Written = Result<(), InspectError>;

impl<'a> Writer<'a> {
    pub(super) fn new(types: TypesRef<'a>) -> Self {
        Self {
            types,
            resources: HashMap::new(),
            left: limits::TYPE_BYTES,
        }
    }

    /// Calls the resources of an item by the first interface that has them, whatever its version:
    /// two versions that are compatible have the same resources.
    pub(super) fn name_resources(&mut self, name: &str, item: &ComponentItem) {
        let interface = name.split('@').next().unwrap_or(name);
        match item.ty {
            ComponentEntityType::Instance(id) => {
                let exports = self.types.get(id).map(|instance| &instance.exports);
                for (resource, item) in exports.into_iter().flatten() {
                    self.name_resource(item, || format!("{interface}.{resource}"));
                }
            }
            _ => self.name_resource(item, || interface.to_owned()),
        }
    }

    fn name_resource(&mut self, item: &ComponentItem, name: impl FnOnce() -> String) {
        if let ComponentEntityType::Type {
            referenced: ComponentAnyTypeId::Resource(id),
            ..
        } = item.ty
        {
            self.resources.entry(id.resource()).or_insert_with(name);
        }
    }

    /// The functions of items.
    pub(super) fn items(
        &mut self,
        items: &[(&str, &ComponentItem)],
    ) -> Result<Items, InspectError> {
        let mut found = Items::new();
        for (name, item) in items {
            let mut functions = BTreeMap::new();
            match item.ty {
                ComponentEntityType::Func(id) => {
                    functions.insert((*name).to_owned(), self.function(id)?);
                }
                ComponentEntityType::Instance(id) => {
                    let exports = self.types.get(id).map(|instance| &instance.exports);
                    for (function, item) in exports.into_iter().flatten() {
                        if let ComponentEntityType::Func(id) = item.ty {
                            functions.insert(function.clone(), self.function(id)?);
                        }
                    }
                }
                _ => {}
            }
            found.insert((*name).to_owned(), functions);
        }
        Ok(found)
    }

    /// `func(a: u32) -> string`
    fn function(&mut self, id: ComponentFuncTypeId) -> Result<String, InspectError> {
        let mut text = String::new();
        let Some(function) = self.types.get(id) else {
            return Ok(text);
        };
        let start = if function.async_ {
            "async func("
        } else {
            "func("
        };
        self.push(&mut text, start)?;
        for (number, (name, ty)) in function.params.iter().enumerate() {
            self.push(&mut text, if number > 0 { ", " } else { "" })?;
            self.push(&mut text, format!("{name}: "))?;
            self.value(&mut text, *ty)?;
        }
        self.push(&mut text, ")")?;
        if let Some(result) = function.result {
            self.push(&mut text, " -> ")?;
            self.value(&mut text, result)?;
        }
        Ok(text)
    }

    /// `func(i32, i64) -> i32`
    pub(super) fn core_function(&mut self, id: CoreTypeId) -> Result<String, InspectError> {
        let mut text = String::new();
        let sub = self.types.get(id).map(|sub| &sub.composite_type.inner);
        let Some(CompositeInnerType::Func(function)) = sub else {
            return Ok(text);
        };
        self.push(&mut text, "func(")?;
        self.core_values(&mut text, function.params())?;
        self.push(&mut text, ")")?;
        if !function.results().is_empty() {
            self.push(&mut text, " -> ")?;
            self.core_values(&mut text, function.results())?;
        }
        Ok(text)
    }

    fn core_values(&mut self, text: &mut String, values: &[ValType]) -> Written {
        for (number, value) in values.iter().enumerate() {
            self.push(text, if number > 0 { ", " } else { "" })?;
            match value {
                // Its number says nothing in another module.
                ValType::Ref(reference) if reference.is_concrete_type_ref() => {
                    self.push(text, "ref")?;
                }
                value => self.push(text, value)?,
            }
        }
        Ok(())
    }

    fn value(&mut self, text: &mut String, value: ComponentValType) -> Written {
        let id = match value {
            ComponentValType::Primitive(primitive) => return self.push(text, primitive),
            ComponentValType::Type(id) => id,
        };
        let Some(defined) = self.types.get(id) else {
            return Ok(());
        };
        match defined {
            ComponentDefinedType::Primitive(primitive) => self.push(text, primitive),
            ComponentDefinedType::Record(record) => {
                let fields = record.fields.iter();
                self.named(text, "record", fields.map(|(name, ty)| (name, Some(*ty))))
            }
            ComponentDefinedType::Variant(variant) => {
                let cases = variant.cases.iter();
                self.named(text, "variant", cases.map(|(name, case)| (name, case.ty)))
            }
            ComponentDefinedType::Flags(names) => {
                self.named(text, "flags", names.iter().map(|name| (name, None)))
            }
            ComponentDefinedType::Enum(names) => {
                self.named(text, "enum", names.iter().map(|name| (name, None)))
            }
            ComponentDefinedType::Tuple(tuple) => {
                let types = tuple.types.iter().copied().map(Some);
                self.applied(text, "tuple", types)
            }
            ComponentDefinedType::List { element, .. } => {
                self.applied(text, "list", [Some(*element)])
            }
            ComponentDefinedType::FixedLengthList {
                element, length, ..
            } => {
                self.applied(text, "list", [Some(*element)])?;
                self.push(text, format!(" of {length}"))
            }
            ComponentDefinedType::Map { key, value, .. } => {
                self.applied(text, "map", [Some(*key), Some(*value)])
            }
            ComponentDefinedType::Option { ty, .. } => self.applied(text, "option", [Some(*ty)]),
            ComponentDefinedType::Result { ok, err, .. } => {
                self.applied(text, "result", [*ok, *err])
            }
            ComponentDefinedType::Future { ty, .. } => self.applied(text, "future", [*ty]),
            ComponentDefinedType::Stream { ty, .. } => self.applied(text, "stream", [*ty]),
            ComponentDefinedType::Own(id) => self.handle(text, "own", id.resource()),
            ComponentDefinedType::Borrow(id) => self.handle(text, "borrow", id.resource()),
        }
    }

    /// `record { a: u32, b }`
    fn named<'n, N: Display + 'n>(
        &mut self,
        text: &mut String,
        kind: &str,
        parts: impl Iterator<Item = (&'n N, Option<ComponentValType>)>,
    ) -> Written {
        self.push(text, format!("{kind} {{"))?;
        for (number, (name, ty)) in parts.enumerate() {
            let comma = if number > 0 { "," } else { "" };
            self.push(text, format!("{comma} {name}"))?;
            if let Some(ty) = ty {
                self.push(text, ": ")?;
                self.value(text, ty)?;
            }
        }
        self.push(text, " }")
    }

    /// `result<u32, _>`
    fn applied(
        &mut self,
        text: &mut String,
        kind: &str,
        types: impl IntoIterator<Item = Option<ComponentValType>>,
    ) -> Written {
        self.push(text, format!("{kind}<"))?;
        for (number, ty) in types.into_iter().enumerate() {
            self.push(text, if number > 0 { ", " } else { "" })?;
            match ty {
                Some(ty) => self.value(text, ty)?,
                None => self.push(text, "_")?,
            }
        }
        self.push(text, ">")
    }

    fn handle(&mut self, text: &mut String, kind: &str, id: ResourceId) -> Written {
        let name = self.resources.get(&id).map_or("resource", String::as_str);
        let handle = format!("{kind}<{name}>");
        self.push(text, handle)
    }

    fn push(&mut self, text: &mut String, piece: impl Display) -> Written {
        let piece = piece.to_string();
        let left = self.left.checked_sub(piece.len());
        self.left = left.ok_or(InspectError::TooManyItems)?;
        text.push_str(&piece);
        Ok(())
    }
}
