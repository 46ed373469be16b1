//! Every section of nested modules and components, without the code.

use wasmparser::{Chunk, Parser, Payload};

use super::InspectError;
use crate::limits;

/// Calls `visit` with each payload and how deep it lies; the outermost is at depth 0.
///
/// Bodies of functions are skipped, so the time goes with the number of sections and not
/// with the size of the code.
pub(super) fn walk<'a>(
    bytes: &'a [u8],
    mut visit: impl FnMut(usize, Payload<'a>) -> Result<(), InspectError>,
) -> Result<(), InspectError> {
    let mut rest = bytes;
    let mut outside = Vec::new();
    let mut parser = Parser::new(0);
    loop {
        let Chunk::Parsed { consumed, payload } = parser.parse(rest, true)? else {
            // With the end of the data announced, the parser asks for no more of it.
            return Ok(());
        };
        rest = rest.get(consumed..).unwrap_or_default();
        let depth = outside.len();
        match &payload {
            Payload::CodeSectionStart { size, .. } => {
                parser.skip_section();
                rest = rest.get(*size as usize..).ok_or(InspectError::BreaksOff)?;
            }
            Payload::ModuleSection { parser: inner, .. }
            | Payload::ComponentSection { parser: inner, .. } => {
                if depth >= limits::NESTING {
                    return Err(InspectError::TooDeep);
                }
                outside.push(std::mem::replace(&mut parser, inner.clone()));
            }
            Payload::End(_) => match outside.pop() {
                Some(outer) => parser = outer,
                None => return visit(depth, payload),
            },
            _ => {}
        }
        visit(depth, payload)?;
    }
}
