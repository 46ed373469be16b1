//! The components and core modules in the bytes, each read once, before anything of them
//! is put together.

use std::collections::HashMap;

use wasmparser::{
    CanonicalFunction, ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentName,
    ComponentType, ComponentTypeRef, CustomSectionReader, Encoding, Instance, KnownCustom, Parser,
    Payload,
};

use super::module::Module;
use super::signature::Signatures;
use crate::inspect::{InspectError, NotWasm};
use crate::limits;

/// Everything that is defined in the bytes.
pub(super) struct Program<'a> {
    pub(super) components: Vec<Component<'a>>,
    pub(super) modules: Vec<Module<'a>>,
    pub(super) outermost: Outermost,
}

/// What the bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outermost {
    /// The first of the components.
    Component,
    /// The first of the modules, and nothing else.
    Module,
}

/// A component: what it defines, in order.
#[derive(Default)]
pub(super) struct Component<'a> {
    pub(super) definitions: Vec<Definition<'a>>,
    /// What its core modules are called in its `component-name` section.
    pub(super) module_names: HashMap<u32, &'a str>,
}

/// A definition in a component; most of them take the next index of their kind.
pub(super) enum Definition<'a> {
    Module(usize),
    Component(usize),
    CoreInstance(Instance<'a>),
    Instance(ComponentInstance<'a>),
    Alias(ComponentAlias<'a>),
    Resource {
        destructor: Option<u32>,
    },
    Type,
    Function(CanonicalFunction),
    Start(u32),
    Import {
        name: &'a str,
        full_name: String,
        ty: ComponentTypeRef,
    },
    Export {
        name: &'a str,
        kind: ComponentExternalKind,
        index: u32,
    },
}

/// What is being read; the innermost is on top of the stack.
enum Open<'a> {
    Component(usize),
    Module(usize, Box<Module<'a>>),
}

impl<'a> Program<'a> {
    /// Reads `bytes`, code and all, in one pass.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, InspectError> {
        if let Some(other) = NotWasm::recognise(bytes) {
            return Err(InspectError::NotWasm(other));
        }
        let mut program = Self {
            components: Vec::new(),
            modules: Vec::new(),
            outermost: Outermost::Module,
        };
        let mut signatures = Signatures::default();
        let mut open: Vec<Open<'a>> = Vec::new();
        for payload in Parser::new(0).parse_all(bytes) {
            match (payload?, open.last_mut()) {
                (Payload::Version { encoding, .. }, _) => {
                    let inner = program.open(encoding, open.last())?;
                    open.push(inner);
                    if open.len() > limits::NESTING {
                        return Err(InspectError::TooDeep);
                    }
                }
                (Payload::End(_), _) => program.close(open.pop()),
                (payload, Some(Open::Module(_, module))) => {
                    module.take(payload, &mut signatures)?;
                }
                (payload, Some(Open::Component(index))) => {
                    if let Some(component) = program.components.get_mut(*index) {
                        component.take(payload)?;
                    }
                }
                (_, None) => {}
            }
        }
        Ok(program)
    }

    /// Begins a module or component, and names it where it lies.
    fn open(
        &mut self,
        encoding: Encoding,
        outside: Option<&Open<'a>>,
    ) -> Result<Open<'a>, InspectError> {
        if self.modules.len() + self.components.len() >= limits::ITEMS {
            return Err(InspectError::TooManyItems);
        }
        let (inner, definition) = match encoding {
            Encoding::Module => {
                let index = self.modules.len();
                self.modules.push(Module::default());
                (
                    Open::Module(index, Box::default()),
                    Definition::Module(index),
                )
            }
            Encoding::Component => {
                let index = self.components.len();
                self.components.push(Component::default());
                (Open::Component(index), Definition::Component(index))
            }
        };
        match outside {
            Some(Open::Component(outside)) => {
                if let Some(outside) = self.components.get_mut(*outside) {
                    outside.definitions.push(definition);
                }
            }
            _ if encoding == Encoding::Component => self.outermost = Outermost::Component,
            _ => {}
        }
        Ok(inner)
    }

    fn close(&mut self, inner: Option<Open<'a>>) {
        if let Some(Open::Module(index, mut module)) = inner
            && let Some(place) = self.modules.get_mut(index)
        {
            module.finish();
            *place = *module;
        }
    }
}

impl<'a> Component<'a> {
    fn take(&mut self, payload: Payload<'a>) -> Result<(), InspectError> {
        match payload {
            Payload::ComponentTypeSection(section) => {
                for defined in section {
                    self.definitions.push(match defined? {
                        ComponentType::Resource { dtor, .. } => {
                            Definition::Resource { destructor: dtor }
                        }
                        _ => Definition::Type,
                    });
                }
            }
            Payload::ComponentImportSection(section) => {
                for import in section {
                    let import = import?;
                    self.definitions.push(Definition::Import {
                        name: import.name.name,
                        full_name: import.name.full_name().into_owned(),
                        ty: import.ty,
                    });
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section {
                    let export = export?;
                    self.definitions.push(Definition::Export {
                        name: export.name.name,
                        kind: export.kind,
                        index: export.index,
                    });
                }
            }
            Payload::ComponentStartSection { start, .. } => {
                self.definitions.push(Definition::Start(start.func_index));
            }
            Payload::CustomSection(section) => self.names(&section),
            other => return self.made(other),
        }
        Ok(())
    }

    /// Definitions that are made of others.
    fn made(&mut self, payload: Payload<'a>) -> Result<(), InspectError> {
        match payload {
            Payload::InstanceSection(section) => {
                for instance in section {
                    self.definitions.push(Definition::CoreInstance(instance?));
                }
            }
            Payload::ComponentInstanceSection(section) => {
                for instance in section {
                    self.definitions.push(Definition::Instance(instance?));
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section {
                    self.definitions.push(Definition::Alias(alias?));
                }
            }
            Payload::ComponentCanonicalSection(section) => {
                for function in section {
                    self.definitions.push(Definition::Function(function?));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn names(&mut self, section: &CustomSectionReader<'a>) {
        let KnownCustom::ComponentName(parts) = section.as_known() else {
            return;
        };
        for part in parts.into_iter().map_while(Result::ok) {
            if let ComponentName::CoreModules(names) = part {
                let named = names.map_while(Result::ok);
                self.module_names
                    .extend(named.map(|naming| (naming.index, naming.name)));
            }
        }
    }
}
