//! Entries of lists that are a text, or a table that says more.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Spanned;

/// `"sockets"`, or the same as a table.
pub(in crate::policy) enum Entry<T> {
    Text(String),
    Table(T),
}

/// What a table of an `allow` list says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::policy) struct AllowShape {
    pub(in crate::policy) import: String,
    pub(in crate::policy) functions: Option<Spanned<Vec<Spanned<String>>>>,
    /// For who reads the file.
    #[serde(rename = "reason")]
    pub(in crate::policy) _reason: Option<String>,
}

/// What a table of a `deny` list says, with words for who reads the finding.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(in crate::policy) struct DenyShape {
    pub(in crate::policy) import: String,
    pub(in crate::policy) functions: Option<Spanned<Vec<Spanned<String>>>>,
    pub(in crate::policy) reason: Option<String>,
    pub(in crate::policy) use_instead: Option<String>,
}

/// An annotation with what it must say.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::policy) struct AnnotationShape {
    pub(in crate::policy) name: String,
    pub(in crate::policy) value: Option<Spanned<String>>,
}

/// What is expected in place of an entry, in words.
pub(in crate::policy) trait Expecting {
    const EXPECTING: &'static str;
}

impl Expecting for AllowShape {
    const EXPECTING: &'static str = "a capability, an interface, or a table with `import`";
}

impl Expecting for DenyShape {
    const EXPECTING: &'static str = "a capability, an interface, or a table with `import`";
}

impl Expecting for AnnotationShape {
    const EXPECTING: &'static str = "the name of an annotation, or a table with `name`";
}

impl<'de, T: Deserialize<'de> + Expecting> Deserialize<'de> for Entry<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EntryVisitor(PhantomData))
    }
}

struct EntryVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + Expecting> Visitor<'de> for EntryVisitor<T> {
    type Value = Entry<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(T::EXPECTING)
    }

    fn visit_str<E>(self, text: &str) -> Result<Entry<T>, E> {
        Ok(Entry::Text(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Entry<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Entry::Table)
    }
}
