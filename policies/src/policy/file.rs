//! The shape of a policy file, before it is known to make sense.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Spanned;

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) schema: Spanned<u64>,
    pub(super) default: Option<Spanned<Otherwise>>,
    #[serde(default)]
    pub(super) always: Always,
    #[serde(default)]
    pub(super) rule: Vec<RuleShape>,
    #[serde(default)]
    pub(super) capability: BTreeMap<Spanned<String>, CapabilityShape>,
    #[serde(default)]
    pub(super) signer: BTreeMap<Spanned<String>, SignerShape>,
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
#[serde(deny_unknown_fields)]
pub(super) struct Always {
    #[serde(default)]
    pub(super) deny: Vec<Spanned<DenyShape>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleShape {
    pub(super) id: Spanned<String>,
    pub(super) repositories: Spanned<Vec<Spanned<String>>>,
    #[serde(default)]
    pub(super) mode: Mode,
    pub(super) kinds: Option<Spanned<Vec<KindShape>>>,
    pub(super) allow: Option<Spanned<Vec<Spanned<String>>>>,
    #[serde(default)]
    pub(super) deny: Vec<Spanned<DenyShape>>,
    pub(super) signatures: Option<Spanned<SignaturesShape>>,
}

/// Whether a rule is enforced or only watches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mode {
    #[default]
    Enforce,
    Audit,
}

/// What a repository may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum KindShape {
    Component,
    CoreModule,
    WitPackage,
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
pub(super) struct CapabilityShape {
    pub(super) imports: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignerShape {
    pub(super) key: Spanned<String>,
}

/// What is denied: `"sockets"`, or the same with words for who reads the finding.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", remote = "Self")]
pub(super) struct DenyShape {
    pub(super) import: String,
    pub(super) reason: Option<String>,
    pub(super) use_instead: Option<String>,
}

impl<'de> Deserialize<'de> for DenyShape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct StringOrTable;

        impl<'de> Visitor<'de> for StringOrTable {
            type Value = DenyShape;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a capability, an interface, or a table with `import`")
            }

            fn visit_str<E>(self, text: &str) -> Result<DenyShape, E> {
                Ok(DenyShape {
                    import: text.to_owned(),
                    reason: None,
                    use_instead: None,
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<DenyShape, A::Error> {
                DenyShape::deserialize(MapAccessDeserializer::new(map))
            }
        }

        deserializer.deserialize_any(StringOrTable)
    }
}
