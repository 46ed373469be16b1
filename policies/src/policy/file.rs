//! The shape of a policy file, before it is known to make sense.

mod entry;

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::{Spanned, Value};

pub(super) use entry::{AllowShape, AnnotationShape, DenyShape, Entry};

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) schema: Spanned<u64>,
    pub(super) default: Option<Spanned<Otherwise>>,
    #[serde(default)]
    pub(super) always: AlwaysShape,
    #[serde(default)]
    pub(super) rule: Vec<RuleShape>,
    #[serde(default)]
    pub(super) capability: BTreeMap<Spanned<String>, CapabilityShape>,
    #[serde(default)]
    pub(super) signer: BTreeMap<Spanned<String>, SignerShape>,
    #[serde(default)]
    pub(super) exception: Vec<ExceptionShape>,
}

/// What is done when no rule is for the repository.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Otherwise {
    #[default]
    Deny,
    Allow,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct AlwaysShape {
    #[serde(default)]
    pub(super) deny: Vec<Spanned<Entry<DenyShape>>>,
    pub(super) max_size: Option<Spanned<Value>>,
    pub(super) immutable_tags: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) inspect: Option<Spanned<Inspect>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RuleShape {
    pub(super) id: Spanned<String>,
    pub(super) repositories: Spanned<Vec<Spanned<String>>>,
    #[serde(default)]
    pub(super) mode: Mode,
    pub(super) kinds: Option<Spanned<Vec<KindShape>>>,
    pub(super) allow: Option<Spanned<Vec<Spanned<Entry<AllowShape>>>>>,
    #[serde(default)]
    pub(super) deny: Vec<Spanned<Entry<DenyShape>>>,
    #[serde(default)]
    pub(super) require_exports: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) require_annotations: Vec<Spanned<Entry<AnnotationShape>>>,
    pub(super) max_size: Option<Spanned<Value>>,
    pub(super) signatures: Option<Spanned<SignaturesShape>>,
    #[serde(default)]
    pub(super) attestations: Vec<Spanned<AttestationShape>>,
    pub(super) new_capabilities: Option<Spanned<Novelty>>,
    pub(super) immutable_tags: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) inspect: Option<Spanned<Inspect>>,
}

/// Whether a rule is enforced or only watches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mode {
    #[default]
    Enforce,
    Audit,
}

/// What is done when a version can do something that the one before it could not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Novelty {
    Allow,
    Warn,
    Hold,
    Deny,
}

/// What is done with what cannot be looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Inspect {
    /// It is taken; where Wasm was found beside it, with a warning.
    WherePossible,
    /// It is refused.
    Required,
}

/// What a repository may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum KindShape {
    Component,
    CoreModule,
    WitPackage,
    /// An image of another kind with Wasm inside its layers.
    WasmImage,
    /// What is no Wasm, such as an image.
    Other,
}

impl KindShape {
    /// The kind as the file has it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Component => "component",
            Self::CoreModule => "core-module",
            Self::WitPackage => "wit-package",
            Self::WasmImage => "wasm-image",
            Self::Other => "other",
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignaturesShape {
    pub(super) require: u64,
    pub(super) from: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AttestationShape {
    pub(super) predicate: Spanned<String>,
    /// One, when it is left out.
    pub(super) require: Option<u64>,
    pub(super) from: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CapabilityShape {
    pub(super) imports: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct SignerShape {
    pub(super) key: Option<Spanned<String>>,
    pub(super) issuer: Option<Spanned<String>>,
    pub(super) identity: Option<Spanned<String>>,
    pub(super) trusted_root: Option<Spanned<String>>,
    pub(super) not_before: Option<Spanned<Value>>,
    pub(super) not_after: Option<Spanned<Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExceptionShape {
    pub(super) repositories: Spanned<Vec<Spanned<String>>>,
    pub(super) digests: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) allow: Spanned<Vec<Spanned<Entry<AllowShape>>>>,
    pub(super) reason: Spanned<String>,
    pub(super) expires: Spanned<Value>,
}
