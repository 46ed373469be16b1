//! One pass over all sections, and what they come to.

use std::collections::BTreeSet;

use wasmparser::{Encoding, Payload};

use super::component::Components;
use super::core_module::CoreModules;
use super::dependencies::DependencySections;
use super::features::{FeatureSet, Features};
use super::metadata::Metadata;
use super::native_code::native_code;
use super::sections::Sections;
use super::shapes::Item;
use super::walk::Visited;
use super::{InspectError, NotWasm, items, target, worlds};
use crate::inspection::{Feature, Inspection, Kind, Start};

/// The custom section in which wit-component says that a component is a WIT package.
const WIT_PACKAGE_SECTION: &str = "wit-component-encoding";

/// Everything that was seen so far.
#[derive(Default)]
pub(super) struct Survey {
    outermost: Option<Encoding>,
    /// What is open, the outermost first.
    open_ones: Vec<Encoding>,
    components: Components,
    modules: CoreModules,
    sections: Sections,
    metadata: Metadata,
    dependencies: DependencySections,
    features: Features,
    starts: BTreeSet<Start>,
    core_module_count: usize,
    component_count: usize,
    says_wit_package: bool,
    has_code: bool,
}

impl Survey {
    /// Takes the next payload, in the order of the bytes.
    pub(super) fn take(&mut self, visited: &Visited<'_>) -> Result<(), InspectError> {
        let payload = &visited.payload;
        let is_outermost = visited.depth == 0;
        self.sections.take(payload, &mut self.components.shapes)?;
        self.features.take(payload)?;
        match payload {
            Payload::Version { encoding, .. } => self.open(is_outermost, *encoding),
            Payload::End(_) => self.close()?,
            Payload::CustomSection(section) => {
                if let Some(name) = native_code(section) {
                    return Err(InspectError::NativeCode(name));
                }
                self.says_wit_package |= is_outermost && section.name() == WIT_PACKAGE_SECTION;
                self.dependencies.take(section);
                self.metadata
                    .take(is_outermost, section, &mut self.components.shapes)?;
            }
            Payload::UnknownSection { id, .. } => return Err(InspectError::UnknownSection(*id)),
            Payload::StartSection { .. } => {
                self.starts.insert(Start::CoreModule);
            }
            Payload::ComponentStartSection { .. } => {
                self.starts.insert(Start::Component);
                self.has_code = true;
            }
            Payload::ModuleSection { .. }
            | Payload::ComponentSection { .. }
            | Payload::InstanceSection(_)
            | Payload::ComponentCanonicalSection(_) => self.has_code = true,
            _ => {}
        }
        self.has_code |= matches!(payload, Payload::ComponentInstanceSection(_));
        let shapes = &mut self.components.shapes;
        self.modules.take(is_outermost, payload, shapes)?;
        self.components.take(payload)
    }

    /// What the bytes are, when all were taken. `code` are the proposals that their code uses.
    pub(super) fn finish(
        mut self,
        size: u64,
        code: FeatureSet,
    ) -> Result<Inspection, InspectError> {
        let Some(encoding) = self.outermost else {
            return Err(InspectError::NotWasm(NotWasm::Empty));
        };
        let (entries_in, entries_out) = self.components.outermost();
        let shapes = &mut self.components.shapes;
        let kind = kind(encoding, self.says_wit_package && !self.has_code);
        let (imports, exports) = match encoding {
            Encoding::Module => self.modules.outermost(),
            Encoding::Component => (
                items::imports(&entries_in, shapes)?,
                items::exports(&entries_out, shapes)?,
            ),
        };
        let package = match kind {
            Kind::WitPackage => Some(items::wit_package(&entries_out, shapes)?),
            Kind::Component | Kind::CoreModule => None,
        };
        let mut features = self.features.found.union(code);
        if imports.iter().any(|import| import.implements.is_some()) {
            features.add(Feature::ComponentModelImplements);
        }
        let languages = self
            .metadata
            .producers
            .get("language")
            .into_iter()
            .flatten();
        Ok(Inspection {
            kind,
            target: target::target(&imports, &exports),
            worlds: match kind {
                Kind::Component => worlds::worlds(&imports, &exports),
                Kind::CoreModule | Kind::WitPackage => Vec::new(),
            },
            imports,
            exports,
            languages: languages.map(|(language, _)| language.clone()).collect(),
            producers: self.metadata.producers,
            features: features.to_set(),
            memories: self.modules.memories,
            starts: self.starts,
            core_modules: self.core_module_count,
            components: self.component_count,
            sections: self.sections.finish(),
            dependencies: self.dependencies.finish(),
            metadata: self.metadata.own,
            package,
            size,
        })
    }

    fn open(&mut self, is_outermost: bool, encoding: Encoding) {
        if is_outermost {
            self.outermost = Some(encoding);
        }
        match encoding {
            Encoding::Module => self.core_module_count += 1,
            Encoding::Component => {
                self.component_count += 1;
                self.components.open();
            }
        }
        self.open_ones.push(encoding);
    }

    /// What is nested becomes an item of the component around it.
    fn close(&mut self) -> Result<(), InspectError> {
        let closed = self.open_ones.pop();
        if self.open_ones.is_empty() {
            return Ok(());
        }
        match closed {
            Some(Encoding::Module) => {
                let imports = self.modules.close();
                let module = self.components.shapes.module(imports)?;
                self.components.define(Item::CoreModule(Some(module)))
            }
            _ => self.components.close(),
        }
    }
}

/// The section alone does not make a WIT package: what can run is a component.
fn kind(encoding: Encoding, is_wit_package: bool) -> Kind {
    match encoding {
        Encoding::Module => Kind::CoreModule,
        Encoding::Component if is_wit_package => Kind::WitPackage,
        Encoding::Component => Kind::Component,
    }
}
