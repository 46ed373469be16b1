//! The end of a layer, where clients that pull lazily look for a table of contents: eStargz
//! (stargz-snapshotter, `docs/estargz.md`) and zstd:chunked (containers/storage).

use std::io::{self, Read};

/// More than the longest of the footers, in bytes.
const LAST: usize = 128;

/// What stands in an eStargz footer, behind where the table begins.
const STARGZ: &[u8] = b"STARGZ";

/// How a zstd:chunked footer ends.
const CHUNKED: &[u8] = b"GNUlInUx";

/// Bytes of which the last ones are remembered.
pub(super) struct Tail<'a> {
    source: &'a mut dyn Read,
    last: Vec<u8>,
}

impl<'a> Tail<'a> {
    pub(super) fn new(source: &'a mut dyn Read) -> Self {
        Self {
            source,
            last: Vec::new(),
        }
    }

    /// Reads what is left, and tells whether a table of contents is announced at the end.
    pub(super) fn announces_table(mut self) -> io::Result<bool> {
        io::copy(&mut self, &mut io::sink())?;
        let mut windows = self.last.windows(STARGZ.len());
        Ok(windows.any(|window| window == STARGZ) || self.last.ends_with(CHUNKED))
    }
}

impl Read for Tail<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        let read = buffer.get(..count).unwrap_or_default();
        let newest = read.get(count.saturating_sub(LAST)..).unwrap_or_default();
        self.last.extend_from_slice(newest);
        let surplus = self.last.len().saturating_sub(LAST);
        self.last.drain(..surplus);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_announced_at_the_end_only() {
        let rest = "x".repeat(5_000);
        for (text, expected) in [
            (format!("{rest}0000000000001234STARGZ\0\0\0"), true),
            (format!("{rest}GNUlInUx"), true),
            (format!("{rest}GNUlInUx."), false),
            (format!("0000000000001234STARGZ{rest}"), false),
            (rest.clone(), false),
            (String::new(), false),
        ] {
            // In pieces of three bytes, and all at once.
            for piece in [3, 100_000] {
                let mut bytes = text.as_bytes();
                let mut tail = Tail::new(&mut bytes);
                let mut buffer = vec![0; piece];
                while tail.read(&mut buffer).unwrap() > 0 {}
                assert_eq!(tail.announces_table().unwrap(), expected);
            }
        }
    }
}
