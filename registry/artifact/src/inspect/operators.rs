//! Validation of one function, with a look at the proposals that its operators come from.
//!
//! Each operator is handed on to `wasmparser`'s own validator, so this neither adds to nor takes
//! away from what is valid.

use wasmparser::{
    BinaryReaderError, FrameKind, FrameStack, FuncValidator, FunctionBody, ValidatorResources,
    VisitOperator, VisitSimdOperator, for_each_visit_operator, for_each_visit_simd_operator,
};

use super::features::FeatureSet;
use crate::inspection::Feature;

/// Validates a function and adds the proposals that it uses to `found`.
pub(super) fn validate_function(
    validator: &mut FuncValidator<ValidatorResources>,
    body: &FunctionBody<'_>,
    found: &mut FeatureSet,
) -> Result<(), BinaryReaderError> {
    let mut locals = body.get_locals_reader()?;
    for _ in 0..locals.get_count() {
        let offset = locals.original_position();
        let (count, ty) = locals.read()?;
        found.value(ty);
        validator.define_locals(offset, count, ty)?;
    }
    let mut reader = body.get_binary_reader_for_operators()?;
    reader.set_features(super::accepted());
    while !reader.eof() {
        let frame = validator.get_control_frame(0).map(|frame| frame.kind);
        let mut visitor = Watching {
            inner: validator.simd_visitor(reader.original_position()),
            frame,
            found,
        };
        reader.visit_operator(&mut visitor)??;
    }
    reader.finish_expression(&validator.visitor(reader.original_position()))
}

/// A visitor that notes where operators come from and hands them on.
struct Watching<'f, V> {
    inner: V,
    /// The innermost frame before the operator that is visited.
    frame: Option<FrameKind>,
    found: &'f mut FeatureSet,
}

/// Notes a proposal, by the name that `wasmparser` has for it.
macro_rules! note {
    ($found:expr, mvp) => {};
    ($found:expr, acquire_release_atomics) => {
        $found.add(Feature::AcquireReleaseAtomics)
    };
    ($found:expr, bulk_memory) => {
        $found.add(Feature::BulkMemoryOperations)
    };
    ($found:expr, custom_descriptors) => {
        $found.add(Feature::CustomDescriptors)
    };
    ($found:expr, exceptions) => {
        $found.add(Feature::ExceptionHandling)
    };
    ($found:expr, function_references) => {
        $found.add(Feature::FunctionReferences)
    };
    ($found:expr, gc) => {
        $found.add(Feature::Gc)
    };
    ($found:expr, legacy_exceptions) => {
        $found.add(Feature::LegacyExceptionHandling)
    };
    ($found:expr, memory_control) => {
        $found.add(Feature::MemoryControl)
    };
    ($found:expr, reference_types) => {
        $found.add(Feature::ReferenceTypes)
    };
    ($found:expr, relaxed_simd) => {
        $found.add(Feature::RelaxedSimd)
    };
    ($found:expr, saturating_float_to_int) => {
        $found.add(Feature::NontrappingFloatToIntConversions)
    };
    ($found:expr, shared_everything_threads) => {
        $found.add(Feature::SharedEverythingThreads)
    };
    ($found:expr, sign_extension) => {
        $found.add(Feature::SignExtensionOps)
    };
    ($found:expr, simd) => {
        $found.add(Feature::Simd)
    };
    ($found:expr, stack_switching) => {
        $found.add(Feature::StackSwitching)
    };
    ($found:expr, tail_call) => {
        $found.add(Feature::TailCall)
    };
    ($found:expr, threads) => {
        $found.add(Feature::Threads)
    };
    ($found:expr, wide_arithmetic) => {
        $found.add(Feature::WideArithmetic)
    };
}

/// A method for each operator.
macro_rules! watch {
    ($(
        @$proposal:ident $operator:ident $({ $($argument:ident: $type:ty),* })?
            => $visit:ident ($($arity:tt)*)
    )*) => {
        $(
            fn $visit(&mut self $($(, $argument: $type)*)?) -> Self::Output {
                note!(self.found, $proposal);
                self.inner.$visit($($($argument),*)?)
            }
        )*
    };
}

impl<'a, V> VisitOperator<'a> for Watching<'_, V>
where
    V: VisitSimdOperator<'a>,
{
    type Output = V::Output;

    fn simd_visitor(&mut self) -> Option<&mut dyn VisitSimdOperator<'a, Output = Self::Output>> {
        Some(self)
    }

    for_each_visit_operator!(watch);
}

impl<'a, V> VisitSimdOperator<'a> for Watching<'_, V>
where
    V: VisitSimdOperator<'a>,
{
    for_each_visit_simd_operator!(watch);
}

impl<V> FrameStack for Watching<'_, V> {
    fn current_frame(&self) -> Option<FrameKind> {
        self.frame
    }
}
