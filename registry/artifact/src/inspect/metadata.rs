//! What custom sections say about the program: producers, name, authors, licenses.
//!
//! They are words of whoever made the bytes. Nothing is decided by them, and what cannot be read is left out.

use std::collections::BTreeMap;

use serde_json::Value;
use wasmparser::{ComponentName, CustomSectionReader, KnownCustom, Name, ProducersSectionReader};

use super::InspectError;
use super::shapes::Shapes;
use crate::limits;

/// One section each, named like the OCI annotation of the same meaning (wasm-metadata).
const PLAIN: [&str; 7] = [
    "authors",
    "description",
    "homepage",
    "licenses",
    "revision",
    "source",
    "version",
];
/// The one section of before, with JSON in it, and the names that its fields have today.
const REGISTRY_METADATA: &str = "registry-metadata";
const REGISTRY_METADATA_FIELDS: [(&str, &str); 3] = [
    ("authors", "authors"),
    ("description", "description"),
    ("license", "licenses"),
];

/// What was said so far.
#[derive(Default)]
pub(super) struct Metadata {
    /// Languages and tools: field, then name, then version.
    pub(super) producers: BTreeMap<String, BTreeMap<String, String>>,
    /// What is said of the outermost module or component.
    pub(super) own: BTreeMap<String, String>,
}

impl Metadata {
    pub(super) fn take(
        &mut self,
        is_outermost: bool,
        section: &CustomSectionReader<'_>,
        shapes: &mut Shapes,
    ) -> Result<(), InspectError> {
        match section.as_known() {
            KnownCustom::Producers(reader) => return self.producers(reader, shapes),
            KnownCustom::ComponentName(reader) if is_outermost => {
                for part in reader.into_iter().map_while(Result::ok) {
                    if let ComponentName::Component { name, .. } = part {
                        self.say("name", name);
                    }
                }
            }
            KnownCustom::Name(reader) if is_outermost => {
                for part in reader.into_iter().map_while(Result::ok) {
                    if let Name::Module { name, .. } = part {
                        self.say("name", name);
                    }
                }
            }
            _ if is_outermost => self.text(section.name(), section.data()),
            _ => {}
        }
        Ok(())
    }

    fn producers(
        &mut self,
        reader: ProducersSectionReader<'_>,
        shapes: &mut Shapes,
    ) -> Result<(), InspectError> {
        for field in reader.into_iter().map_while(Result::ok) {
            for value in field.values.into_iter().map_while(Result::ok) {
                shapes.count(1, field.name.len() + value.name.len() + value.version.len())?;
                let named = self.producers.entry(field.name.to_owned()).or_default();
                named.insert(value.name.to_owned(), value.version.to_owned());
            }
        }
        Ok(())
    }

    fn text(&mut self, name: &str, data: &[u8]) {
        if data.len() > limits::METADATA_BYTES {
            return;
        }
        if PLAIN.contains(&name) {
            if let Ok(text) = str::from_utf8(data) {
                self.say(name, text);
            }
        } else if name == REGISTRY_METADATA {
            let read: BTreeMap<String, Value> = serde_json::from_slice(data).unwrap_or_default();
            for (old, new) in REGISTRY_METADATA_FIELDS {
                if let Some(text) = read.get(old).and_then(flat) {
                    self.say(new, &text);
                }
            }
        }
    }

    /// What is said first stays.
    fn say(&mut self, key: &str, text: &str) {
        if text.len() <= limits::METADATA_BYTES && !text.is_empty() {
            self.own
                .entry(key.to_owned())
                .or_insert_with(|| text.to_owned());
        }
    }
}

fn flat(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(values) => {
            let texts: Vec<_> = values.iter().filter_map(Value::as_str).collect();
            Some(texts.join(", "))
        }
        _ => None,
    }
}
