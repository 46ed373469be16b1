//! Full validation of a module or component, its functions on several threads.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::thread;

use wasmparser::{
    BinaryReaderError, FuncToValidate, FuncValidatorAllocations, FunctionBody, Parser, Payload,
    ValidPayload, Validator, ValidatorResources,
};

use super::InspectError;
use super::features::FeatureSet;
use super::operators::validate_function;

/// Fewer bytes of code are validated sooner than a thread starts.
const CODE_BYTES_OF_A_THREAD: usize = 256 * 1024;
/// Functions differ in size, so each thread fetches work in pieces until there is no more.
const PIECE_BYTES: usize = 64 * 1024;

type Function<'a> = (FuncToValidate<ValidatorResources>, FunctionBody<'a>);

/// The part of validation that goes along with the sections, and the functions that are left.
pub(super) struct Validation<'a> {
    validator: Validator,
    pieces: Vec<Vec<Function<'a>>>,
    /// Bytes in the last piece.
    filled: usize,
    code_bytes: usize,
}

/// What one thread found.
#[derive(Default)]
struct Outcome {
    found: FeatureSet,
    /// The error that comes first in the bytes.
    error: Option<BinaryReaderError>,
}

impl<'a> Validation<'a> {
    pub(super) fn new() -> Self {
        Self {
            validator: Self::validator(),
            pieces: Vec::new(),
            filled: 0,
            code_bytes: 0,
        }
    }

    /// A validator that has seen nothing.
    pub(super) fn validator() -> Validator {
        Validator::new_with_features(super::accepted())
    }

    /// A parser that refuses what the validator would refuse.
    pub(super) fn parser() -> Parser {
        let mut parser = Parser::new(0);
        parser.set_features(super::accepted());
        parser
    }

    /// Validates a section, and keeps a function for later.
    pub(super) fn take(&mut self, payload: &Payload<'a>) -> Result<(), InspectError> {
        if let ValidPayload::Func(function, body) = self.validator.payload(payload)? {
            let bytes = body.as_bytes().len();
            self.code_bytes += bytes;
            self.filled += bytes;
            match self.pieces.last_mut() {
                Some(piece) if self.filled <= PIECE_BYTES => piece.push((function, body)),
                _ => {
                    self.pieces.push(vec![(function, body)]);
                    self.filled = bytes;
                }
            }
        }
        Ok(())
    }

    /// Validates the functions on up to so many threads, the caller's among them, and gives the
    /// proposals that they use. Where there are no threads it is done on the caller's alone.
    pub(super) fn finish(self, threads: NonZeroUsize) -> Result<FeatureSet, InspectError> {
        let helpers = threads
            .get()
            .min(self.code_bytes / CODE_BYTES_OF_A_THREAD + 1)
            - 1;
        let pieces = Mutex::new(self.pieces.into_iter());
        let work = || validate_pieces(&pieces);
        let total = thread::scope(|scope| {
            // Where a thread cannot be started, those that there are do its work.
            let started = (0..helpers)
                .filter_map(|_| thread::Builder::new().spawn_scoped(scope, work).ok())
                .collect::<Vec<_>>();
            let own = work();
            started
                .into_iter()
                .fold(own, |total, helper| match helper.join() {
                    Ok(outcome) => total.and(outcome),
                    Err(panic) => std::panic::resume_unwind(panic),
                })
        });
        total
            .error
            .map_or(Ok(total.found), |error| Err(InspectError::Malformed(error)))
    }
}

impl Outcome {
    fn and(self, other: Self) -> Self {
        let errors = self.error.into_iter().chain(other.error);
        Self {
            found: self.found.union(other.found),
            error: errors.min_by_key(BinaryReaderError::offset),
        }
    }
}

fn validate_pieces<'a>(pieces: &Mutex<impl Iterator<Item = Vec<Function<'a>>>>) -> Outcome {
    let mut outcome = Outcome::default();
    let mut allocations = FuncValidatorAllocations::default();
    loop {
        let next = pieces.lock().unwrap_or_else(PoisonError::into_inner).next();
        let Some(piece) = next else {
            return outcome;
        };
        for (function, body) in piece {
            let mut validator = function.into_validator(allocations);
            let result = validate_function(&mut validator, &body, &mut outcome.found);
            allocations = validator.into_allocations();
            if let Err(error) = result {
                // Pieces are fetched in order, so all that come before this one are in work.
                outcome.error = Some(error);
                return outcome;
            }
        }
    }
}
