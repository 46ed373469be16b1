//! Imports and exports of a component, with the functions behind each import.

use wasmparser::{
    ComponentAlias, ComponentExternName, ComponentExternalKind, ComponentOuterAliasKind,
    ComponentType, ComponentTypeRef, InstanceTypeDeclaration, Payload, TypeBounds,
};

use super::InspectError;
use crate::inspection::{Export, Import, ItemKind, Kind};
use crate::limits;

/// The custom section in which wit-component says that a component is a WIT package.
const WIT_PACKAGE_SECTION: &str = "wit-component-encoding";

/// What a component imports and exports, as far as it was read.
#[derive(Default)]
pub(super) struct Outline {
    /// The component's index space of types. Only types of instances are kept.
    types: Vec<Option<InstanceShape>>,
    imports: Vec<Import>,
    exports: Vec<Export>,
    kept: Kept,
    has_code: bool,
    is_wit_package: bool,
}

/// How many names were kept so far, and their bytes: one type can be imported many times.
#[derive(Default)]
struct Kept {
    names: usize,
    bytes: usize,
}

/// The names in the type of an instance.
#[derive(Clone, Default)]
struct InstanceShape {
    functions: Vec<String>,
    resources: Vec<String>,
    opaque: bool,
}

impl Outline {
    pub(super) fn take(&mut self, payload: Payload<'_>) -> Result<(), InspectError> {
        match payload {
            Payload::ComponentTypeSection(section) => {
                for defined in section {
                    self.types.push(InstanceShape::of(&defined?));
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section {
                    self.alias(&alias?);
                }
            }
            Payload::ComponentImportSection(section) => {
                for import in section {
                    let import = import?;
                    self.import(&import.name, import.ty)?;
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section {
                    let export = export?;
                    self.export(&export.name, export.kind)?;
                }
            }
            Payload::CustomSection(section) => {
                self.is_wit_package |= section.name() == WIT_PACKAGE_SECTION;
            }
            Payload::ModuleSection { .. }
            | Payload::ComponentSection { .. }
            | Payload::InstanceSection(_)
            | Payload::ComponentInstanceSection(_)
            | Payload::ComponentCanonicalSection(_)
            | Payload::ComponentStartSection { .. } => self.has_code = true,
            _ => {}
        }
        Ok(())
    }

    pub(super) fn finish(self) -> (Kind, Vec<Import>, Vec<Export>) {
        // The section alone does not make a WIT package: what can run is a component.
        let kind = if self.is_wit_package && !self.has_code {
            Kind::WitPackage
        } else {
            Kind::Component
        };
        (kind, self.imports, self.exports)
    }

    /// An alias of a type takes the next index; its shape is not followed.
    fn alias(&mut self, alias: &ComponentAlias<'_>) {
        let is_type = matches!(
            alias,
            ComponentAlias::InstanceExport {
                kind: ComponentExternalKind::Type,
                ..
            } | ComponentAlias::Outer {
                kind: ComponentOuterAliasKind::Type,
                ..
            }
        );
        if is_type {
            self.types.push(None);
        }
    }

    fn import(
        &mut self,
        name: &ComponentExternName<'_>,
        ty: ComponentTypeRef,
    ) -> Result<(), InspectError> {
        self.kept.add(1, name.name.len())?;
        let shape = match ty {
            ComponentTypeRef::Instance(index) => self.shape(index)?,
            ComponentTypeRef::Type(_) => {
                self.types.push(None);
                InstanceShape::default()
            }
            _ => InstanceShape::default(),
        };
        self.imports.push(Import {
            name: name.full_name().into_owned(),
            implements: name.full_implements().map(std::borrow::Cow::into_owned),
            kind: item_kind(ty.kind()),
            functions: shape.functions,
            resources: shape.resources,
            opaque: shape.opaque,
        });
        Ok(())
    }

    /// The names in the type of an instance. They are counted before they are copied.
    fn shape(&mut self, index: u32) -> Result<InstanceShape, InspectError> {
        let Some(Some(shape)) = self.types.get(index as usize) else {
            return Ok(InstanceShape::opaque());
        };
        let names = shape.functions.iter().chain(&shape.resources);
        self.kept
            .add(names.clone().count(), names.map(String::len).sum())?;
        Ok(shape.clone())
    }

    fn export(
        &mut self,
        name: &ComponentExternName<'_>,
        kind: ComponentExternalKind,
    ) -> Result<(), InspectError> {
        self.kept.add(1, name.name.len())?;
        if kind == ComponentExternalKind::Type {
            self.types.push(None);
        }
        self.exports.push(Export {
            name: name.full_name().into_owned(),
            implements: None,
            kind: item_kind(kind),
            functions: Vec::new(),
            resources: Vec::new(),
            imports: Vec::new(),
            opaque: false,
        });
        Ok(())
    }
}

impl Kept {
    fn add(&mut self, names: usize, bytes: usize) -> Result<(), InspectError> {
        self.names = self.names.saturating_add(names);
        self.bytes = self.bytes.saturating_add(bytes);
        if self.names > limits::ITEMS || self.bytes > limits::NAME_BYTES {
            return Err(InspectError::TooManyItems);
        }
        Ok(())
    }
}

impl InstanceShape {
    fn opaque() -> Self {
        Self {
            opaque: true,
            ..Self::default()
        }
    }

    fn of(defined: &ComponentType<'_>) -> Option<Self> {
        let ComponentType::Instance(declarations) = defined else {
            return None;
        };
        let mut shape = Self::default();
        for declaration in declarations {
            if let InstanceTypeDeclaration::Export { name, ty } = declaration {
                shape.add(name, *ty);
            }
        }
        shape.functions.sort();
        shape.resources.sort();
        Some(shape)
    }

    fn add(&mut self, name: &ComponentExternName<'_>, ty: ComponentTypeRef) {
        match ty {
            ComponentTypeRef::Func(_) => self.functions.push(name.full_name().into_owned()),
            ComponentTypeRef::Type(TypeBounds::SubResource) => {
                self.resources.push(name.full_name().into_owned());
            }
            ComponentTypeRef::Type(TypeBounds::Eq(_)) => {}
            // What lies in an instance, component or module inside the instance is not
            // followed; no toolchain writes one.
            _ => self.opaque = true,
        }
    }
}

fn item_kind(kind: ComponentExternalKind) -> ItemKind {
    match kind {
        ComponentExternalKind::Module => ItemKind::CoreModule,
        ComponentExternalKind::Func => ItemKind::Func,
        ComponentExternalKind::Value => ItemKind::Value,
        ComponentExternalKind::Type => ItemKind::Type,
        ComponentExternalKind::Instance => ItemKind::Instance,
        ComponentExternalKind::Component => ItemKind::Component,
    }
}
