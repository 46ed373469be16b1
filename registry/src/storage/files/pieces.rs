//! Files read piece by piece.
//!
//! What is in the page cache is read at once, on the thread that sends it; what is not is
//! waited for on a thread where waiting is allowed. Memory for the pieces is used again: the
//! kernel would have to clear new pages for each.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};

use crate::storage::blobs::Pieces;

/// How much of a file is in memory while it is sent, in bytes. Half of it was 10 % slower for
/// a megabyte, and four times as much was not faster.
const PIECE_BYTES: usize = 256 * 1024;

/// How large the buffers for small files are, in bytes: those of the others would keep more
/// memory than bytes for slow clients, and would not fit into the caches of the processor.
const SMALL_PIECE_BYTES: usize = 64 * 1024;

/// How many buffers of each size are kept for use again: what 32 clients read at once.
const POOLED: usize = 32;

/// Buffers of [`PIECE_BYTES`] that nobody uses now.
static POOL: Pool = Pool::new(PIECE_BYTES);

/// Buffers of [`SMALL_PIECE_BYTES`] that nobody uses now.
static SMALL_POOL: Pool = Pool::new(SMALL_PIECE_BYTES);

/// Buffers of one size. What was given back last is taken first: the processor has it in its
/// caches.
struct Pool {
    buffer_bytes: usize,
    buffers: Mutex<Vec<Box<[u8]>>>,
}

/// A part of a buffer, which goes back to its pool when nobody uses it any more.
struct Pooled {
    buffer: Box<[u8]>,
    length: usize,
    pool: &'static Pool,
}

/// The bytes of `file` in `range`.
pub(super) fn pieces(file: File, range: Range<u64>) -> Pieces {
    let file = Arc::new(file);
    stream::try_unfold(range, move |left| {
        let file = Arc::clone(&file);
        async move {
            if left.is_empty() {
                return Ok(None);
            }
            let piece = next(file, &left).await?;
            let start = left.start + piece.len() as u64;
            Ok(Some((piece, start..left.end)))
        }
    })
    .boxed()
}

/// The bytes of `file` in `range`, if they fit into one piece and are in the page cache.
pub(super) fn piece_now(file: &File, range: &Range<u64>) -> Option<Bytes> {
    let wanted = usize::try_from(range.end.checked_sub(range.start)?).ok()?;
    if wanted > PIECE_BYTES {
        return None;
    }
    let mut piece = Pooled::take(wanted);
    let read = read_cached(file, piece.space(), range.start).ok()??;
    (read == wanted).then(|| Bytes::from_owner(piece))
}

async fn next(file: Arc<File>, left: &Range<u64>) -> io::Result<Bytes> {
    let (at, wanted) = (left.start, left.end - left.start);
    let wanted = usize::try_from(wanted).map_or(PIECE_BYTES, |left| left.min(PIECE_BYTES));
    let mut piece = Pooled::take(wanted);
    let read = if let Some(read) = read_cached(&file, piece.space(), at)? {
        read
    } else {
        let waiting = tokio::task::spawn_blocking(move || {
            let read = read_waiting(&file, piece.space(), at);
            (piece, read)
        });
        let read;
        (piece, read) = waiting.await?;
        read?
    };
    if read == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    piece.length = read;
    Ok(Bytes::from_owner(piece))
}

/// Reads what is in memory already. `None` when that is nothing.
#[cfg(target_os = "linux")]
fn read_cached(file: &File, space: &mut [u8], at: u64) -> io::Result<Option<usize>> {
    use rustix::io::{Errno, ReadWriteFlags, preadv2};
    let mut slices = [io::IoSliceMut::new(space)];
    match preadv2(file, &mut slices, at, ReadWriteFlags::NOWAIT) {
        Ok(read) => Ok(Some(read)),
        // Not every file system can tell.
        Err(Errno::AGAIN | Errno::OPNOTSUPP | Errno::INTR | Errno::NOSYS | Errno::INVAL) => {
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

fn read_waiting(mut file: &File, space: &mut [u8], at: u64) -> io::Result<usize> {
    file.seek(io::SeekFrom::Start(at))?;
    file.read(space)
}

#[cfg(not(target_os = "linux"))]
fn read_cached(_: &File, _: &mut [u8], _: u64) -> io::Result<Option<usize>> {
    Ok(None)
}

impl Pool {
    const fn new(buffer_bytes: usize) -> Self {
        Self {
            buffer_bytes,
            buffers: Mutex::new(Vec::new()),
        }
    }

    fn take(&self) -> Box<[u8]> {
        let kept = self.lock().pop();
        kept.unwrap_or_else(|| vec![0; self.buffer_bytes].into_boxed_slice())
    }

    fn give_back(&self, buffer: Box<[u8]>) {
        let mut buffers = self.lock();
        if buffers.len() < POOLED {
            buffers.push(buffer);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Box<[u8]>>> {
        self.buffers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pooled {
    /// Room for at most a piece.
    fn take(length: usize) -> Self {
        let pool = if length <= SMALL_PIECE_BYTES {
            &SMALL_POOL
        } else {
            &POOL
        };
        Self {
            buffer: pool.take(),
            length,
            pool,
        }
    }

    fn space(&mut self) -> &mut [u8] {
        let length = self.length.min(self.buffer.len());
        self.buffer.split_at_mut(length).0
    }
}

impl AsRef<[u8]> for Pooled {
    fn as_ref(&self) -> &[u8] {
        self.buffer.get(..self.length).unwrap_or_default()
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        self.pool.give_back(std::mem::take(&mut self.buffer));
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    async fn read(file: File, range: Range<u64>) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut pieces = pieces(file, range);
        while let Some(piece) = pieces.next().await {
            let piece = piece?;
            assert!(piece.len() <= PIECE_BYTES);
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }

    #[tokio::test]
    async fn every_range_gives_its_bytes() {
        let bytes: Vec<u8> = (0..1_000_003_u32)
            .map(|n| n.to_le_bytes()[(n % 3) as usize])
            .collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        for range in [
            0..bytes.len(),
            0..1,
            5..5,
            262_143..262_145,
            999_999..1_000_003,
        ] {
            let wanted = range.start as u64..range.end as u64;
            let got = read(file.try_clone().unwrap(), wanted).await.unwrap();
            assert!(got == bytes[range.clone()], "{range:?}");
        }
    }

    #[tokio::test]
    async fn a_file_that_is_shorter_than_it_was_is_an_error() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"abc").unwrap();
        let error = read(file, 0..4).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn what_fits_into_a_piece_is_had_at_once_and_all_of_it_or_nothing() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![7; 100_000]).unwrap();
        for range in [0..0, 0..1, 10..90_000, 0..100_000] {
            let length = usize::try_from(range.end - range.start).unwrap();
            // A file system that cannot tell what it has in memory gives none.
            if let Some(piece) = piece_now(&file, &range) {
                assert_eq!(piece, vec![7; length]);
            }
        }
        assert_eq!(piece_now(&file, &(0..100_001)), None);
        file.set_len(PIECE_BYTES as u64 + 1).unwrap();
        assert_eq!(piece_now(&file, &(0..PIECE_BYTES as u64 + 1)), None);
    }
}
