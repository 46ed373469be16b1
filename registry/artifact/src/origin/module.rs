//! What of a core module matters for who calls whom.

use std::collections::{BTreeMap, HashMap, HashSet};

use wasmparser::{
    BinaryReaderError, CompositeInnerType, ConstExpr, CustomSectionReader, DataKind, Element,
    ElementItems, ElementKind, ExternalKind, FunctionBody, KnownCustom, Name, Operator, Payload,
    SubType, TableInit, TypeRef,
};

use super::calls::Calls;
use super::data::Memory;
use super::signature::{Signature, Signatures};
use crate::limits;

/// A core module, as far as it was read.
#[derive(Default)]
pub(super) struct Module<'a> {
    /// Its name in its own `name` section.
    pub(super) name: Option<&'a str>,
    pub(super) imports: Vec<Import<'a>>,
    pub(super) exports: BTreeMap<&'a str, (Sort, u32)>,
    /// The type of each function, the imported ones first.
    pub(super) functions: Vec<u32>,
    pub(super) imported_functions: usize,
    /// The functions in each own table from the beginning.
    pub(super) tables: Vec<Content>,
    pub(super) globals: Vec<Content>,
    pub(super) segments: Vec<Segment>,
    pub(super) start: Option<u32>,
    pub(super) calls: Calls,
    pub(super) memory: Memory<'a>,
    /// The number of slots that segments fill.
    slots: u32,
    types: Vec<Option<Signature>>,
    /// The types of functions that take or give references.
    passing: HashSet<u32>,
    /// For each global, the imported ones first, whether it holds a reference.
    references: Vec<bool>,
    /// True when functions can go to a host, or come from it, in other ways than by being called or exported.
    pub(super) is_open: bool,
    names: HashMap<u32, &'a str>,
    imported_globals: usize,
}

/// Something that a module imports.
pub(super) struct Import<'a> {
    pub(super) module: &'a str,
    pub(super) name: &'a str,
    pub(super) sort: Sort,
    /// True when functions may come through it, or go out.
    pub(super) holds_functions: bool,
}

/// The kinds of things that modules pass to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Function,
    Table,
    Global,
    /// Memories and tags: nothing is called through them.
    Other,
}

/// What a constant expression gives, as far as functions and slots go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Function(u32),
    Global(u32),
    Number(u64),
    Unknown,
}

/// An element segment.
pub(super) struct Segment {
    pub(super) mode: Mode,
    pub(super) items: Vec<Content>,
}

/// Where the elements of a segment go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Into a table when the module is instantiated, from this slot on.
    Active { table: u32, from: Content },
    /// Where code copies them.
    Passive,
}

impl Segment {
    /// The slot after the last one that it fills, where that is known.
    fn end(&self) -> u32 {
        match self.mode {
            Mode::Active {
                table: 0,
                from: Content::Number(from),
            } => {
                let end = from.saturating_add(self.items.len() as u64);
                u32::try_from(end).map_or(limits::SLOTS, |end| end.min(limits::SLOTS))
            }
            _ => 0,
        }
    }
}

impl<'a> Module<'a> {
    /// Takes the next part of the module.
    pub(super) fn take(
        &mut self,
        payload: Payload<'a>,
        signatures: &mut Signatures,
    ) -> Result<(), BinaryReaderError> {
        match payload {
            Payload::TypeSection(section) => {
                for group in section {
                    let group = group?;
                    for (index, defined) in (self.types.len()..).zip(group.types()) {
                        if passes_references(defined) {
                            self.passing.extend(u32::try_from(index));
                        }
                    }
                    self.types.extend(signatures.of(group));
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    self.import(&import?);
                }
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    self.functions.push(ty?);
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    self.is_open |= self.lets_out(export.kind, export.index);
                    self.exports
                        .insert(export.name, (sort(export.kind), export.index));
                }
            }
            Payload::StartSection { func, .. } => self.start = Some(func),
            Payload::CodeSectionEntry(body) => self.code(&body)?,
            Payload::CustomSection(section) => self.names(&section),
            other => return self.contents(other),
        }
        Ok(())
    }

    /// True when references can pass through an export: a host may take from it and put into it what it likes.
    fn lets_out(&self, kind: ExternalKind, index: u32) -> bool {
        let at = index as usize;
        match kind {
            ExternalKind::Func | ExternalKind::FuncExact => {
                let ty = self.functions.get(at);
                ty.is_some_and(|ty| self.passing.contains(ty))
            }
            ExternalKind::Global => self.references.get(at).copied().unwrap_or_default(),
            ExternalKind::Table | ExternalKind::Tag => true,
            ExternalKind::Memory => false,
        }
    }

    /// Ends the module, when all of it was read.
    pub(super) fn finish(&mut self) {
        self.calls.finish();
        self.memory.finish(&mut self.calls.addresses, self.slots);
    }

    /// The signature of a type, if it can be compared.
    pub(super) fn signature(&self, ty: u32) -> Option<Signature> {
        self.types.get(ty as usize).copied().flatten()
    }

    /// The signature of a function, if it can be compared.
    pub(super) fn signature_of(&self, function: usize) -> Option<Signature> {
        self.signature(*self.functions.get(function)?)
    }

    /// True when a function does nothing but call on through a slot of a table.
    pub(super) fn passes_on(&self, function: u32) -> bool {
        self.body(function)
            .is_some_and(|body| self.calls.passes_on(body))
    }

    /// Which of the bodies is that of a function; an imported one has none.
    pub(super) fn body(&self, function: u32) -> Option<usize> {
        (function as usize).checked_sub(self.imported_functions)
    }

    /// True when the module says what its functions are called.
    pub(super) fn has_names(&self) -> bool {
        !self.names.is_empty()
    }

    /// What a function is called in the `name` section, else how it is exported.
    pub(super) fn function_name(&self, function: u32) -> Option<&'a str> {
        self.names.get(&function).copied().or_else(|| {
            let mut exports = self.exports.iter();
            let exported = exports.find(|(_, what)| **what == (Sort::Function, function));
            exported.map(|(name, _)| *name)
        })
    }

    fn code(&mut self, body: &FunctionBody<'_>) -> Result<(), BinaryReaderError> {
        let (globals, imported) = (&self.globals, self.imported_globals);
        let global = |index: u32| match globals.get((index as usize).checked_sub(imported)?)? {
            Content::Number(number) => Some(*number),
            _ => None,
        };
        self.calls.read(body, self.slots, global)
    }

    fn contents(&mut self, payload: Payload<'a>) -> Result<(), BinaryReaderError> {
        match payload {
            Payload::TableSection(section) => {
                for table in section {
                    let content = match table?.init {
                        TableInit::RefNull => Content::Unknown,
                        TableInit::Expr(expression) => self.content(&expression)?,
                    };
                    self.tables.push(content);
                }
            }
            Payload::GlobalSection(section) => {
                for global in section {
                    // What is stored in a global later is a reference that somebody took.
                    let global = global?;
                    self.references
                        .push(global.ty.content_type.is_reference_type());
                    let content = self.content(&global.init_expr)?;
                    self.globals.push(content);
                }
            }
            Payload::ElementSection(section) => {
                for element in section {
                    let segment = self.segment(element?)?;
                    self.slots = self.slots.max(segment.end());
                    self.segments.push(segment);
                }
            }
            Payload::DataSection(section) => {
                for data in section {
                    let data = data?;
                    let from = match &data.kind {
                        DataKind::Active { offset_expr, .. } => self.content(offset_expr)?,
                        DataKind::Passive => Content::Unknown,
                    };
                    if let Content::Number(from) = from {
                        self.memory.take(&data, from);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn import(&mut self, import: &wasmparser::Import<'a>) {
        let sort = match import.ty {
            TypeRef::Func(ty) | TypeRef::FuncExact(ty) => {
                self.functions.push(ty);
                self.imported_functions += 1;
                Sort::Function
            }
            TypeRef::Table(_) => Sort::Table,
            TypeRef::Global(_) => {
                self.imported_globals += 1;
                Sort::Global
            }
            TypeRef::Memory(_) | TypeRef::Tag(_) => Sort::Other,
        };
        let holds_functions = match import.ty {
            TypeRef::Func(ty) | TypeRef::FuncExact(ty) => self.passing.contains(&ty),
            TypeRef::Global(global) => {
                let is_reference = global.content_type.is_reference_type();
                self.references.push(is_reference);
                is_reference
            }
            TypeRef::Table(_) | TypeRef::Tag(_) => true,
            TypeRef::Memory(_) => false,
        };
        self.is_open |= holds_functions;
        self.imports.push(Import {
            module: import.module,
            name: import.name,
            sort,
            holds_functions,
        });
    }

    /// Reads the `name` section. One that is broken gives the names before the breach.
    fn names(&mut self, section: &CustomSectionReader<'a>) {
        let KnownCustom::Name(parts) = section.as_known() else {
            return;
        };
        for part in parts {
            match part {
                Ok(Name::Module { name, .. }) => self.name = Some(name),
                Ok(Name::Function(names)) => {
                    let readable = names.map_while(Result::ok);
                    self.names
                        .extend(readable.map(|naming| (naming.index, naming.name)));
                }
                Ok(_) => {}
                Err(_) => return,
            }
        }
    }

    fn segment(&mut self, element: Element<'_>) -> Result<Segment, BinaryReaderError> {
        let mode = match &element.kind {
            ElementKind::Active {
                table_index,
                offset_expr,
            } => Mode::Active {
                table: table_index.unwrap_or(0),
                from: self.content(offset_expr)?,
            },
            ElementKind::Passive | ElementKind::Declared => Mode::Passive,
        };
        let items = match element.items {
            ElementItems::Functions(functions) => functions
                .into_iter()
                .map(|function| function.map(Content::Function))
                .collect::<Result<_, _>>()?,
            ElementItems::Expressions(_, expressions) => expressions
                .into_iter()
                .map(|expression| self.content(&expression?))
                .collect::<Result<_, _>>()?,
        };
        Ok(Segment { mode, items })
    }

    /// What an expression of one operator gives; longer ones are not worked out. The functions
    /// that it takes references of are kept in any case.
    fn content(&mut self, expression: &ConstExpr<'_>) -> Result<Content, BinaryReaderError> {
        let mut found = Vec::new();
        let mut operators = expression.get_operators_reader();
        while !operators.eof() {
            found.push(match operators.read()? {
                Operator::RefFunc { function_index } => {
                    self.calls.taken.push(function_index);
                    Content::Function(function_index)
                }
                Operator::GlobalGet { global_index } => Content::Global(global_index),
                Operator::I32Const { value } => Content::Number(u64::from(value.cast_unsigned())),
                Operator::I64Const { value } => Content::Number(value.cast_unsigned()),
                Operator::End => continue,
                _ => Content::Unknown,
            });
        }
        Ok(match found.as_slice() {
            [only] => *only,
            _ => Content::Unknown,
        })
    }
}

fn passes_references(defined: &SubType) -> bool {
    match &defined.composite_type.inner {
        CompositeInnerType::Func(function) => {
            let mut values = function.params().iter().chain(function.results());
            values.any(wasmparser::ValType::is_reference_type)
        }
        // Continuations and data are no types of functions that are exported or imported.
        _ => false,
    }
}

/// The sort of an export.
pub(super) fn sort(kind: ExternalKind) -> Sort {
    match kind {
        ExternalKind::Func | ExternalKind::FuncExact => Sort::Function,
        ExternalKind::Table => Sort::Table,
        ExternalKind::Global => Sort::Global,
        ExternalKind::Memory | ExternalKind::Tag => Sort::Other,
    }
}
