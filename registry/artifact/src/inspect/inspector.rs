//! Inspection and validation of bytes that come in pieces.

use wasmparser::{FuncValidatorAllocations, Payload, ValidPayload, Validator};

use super::features::FeatureSet;
use super::operators::validate_function;
use super::survey::Survey;
use super::validation::Validation;
use super::walk::Walk;
use super::{InspectError, NotWasm};
use crate::inspection::Inspection;

/// How many bytes tell whether it is Wasm.
const MAGIC_BYTES: usize = 4;

/// Does what [`examine`](super::examine) does while the bytes arrive, and on one thread. It holds no
/// more than the largest section that is not code, or the largest function.
pub struct Inspector {
    walk: Walk,
    survey: Survey,
    validator: Validator,
    allocations: FuncValidatorAllocations,
    code: FeatureSet,
    /// What has arrived and is not whole yet.
    pending: Vec<u8>,
    size: u64,
}

impl Default for Inspector {
    fn default() -> Self {
        Self::new()
    }
}

impl Inspector {
    /// Before the first byte.
    pub fn new() -> Self {
        Self {
            walk: Walk::through_code(Validation::parser()),
            survey: Survey::default(),
            validator: Validation::validator(),
            allocations: FuncValidatorAllocations::default(),
            code: FeatureSet::default(),
            pending: Vec::new(),
            size: 0,
        }
    }

    /// Takes the bytes that come next. After an error no more can be taken.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), InspectError> {
        let is_known = self.size >= MAGIC_BYTES as u64;
        self.size += bytes.len() as u64;
        if self.pending.is_empty() && is_known {
            let read = self.advance(bytes, false)?;
            self.pending
                .extend_from_slice(bytes.get(read..).unwrap_or_default());
            return Ok(());
        }
        self.pending.extend_from_slice(bytes);
        if self.size < MAGIC_BYTES as u64 {
            return Ok(());
        }
        if !is_known {
            self.recognise()?;
        }
        let mut pending = std::mem::take(&mut self.pending);
        let read = self.advance(&pending, false)?;
        pending.drain(..read);
        self.pending = pending;
        Ok(())
    }

    /// What it was, when all bytes were taken.
    pub fn finish(mut self) -> Result<Inspection, InspectError> {
        if self.size < MAGIC_BYTES as u64 {
            self.recognise()?;
        }
        let pending = std::mem::take(&mut self.pending);
        self.advance(&pending, true)?;
        self.survey.finish(self.size, self.code)
    }

    /// Of text only the beginning is there to be recognised.
    fn recognise(&self) -> Result<(), InspectError> {
        match NotWasm::recognise(&self.pending) {
            Some(other) => Err(InspectError::NotWasm(other)),
            None => Ok(()),
        }
    }

    fn advance(&mut self, bytes: &[u8], is_last: bool) -> Result<usize, InspectError> {
        let Self {
            walk,
            survey,
            validator,
            allocations,
            code,
            ..
        } = self;
        walk.advance(bytes, is_last, |visited| {
            survey.take(&visited)?;
            validate(&visited.payload, validator, allocations, code)
        })
    }
}

/// Functions are validated at once, as their bytes do not stay.
fn validate(
    payload: &Payload<'_>,
    validator: &mut Validator,
    allocations: &mut FuncValidatorAllocations,
    code: &mut FeatureSet,
) -> Result<(), InspectError> {
    if let ValidPayload::Func(function, body) = validator.payload(payload)? {
        let mut function = function.into_validator(std::mem::take(allocations));
        validate_function(&mut function, &body, code)?;
        *allocations = function.into_allocations();
    }
    Ok(())
}
