//! Proposals to WebAssembly beyond its first version, by the names of their repositories.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A proposal that an artifact uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names are those of the proposals")]
pub enum Feature {
    AcquireReleaseAtomics,
    BulkMemoryOperations,
    ComponentModelAsync,
    ComponentModelErrorContext,
    ComponentModelGc,
    ComponentModelImplements,
    ComponentModelThreading,
    ComponentModelValues,
    CustomDescriptors,
    CustomPageSizes,
    ExceptionHandling,
    ExtendedConst,
    FunctionReferences,
    Gc,
    LegacyExceptionHandling,
    Memory64,
    MemoryControl,
    MultiMemory,
    MultiValue,
    MutableGlobal,
    NontrappingFloatToIntConversions,
    ReferenceTypes,
    RelaxedSimd,
    SharedEverythingThreads,
    SignExtensionOps,
    Simd,
    StackSwitching,
    TailCall,
    Threads,
    WideArithmetic,
}

/// The text is no proposal that is known here.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{0}` is not a WebAssembly proposal that is known here")]
pub struct UnknownFeature(pub String);

impl Feature {
    /// All of them, sorted by name.
    pub const ALL: [Self; 30] = [
        Self::AcquireReleaseAtomics,
        Self::BulkMemoryOperations,
        Self::ComponentModelAsync,
        Self::ComponentModelErrorContext,
        Self::ComponentModelGc,
        Self::ComponentModelImplements,
        Self::ComponentModelThreading,
        Self::ComponentModelValues,
        Self::CustomDescriptors,
        Self::CustomPageSizes,
        Self::ExceptionHandling,
        Self::ExtendedConst,
        Self::FunctionReferences,
        Self::Gc,
        Self::LegacyExceptionHandling,
        Self::Memory64,
        Self::MemoryControl,
        Self::MultiMemory,
        Self::MultiValue,
        Self::MutableGlobal,
        Self::NontrappingFloatToIntConversions,
        Self::ReferenceTypes,
        Self::RelaxedSimd,
        Self::SharedEverythingThreads,
        Self::SignExtensionOps,
        Self::Simd,
        Self::StackSwitching,
        Self::TailCall,
        Self::Threads,
        Self::WideArithmetic,
    ];

    /// The proposal's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AcquireReleaseAtomics => "acquire-release-atomics",
            Self::BulkMemoryOperations => "bulk-memory-operations",
            Self::ComponentModelAsync => "component-model-async",
            Self::ComponentModelErrorContext => "component-model-error-context",
            Self::ComponentModelGc => "component-model-gc",
            Self::ComponentModelImplements => "component-model-implements",
            Self::ComponentModelThreading => "component-model-threading",
            Self::ComponentModelValues => "component-model-values",
            Self::CustomDescriptors => "custom-descriptors",
            Self::CustomPageSizes => "custom-page-sizes",
            Self::ExceptionHandling => "exception-handling",
            Self::ExtendedConst => "extended-const",
            Self::FunctionReferences => "function-references",
            Self::Gc => "gc",
            Self::LegacyExceptionHandling => "legacy-exception-handling",
            Self::Memory64 => "memory64",
            Self::MemoryControl => "memory-control",
            Self::MultiMemory => "multi-memory",
            Self::MultiValue => "multi-value",
            Self::MutableGlobal => "mutable-global",
            Self::NontrappingFloatToIntConversions => "nontrapping-float-to-int-conversions",
            Self::ReferenceTypes => "reference-types",
            Self::RelaxedSimd => "relaxed-simd",
            Self::SharedEverythingThreads => "shared-everything-threads",
            Self::SignExtensionOps => "sign-extension-ops",
            Self::Simd => "simd",
            Self::StackSwitching => "stack-switching",
            Self::TailCall => "tail-call",
            Self::Threads => "threads",
            Self::WideArithmetic => "wide-arithmetic",
        }
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Feature {
    type Err = UnknownFeature;

    fn from_str(text: &str) -> Result<Self, UnknownFeature> {
        let found = Self::ALL.into_iter().find(|known| known.as_str() == text);
        found.ok_or_else(|| UnknownFeature(text.to_owned()))
    }
}

impl TryFrom<String> for Feature {
    type Error = UnknownFeature;

    fn try_from(text: String) -> Result<Self, UnknownFeature> {
        text.parse()
    }
}

impl From<Feature> for String {
    fn from(feature: Feature) -> Self {
        feature.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_read_back_as_the_same_proposal() {
        for feature in Feature::ALL {
            assert_eq!(feature.as_str().parse(), Ok(feature));
        }
        assert_eq!(
            "wings".parse::<Feature>(),
            Err(UnknownFeature("wings".to_owned()))
        );
    }

    #[test]
    fn the_list_is_sorted_and_without_doubles() {
        assert!(Feature::ALL.is_sorted_by(|left, right| left < right));
    }
}
