//! A blob that is read where it may block, as long as somebody waits for what is in it.

use std::io::{self, Read};
use std::sync::Weak;

use bytes::{Buf, Bytes};
use futures_util::StreamExt;
use tokio::runtime::Handle;

use super::AdmissionError;
use crate::storage::{OpenBlob, Pieces};

/// A blob that is read where it may block.
pub(super) struct BlockingBlob {
    pieces: Pieces,
    piece: Bytes,
    runtime: Handle,
    asked: Weak<()>,
    broken: Option<io::Error>,
}

impl BlockingBlob {
    /// Reads until `asked` is gone.
    pub(super) fn new(blob: Box<dyn OpenBlob>, runtime: Handle, asked: Weak<()>) -> Self {
        let size = blob.size();
        Self {
            pieces: blob.stream(0..size),
            piece: Bytes::new(),
            runtime,
            asked,
            broken: None,
        }
    }

    /// Fails when reading did: what was found out then is not about the bytes.
    pub(super) fn finish(self) -> Result<(), AdmissionError> {
        match self.broken {
            Some(error) => Err(AdmissionError::Inspection(error.into())),
            None => Ok(()),
        }
    }

    fn next(&mut self) -> io::Result<Option<Bytes>> {
        if self.asked.strong_count() == 0 {
            return Err(io::Error::other("nobody waits for what is in it"));
        }
        self.runtime.block_on(self.pieces.next()).transpose()
    }
}

impl Read for BlockingBlob {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(error) = &self.broken {
            return Err(io::Error::other(error.to_string()));
        }
        while self.piece.is_empty() {
            match self.next() {
                Ok(Some(piece)) => self.piece = piece,
                Ok(None) => return Ok(0),
                Err(error) => {
                    let same = io::Error::other(error.to_string());
                    self.broken = Some(error);
                    return Err(same);
                }
            }
        }
        let count = buffer.len().min(self.piece.len());
        if let Some(buffer) = buffer.get_mut(..count) {
            self.piece.copy_to_slice(buffer);
        }
        Ok(count)
    }
}
