//! Sizes of sections, added up by kind and name.

use std::collections::BTreeMap;
use std::ops::Range;

use wasmparser::Payload;

use super::InspectError;
use super::shapes::Shapes;
use crate::inspection::{Section, SectionKind};

/// Count and size by kind, and by name for custom ones.
#[derive(Default)]
pub(super) struct Sections {
    found: BTreeMap<SectionKind, Sum>,
    custom: BTreeMap<String, Sum>,
}

#[derive(Clone, Copy, Default)]
struct Sum {
    count: u64,
    size: u64,
}

impl Sections {
    pub(super) fn take(
        &mut self,
        payload: &Payload<'_>,
        shapes: &mut Shapes,
    ) -> Result<(), InspectError> {
        if let Payload::CustomSection(section) = payload {
            if !self.custom.contains_key(section.name()) {
                shapes.count(1, section.name().len())?;
            }
            // As for all others: what is behind kind and length, and so with the name.
            add(
                self.custom.entry(section.name().to_owned()).or_default(),
                &section.range(),
            );
        } else if let Some((kind, range)) = measured(payload) {
            add(self.found.entry(kind).or_default(), &range);
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Vec<Section> {
        let named = |kind, name, sum: Sum| Section {
            kind,
            name,
            count: sum.count,
            size: sum.size,
        };
        let found = self
            .found
            .into_iter()
            .map(|(kind, sum)| named(kind, None, sum));
        let custom = self.custom.into_iter();
        let custom = custom.map(|(name, sum)| named(SectionKind::Custom, Some(name), sum));
        let mut sections: Vec<_> = found.chain(custom).collect();
        // Stable: custom sections of one size stay in the order of their names.
        sections.sort_by_key(|section| std::cmp::Reverse(section.size));
        sections
    }
}

fn add(sum: &mut Sum, range: &Range<u64>) {
    sum.count += 1;
    sum.size = sum
        .size
        .saturating_add(range.end.saturating_sub(range.start));
}

/// Sections that hold other sections are measured by those.
fn measured(payload: &Payload<'_>) -> Option<(SectionKind, Range<u64>)> {
    Some(match payload {
        Payload::CodeSectionStart {
            unchecked_range, ..
        } => (SectionKind::Code, unchecked_range.clone()),
        Payload::DataSection(section) => (SectionKind::Data, section.range()),
        Payload::TypeSection(section) => (SectionKind::Type, section.range()),
        Payload::CoreTypeSection(section) => (SectionKind::Type, section.range()),
        Payload::ComponentTypeSection(section) => (SectionKind::Type, section.range()),
        Payload::ImportSection(section) => (SectionKind::Import, section.range()),
        Payload::ComponentImportSection(section) => (SectionKind::Import, section.range()),
        Payload::ExportSection(section) => (SectionKind::Export, section.range()),
        Payload::ComponentExportSection(section) => (SectionKind::Export, section.range()),
        Payload::FunctionSection(section) => (SectionKind::Core, section.range()),
        Payload::TableSection(section) => (SectionKind::Core, section.range()),
        Payload::MemorySection(section) => (SectionKind::Core, section.range()),
        Payload::TagSection(section) => (SectionKind::Core, section.range()),
        Payload::GlobalSection(section) => (SectionKind::Core, section.range()),
        Payload::ElementSection(section) => (SectionKind::Core, section.range()),
        Payload::StartSection { range, .. } | Payload::DataCountSection { range, .. } => {
            (SectionKind::Core, range.clone())
        }
        Payload::InstanceSection(section) => (SectionKind::Component, section.range()),
        Payload::ComponentInstanceSection(section) => (SectionKind::Component, section.range()),
        Payload::ComponentAliasSection(section) => (SectionKind::Component, section.range()),
        Payload::ComponentCanonicalSection(section) => (SectionKind::Component, section.range()),
        Payload::ComponentStartSection { range, .. } => (SectionKind::Component, range.clone()),
        _ => return None,
    })
}
