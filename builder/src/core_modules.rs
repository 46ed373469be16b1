//! The core modules inside a component: found wherever they nest, and put back.
//!
//! Only the modules change. Every other section is copied as it is, so all indices keep
//! their meaning; the lengths around the modules are written anew.

use wasm_encoder::{ComponentSectionId, Encode as _};
use wasmparser::{BinaryReaderError, Encoding, Parser, Payload};

use crate::options::Names;

/// Passes each core module in `bytes` through `replace`, innermost first, and drops the
/// sections that only debuggers read, also those of components; names only where `names` says
/// so. `bytes` may be a core module itself.
pub(crate) fn rewrite(
    bytes: &[u8],
    names: Names,
    mut replace: impl FnMut(Vec<u8>) -> Vec<u8>,
) -> Result<Vec<u8>, BinaryReaderError> {
    let mut outside = Vec::new();
    let mut current = Unfinished::default();
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::Version {
                encoding, range, ..
            } => current.begin(encoding, slice(bytes, range)),
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                outside.push(std::mem::take(&mut current));
            }
            Payload::End(_) => {
                let (section, finished) = current.finish(&mut replace);
                match outside.pop() {
                    Some(outer) => current = outer,
                    None => return Ok(finished),
                }
                current.section(section, &finished);
            }
            Payload::CustomSection(section) if is_for_debuggers(section.name(), names) => {}
            other => {
                if let Some((id, range)) = other.as_section() {
                    current.section(id, slice(bytes, range));
                }
            }
        }
    }
    // The parser gives `End` for the outermost, or an error.
    Ok(current.bytes)
}

/// True for custom sections that say something about the code and nothing to a runtime:
/// names of functions and of a component's parts, DWARF, and where a source map is.
fn is_for_debuggers(name: &str, names: Names) -> bool {
    match name {
        "name" | "component-name" => names == Names::Dropped,
        "sourceMappingURL" | "external_debug_info" => true,
        other => other.starts_with(".debug_"),
    }
}

/// A module or component that is being written.
#[derive(Default)]
struct Unfinished {
    is_module: bool,
    bytes: Vec<u8>,
}

impl Unfinished {
    fn begin(&mut self, encoding: Encoding, header: &[u8]) {
        self.is_module = encoding == Encoding::Module;
        self.bytes.extend_from_slice(header);
    }

    fn section(&mut self, id: u8, content: &[u8]) {
        self.bytes.push(id);
        content.encode(&mut self.bytes);
    }

    /// The finished bytes, and the section that holds them in a component.
    fn finish(self, replace: &mut impl FnMut(Vec<u8>) -> Vec<u8>) -> (u8, Vec<u8>) {
        if self.is_module {
            (ComponentSectionId::CoreModule.into(), replace(self.bytes))
        } else {
            (ComponentSectionId::Component.into(), self.bytes)
        }
    }
}

fn slice(bytes: &[u8], range: std::ops::Range<u64>) -> &[u8] {
    let index = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
    // The parser only gives ranges that it has read.
    bytes
        .get(index(range.start)..index(range.end))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
