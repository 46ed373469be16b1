//! A blob in a file, which is read in pieces of bounded size.

use std::fs;
use std::io;
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, StreamExt};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use crate::storage::blobs::{OpenBlob, Pieces};

/// How much of a blob is in memory while it is sent, in bytes. Larger pieces were no faster.
const PIECE_BYTES: usize = 256 * 1024;

pub(super) struct FileBlob {
    file: File,
    size: u64,
}

impl FileBlob {
    pub(super) fn new(file: fs::File, size: u64) -> Self {
        let file = File::from_std(file);
        Self { file, size }
    }
}

impl OpenBlob for FileBlob {
    fn size(&self) -> u64 {
        self.size
    }

    fn stream(self: Box<Self>, range: Range<u64>) -> Pieces {
        let start = async move {
            let mut file = self.file;
            if range.start > 0 {
                file.seek(io::SeekFrom::Start(range.start)).await?;
            }
            file.set_max_buf_size(PIECE_BYTES);
            let left = range.end.saturating_sub(range.start);
            Ok(stream::try_unfold((file, left), |(file, left)| {
                read_piece(file, left)
            }))
        };
        stream::once(start)
            .flat_map(|started: io::Result<_>| match started {
                Ok(pieces) => pieces.boxed(),
                Err(error) => stream::iter([Err(error)]).boxed(),
            })
            .boxed()
    }
}

async fn read_piece(mut file: File, left: u64) -> io::Result<Option<(Bytes, (File, u64))>> {
    if left == 0 {
        return Ok(None);
    }
    let wanted = usize::try_from(left).map_or(PIECE_BYTES, |left| left.min(PIECE_BYTES));
    let mut piece = BytesMut::with_capacity(wanted);
    let read = (&mut file).take(wanted as u64).read_buf(&mut piece).await?;
    if read == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some((piece.freeze(), (file, left - read as u64))))
}
