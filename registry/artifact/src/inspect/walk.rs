//! Every section of nested modules and components, without the code.

use wasmparser::{Chunk, Parser, Payload};

use super::InspectError;
use crate::limits;

/// Where in the bytes the reading stands. Bytes come in one piece or in many.
pub(super) struct Walk {
    parser: Parser,
    outside: Vec<Parser>,
    /// How much of the code that is passed over is still to come.
    skip: usize,
    skips_code: bool,
    is_over: bool,
}

/// A payload and how deep it lies; the outermost is at depth 0.
pub(super) struct Visited<'a> {
    pub(super) depth: usize,
    pub(super) payload: Payload<'a>,
}

impl Walk {
    /// Passes over the bodies of functions, so that the time goes with the number of sections and not
    /// with the size of the code.
    pub(super) fn around_code(parser: Parser) -> Self {
        Self {
            skips_code: true,
            ..Self::through_code(parser)
        }
    }

    /// Visits the bodies of functions too.
    pub(super) fn through_code(parser: Parser) -> Self {
        Self {
            parser,
            outside: Vec::new(),
            skip: 0,
            skips_code: false,
            is_over: false,
        }
    }

    /// Calls `visit` with each payload that `bytes` hold in whole, and gives how many bytes that were.
    /// `is_last` says that no more bytes come; they are then all read, or there is an error.
    pub(super) fn advance<'a>(
        &mut self,
        bytes: &'a [u8],
        is_last: bool,
        mut visit: impl FnMut(Visited<'a>) -> Result<(), InspectError>,
    ) -> Result<usize, InspectError> {
        let mut rest = bytes;
        while !self.is_over {
            rest = self.pass_over(rest, is_last)?;
            if self.skip > 0 {
                break;
            }
            let Chunk::Parsed { consumed, payload } = self.parser.parse(rest, is_last)? else {
                break;
            };
            rest = rest.get(consumed..).unwrap_or_default();
            let depth = self.outside.len();
            self.turn(&payload)?;
            visit(Visited { depth, payload })?;
        }
        Ok(bytes.len() - rest.len())
    }

    fn pass_over<'a>(&mut self, bytes: &'a [u8], is_last: bool) -> Result<&'a [u8], InspectError> {
        let (passed, rest) = bytes.split_at(self.skip.min(bytes.len()));
        self.skip -= passed.len();
        if self.skip > 0 && is_last {
            return Err(InspectError::BreaksOff);
        }
        Ok(rest)
    }

    /// Goes into what is nested and comes out where it ends.
    fn turn(&mut self, payload: &Payload<'_>) -> Result<(), InspectError> {
        match payload {
            Payload::CodeSectionStart { size, .. } if self.skips_code => {
                self.parser.skip_section();
                self.skip = *size as usize;
            }
            Payload::ModuleSection { parser: inner, .. }
            | Payload::ComponentSection { parser: inner, .. } => {
                if self.outside.len() >= limits::NESTING {
                    return Err(InspectError::TooDeep);
                }
                self.outside
                    .push(std::mem::replace(&mut self.parser, inner.clone()));
            }
            Payload::End(_) => match self.outside.pop() {
                Some(outer) => self.parser = outer,
                None => self.is_over = true,
            },
            _ => {}
        }
        Ok(())
    }
}
