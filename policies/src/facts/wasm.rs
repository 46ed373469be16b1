//! The bytes of one Wasm, as whoever asks has them.

use std::io::{self, Read};
use std::num::NonZeroUsize;

use wasmport_artifact::{Inspection, Inspector, examine, limits, with_causes};

/// How much of a stream is inspected at a time, in bytes. Less is copied more often, and more does
/// not fit into the caches of the processor.
const PIECE_BYTES: usize = 16 << 10;

/// The bytes of one Wasm.
pub enum Wasm<'a> {
    /// All of them, and on how many threads they may be validated.
    Whole(&'a [u8], NonZeroUsize),
    /// As they come, on one thread. No more of them is held than the largest section that is not
    /// code, or the largest function.
    Stream(&'a mut dyn Read),
}

impl Wasm<'_> {
    /// Inspects and validates it. The error is a fragment of a sentence.
    pub(super) fn inspect(self) -> Result<Inspection, String> {
        match self {
            Self::Whole(bytes, _) if bytes.len() as u64 > limits::WASM_BYTES => Err(too_large()),
            Self::Whole(bytes, threads) => {
                examine(bytes, threads).map_err(|error| with_causes(&error))
            }
            Self::Stream(source) => stream(source),
        }
    }
}

impl<'a> From<&'a [u8]> for Wasm<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Whole(bytes, NonZeroUsize::MIN)
    }
}

fn stream(source: &mut dyn Read) -> Result<Inspection, String> {
    let mut inspector = Inspector::new();
    let mut piece = [0; PIECE_BYTES];
    let mut size = 0;
    loop {
        let count = match source.read(&mut piece) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(with_causes(&error)),
        };
        size += count as u64;
        if size > limits::WASM_BYTES {
            return Err(too_large());
        }
        if count == 0 {
            return inspector.finish().map_err(|error| with_causes(&error));
        }
        let pushed = inspector.push(piece.get(..count).unwrap_or_default());
        pushed.map_err(|error| with_causes(&error))?;
    }
}

fn too_large() -> String {
    format!("it has over {} bytes", limits::WASM_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a byte less each time than it is asked for, and sometimes asks to try again.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1 += 1;
            if self.1.is_multiple_of(3) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let count = (self.1 * 7 % 50 + 1).min(buffer.len());
            self.0.read(&mut buffer[..count])
        }
    }

    #[test]
    fn a_stream_is_what_its_bytes_are() {
        let bytes = wat::parse_str(
            "(component (import \"wasi:cli/exit@0.2.6\" (instance (export \"exit\" (func))))\
             (core module (func (export \"f\") nop)))",
        )
        .unwrap();
        let whole = Wasm::from(bytes.as_slice()).inspect();
        assert_eq!(whole.as_ref().unwrap().imports.len(), 1);
        assert_eq!(Wasm::Stream(&mut Slow(&bytes, 0)).inspect(), whole);
        let short = &bytes[..bytes.len() - 1];
        assert!(Wasm::Stream(&mut Slow(short, 0)).inspect().is_err());
        assert!(Wasm::from(short).inspect().is_err());
    }

    #[test]
    fn what_is_too_large_is_not_read_to_its_end() {
        let custom = [0, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, b'x'];
        let head = [&b"\0asm\x01\0\0\0"[..], &custom].concat();
        let mut endless = head.chain(io::repeat(0));
        let error = Wasm::Stream(&mut endless).inspect().unwrap_err();
        assert_eq!(error, too_large());
    }
}
