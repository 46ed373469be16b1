//! Compressed data, expanded as it is read and never beyond the budget of the image.

use std::cell::Cell;
use std::io::{self, Cursor, Read};

use flate2::read::MultiGzDecoder;
use ruzstd::decoding::StreamingDecoder;

use super::limits;

/// What may still be spent on a layer.
#[derive(Debug)]
pub(super) struct Budget {
    allowed: u64,
    expanded: Cell<u64>,
    entries: Cell<u64>,
    /// How many Zstandard frames are being expanded, one inside the other.
    windows: Cell<u64>,
}

/// Something whose bytes are counted.
struct Counted<'a, R> {
    source: R,
    budget: &'a Budget,
}

/// Frames of Zstandard one after the other. Those that say that they may be skipped hold
/// tables of contents of lazily pulled images.
struct Frames<'a> {
    state: State<'a>,
    budget: &'a Budget,
}

enum State<'a> {
    Between(&'a mut dyn Read),
    Within(Box<StreamingDecoder<Beginning<'a>, ruzstd::decoding::FrameDecoder>>),
    Over,
}

type Beginning<'a> = io::Chain<Cursor<[u8; 4]>, &'a mut dyn Read>;

impl Budget {
    /// For a layer of `packed` bytes, which may expand to at most `most`.
    pub(super) fn new(packed: u64, most: u64) -> Self {
        let by_size = packed.saturating_mul(limits::RATIO);
        Self {
            allowed: by_size.clamp(limits::FREE_BYTES.min(most), most),
            expanded: Cell::new(0),
            entries: Cell::new(0),
            windows: Cell::new(0),
        }
    }

    /// How many bytes there were behind what is compressed.
    pub(super) fn expanded(&self) -> u64 {
        self.expanded.get()
    }

    /// How many entries there were in archives.
    pub(super) fn entries(&self) -> u64 {
        self.entries.get()
    }

    /// Counts bytes that something expanded to.
    fn expand(&self, bytes: usize) -> io::Result<()> {
        let expanded = self.expanded.get().saturating_add(bytes as u64);
        self.expanded.set(expanded);
        if expanded > self.allowed {
            let message = format!("the layer expands to more than {} bytes", self.allowed);
            return Err(io::Error::other(message));
        }
        Ok(())
    }

    /// Counts an entry of an archive.
    pub(super) fn enter(&self) -> Result<(), String> {
        self.entries.set(self.entries.get() + 1);
        if self.entries.get() > limits::ENTRIES {
            return Err(format!("the layer has over {} entries", limits::ENTRIES));
        }
        Ok(())
    }

    /// How far back the frame that is begun next may refer.
    fn window(&self) -> u64 {
        match self.windows.get() {
            0 | 1 => limits::WINDOW_BYTES,
            _ => limits::INNER_WINDOW_BYTES,
        }
    }
}

/// The members of a gzip file one after the other. What comes behind them and is none is an
/// error.
pub(super) fn gzip<'a>(source: &'a mut dyn Read, budget: &'a Budget) -> impl Read + 'a {
    let source = MultiGzDecoder::new(source);
    Counted { source, budget }
}

/// The frames of a Zstandard file one after the other.
pub(super) fn zstandard<'a>(source: &'a mut dyn Read, budget: &'a Budget) -> impl Read + 'a {
    budget.windows.set(budget.windows.get() + 1);
    let state = State::Between(source);
    let source = Frames { state, budget };
    Counted { source, budget }
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.budget.expand(count)?;
        Ok(count)
    }
}

impl Drop for Frames<'_> {
    fn drop(&mut self) {
        let windows = &self.budget.windows;
        windows.set(windows.get().saturating_sub(1));
    }
}

impl Read for Frames<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            self.state = match std::mem::replace(&mut self.state, State::Over) {
                State::Over => return Ok(0),
                State::Between(source) => begin(source, self.budget.window())?,
                State::Within(mut decoder) => {
                    let count = decoder.read(buffer)?;
                    if count > 0 {
                        self.state = State::Within(decoder);
                        return Ok(count);
                    }
                    let (_, source) = decoder.into_inner().into_inner();
                    State::Between(source)
                }
            };
        }
    }
}

/// The next frame, if there is one.
fn begin(source: &mut dyn Read, window: u64) -> io::Result<State<'_>> {
    let mut magic = [0; 4];
    match fill(source, &mut magic)? {
        0 => return Ok(State::Over),
        4 => {}
        _ => return Err(io::ErrorKind::UnexpectedEof.into()),
    }
    if matches!(magic, [0x50..=0x5f, 0x2a, 0x4d, 0x18]) {
        let mut length = [0; 4];
        source.read_exact(&mut length)?;
        let length = u64::from(u32::from_le_bytes(length));
        if io::copy(&mut source.take(length), &mut io::sink())? < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        return Ok(State::Between(source));
    }
    let source = Cursor::new(magic).chain(source);
    let decoder = StreamingDecoder::new_with_max_window_size(source, window);
    let decoder = decoder.map_err(io::Error::other)?;
    Ok(State::Within(Box::new(decoder)))
}

/// Reads until the buffer is full or there is no more, and says how much there was.
pub(super) fn fill(source: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let (filled, read) = fill_some(source, buffer);
    read.map(|()| filled)
}

/// The same, where what was read before an error counts.
pub(super) fn fill_some(source: &mut dyn Read, buffer: &mut [u8]) -> (usize, io::Result<()>) {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match source.read(rest) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (filled, Err(error)),
        }
    }
    (filled, Ok(()))
}
