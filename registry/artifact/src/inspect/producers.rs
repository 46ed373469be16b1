//! The `producers` sections of components and modules (tool-conventions,
//! `ProducersSection.md`).

use std::collections::BTreeMap;

use wasmparser::{CustomSectionReader, KnownCustom, ProducersSectionReader};

/// Adds what a `producers` section says. Fields that cannot be read are left out: the
/// section is a courtesy and nothing is decided by it.
pub(super) fn collect(
    section: &CustomSectionReader<'_>,
    into: &mut BTreeMap<String, BTreeMap<String, String>>,
) {
    if let KnownCustom::Producers(reader) = section.as_known() {
        let _incomplete = collect_fields(reader, into);
    }
}

fn collect_fields(
    reader: ProducersSectionReader<'_>,
    into: &mut BTreeMap<String, BTreeMap<String, String>>,
) -> wasmparser::Result<()> {
    for field in reader {
        let field = field?;
        for value in field.values {
            let value = value?;
            into.entry(field.name.to_owned())
                .or_default()
                .insert(value.name.to_owned(), value.version.to_owned());
        }
    }
    Ok(())
}
