//! Proposals that show in sections other than code.

use std::collections::BTreeSet;

use wasmparser::{
    AbstractHeapType, CanonicalFunction, CanonicalOption, CompositeInnerType, ConstExpr, DataKind,
    ElementKind, HeapType, Operator, Payload, RecGroup, RefType, StorageType, TableType, TypeRef,
    ValType,
};

use super::InspectError;
use crate::inspection::Feature;

/// A set of proposals, cheap enough to be added to at each operator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct FeatureSet(u64);

/// Memories of modules are counted one module at a time.
#[derive(Default)]
pub(super) struct Features {
    pub(super) found: FeatureSet,
    memories: usize,
}

impl FeatureSet {
    pub(super) const fn with(self, feature: Feature) -> Self {
        Self(self.0 | 1 << feature as u64)
    }

    pub(super) fn add(&mut self, feature: Feature) {
        *self = self.with(feature);
    }

    pub(super) const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn to_set(self) -> BTreeSet<Feature> {
        let all = Feature::ALL.into_iter();
        all.filter(|feature| self.with(*feature) == self).collect()
    }

    /// Adds what a type of a value takes.
    pub(super) fn value(&mut self, ty: ValType) {
        match ty {
            ValType::V128 => self.add(Feature::Simd),
            ValType::Ref(reference) => self.reference(reference),
            ValType::I32 | ValType::I64 | ValType::F32 | ValType::F64 => {}
        }
    }

    fn reference(&mut self, ty: RefType) {
        if !ty.is_nullable() {
            self.add(Feature::FunctionReferences);
        }
        match ty.heap_type() {
            HeapType::Abstract { shared, ty } => {
                if shared {
                    self.add(Feature::SharedEverythingThreads);
                }
                self.add(match ty {
                    AbstractHeapType::Func | AbstractHeapType::Extern => Feature::ReferenceTypes,
                    AbstractHeapType::Exn | AbstractHeapType::NoExn => Feature::ExceptionHandling,
                    AbstractHeapType::Cont | AbstractHeapType::NoCont => Feature::StackSwitching,
                    _ => Feature::Gc,
                });
            }
            HeapType::Concrete(_) => self.add(Feature::FunctionReferences),
            HeapType::Exact(_) => self.add(Feature::CustomDescriptors),
        }
    }

    fn table(&mut self, ty: &TableType) {
        // `funcref` was there from the beginning.
        if ty.element_type != RefType::FUNCREF {
            self.reference(ty.element_type);
        }
        if ty.table64 {
            self.add(Feature::Memory64);
        }
        if ty.shared {
            self.add(Feature::SharedEverythingThreads);
        }
    }

    fn types(&mut self, group: &RecGroup) {
        if group.is_explicit_rec_group() {
            self.add(Feature::Gc);
        }
        for ty in group.types() {
            if !ty.supertype_idxs.is_empty() || !ty.is_final {
                self.add(Feature::Gc);
            }
            if ty.composite_type.shared {
                self.add(Feature::SharedEverythingThreads);
            }
            match &ty.composite_type.inner {
                CompositeInnerType::Func(func) => {
                    if func.results().len() > 1 {
                        self.add(Feature::MultiValue);
                    }
                    func.params()
                        .iter()
                        .chain(func.results())
                        .for_each(|ty| self.value(*ty));
                }
                CompositeInnerType::Array(array) => self.field(array.0.element_type),
                CompositeInnerType::Struct(fields) => {
                    self.add(Feature::Gc);
                    fields
                        .fields
                        .iter()
                        .for_each(|field| self.field(field.element_type));
                }
                CompositeInnerType::Cont(_) => self.add(Feature::StackSwitching),
            }
        }
    }

    fn field(&mut self, ty: StorageType) {
        self.add(Feature::Gc);
        if let StorageType::Val(ty) = ty {
            self.value(ty);
        }
    }

    fn constant(&mut self, expression: &ConstExpr<'_>) -> Result<(), InspectError> {
        for operator in expression.get_operators_reader() {
            match operator? {
                Operator::I32Add
                | Operator::I32Sub
                | Operator::I32Mul
                | Operator::I64Add
                | Operator::I64Sub
                | Operator::I64Mul => self.add(Feature::ExtendedConst),
                Operator::V128Const { .. } => self.add(Feature::Simd),
                Operator::RefFunc { .. } => self.add(Feature::ReferenceTypes),
                Operator::RefNull { hty } => {
                    self.reference(RefType::new(true, hty).unwrap_or(RefType::FUNCREF));
                }
                Operator::RefI31
                | Operator::StructNew { .. }
                | Operator::StructNewDefault { .. }
                | Operator::ArrayNew { .. }
                | Operator::ArrayNewDefault { .. }
                | Operator::ArrayNewFixed { .. }
                | Operator::AnyConvertExtern
                | Operator::ExternConvertAny => self.add(Feature::Gc),
                _ => {}
            }
        }
        Ok(())
    }
}

impl Features {
    pub(super) fn take(&mut self, payload: &Payload<'_>) -> Result<(), InspectError> {
        match payload {
            Payload::Version { .. } => self.memories = 0,
            Payload::TypeSection(section) => {
                for group in section.clone() {
                    self.found.types(&group?);
                }
            }
            Payload::ImportSection(section) => {
                for import in section.clone().into_imports() {
                    self.import(import?.ty);
                }
            }
            Payload::TableSection(section) => {
                for table in section.clone() {
                    self.found.table(&table?.ty);
                }
                if section.count() > 1 {
                    self.found.add(Feature::ReferenceTypes);
                }
            }
            Payload::MemorySection(section) => {
                for memory in section.clone() {
                    self.memory(&memory?);
                }
            }
            Payload::TagSection(_) => self.found.add(Feature::ExceptionHandling),
            Payload::GlobalSection(section) => {
                for global in section.clone() {
                    let global = global?;
                    self.found.value(global.ty.content_type);
                    if global.ty.shared {
                        self.found.add(Feature::SharedEverythingThreads);
                    }
                    self.found.constant(&global.init_expr)?;
                }
            }
            Payload::ElementSection(section) => {
                for element in section.clone() {
                    match element?.kind {
                        ElementKind::Passive => self.found.add(Feature::BulkMemoryOperations),
                        ElementKind::Declared => self.found.add(Feature::ReferenceTypes),
                        ElementKind::Active { offset_expr, .. } => {
                            self.found.constant(&offset_expr)?;
                        }
                    }
                }
            }
            Payload::DataCountSection { .. } => self.found.add(Feature::BulkMemoryOperations),
            Payload::DataSection(section) => {
                for data in section.clone() {
                    match data?.kind {
                        DataKind::Passive => self.found.add(Feature::BulkMemoryOperations),
                        DataKind::Active { offset_expr, .. } => {
                            self.found.constant(&offset_expr)?;
                        }
                    }
                }
            }
            Payload::ComponentCanonicalSection(section) => {
                for function in section.clone() {
                    self.canonical(&function?);
                }
            }
            Payload::ComponentStartSection { .. } => self.found.add(Feature::ComponentModelValues),
            _ => {}
        }
        Ok(())
    }

    fn import(&mut self, ty: TypeRef) {
        match ty {
            TypeRef::Memory(memory) => self.memory(&memory),
            TypeRef::Table(table) => self.found.table(&table),
            TypeRef::Global(global) => {
                self.found.value(global.content_type);
                if global.mutable {
                    self.found.add(Feature::MutableGlobal);
                }
            }
            TypeRef::Tag(_) => self.found.add(Feature::ExceptionHandling),
            TypeRef::FuncExact(_) => self.found.add(Feature::CustomDescriptors),
            TypeRef::Func(_) => {}
        }
    }

    fn memory(&mut self, memory: &wasmparser::MemoryType) {
        self.memories += 1;
        let shows = [
            (self.memories > 1, Feature::MultiMemory),
            (memory.shared, Feature::Threads),
            (memory.memory64, Feature::Memory64),
            (memory.page_size_log2.is_some(), Feature::CustomPageSizes),
        ];
        for (_, feature) in shows.into_iter().filter(|(shows, _)| *shows) {
            self.found.add(feature);
        }
    }

    fn canonical(&mut self, function: &CanonicalFunction) {
        use CanonicalFunction as F;
        match function {
            F::Lift { options, .. } | F::Lower { options, .. } => {
                for option in options {
                    match option {
                        CanonicalOption::Async | CanonicalOption::Callback(_) => {
                            self.found.add(Feature::ComponentModelAsync);
                        }
                        CanonicalOption::Gc | CanonicalOption::CoreType(_) => {
                            self.found.add(Feature::ComponentModelGc);
                        }
                        _ => {}
                    }
                }
            }
            F::ResourceNew { .. } | F::ResourceDrop { .. } | F::ResourceRep { .. } => {}
            F::ErrorContextNew { .. }
            | F::ErrorContextDebugMessage { .. }
            | F::ErrorContextDrop => {
                self.found.add(Feature::ComponentModelErrorContext);
            }
            F::ThreadSpawnRef { .. }
            | F::ThreadSpawnIndirect { .. }
            | F::ThreadAvailableParallelism
            | F::ThreadIndex
            | F::ThreadNewIndirect { .. }
            | F::ThreadResumeLater
            | F::ThreadSuspend
            | F::ThreadSuspendThenResume
            | F::ThreadYieldThenResume
            | F::ThreadSuspendThenPromote
            | F::ThreadYieldThenPromote => self.found.add(Feature::ComponentModelThreading),
            // All that is left came with tasks, streams and futures.
            _ => self.found.add(Feature::ComponentModelAsync),
        }
    }
}
