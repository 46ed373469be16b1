//! A blob in a file.

use std::fs::File;
use std::ops::Range;

use bytes::Bytes;

use super::pieces::{piece_now, pieces};
use crate::storage::blobs::{OpenBlob, Pieces};

pub(super) struct FileBlob {
    file: File,
    size: u64,
}

impl FileBlob {
    pub(super) fn new(file: File, size: u64) -> Self {
        Self { file, size }
    }
}

impl OpenBlob for FileBlob {
    fn size(&self) -> u64 {
        self.size
    }

    fn bytes_now(&self, range: &Range<u64>) -> Option<Bytes> {
        piece_now(&self.file, range)
    }

    fn stream(self: Box<Self>, range: Range<u64>) -> Pieces {
        pieces(self.file, range)
    }
}
