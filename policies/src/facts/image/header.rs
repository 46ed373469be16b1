//! One header of a tar archive (POSIX.1-1988 `ustar`, and what GNU tar made of it).
//!
//! Readers of archives disagree about headers that are not quite right, and what one skips
//! another extracts. So what is not quite right is an error here, and the archive counts as not
//! looked into.

/// How large a header is, and what contents are filled up to.
pub(super) const BLOCK: usize = 512;

/// One header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: u8,
    pub(super) size: u64,
    pub(super) path: Vec<u8>,
    /// Says that it is a `ustar` or GNU header. Some readers take others to be about files only.
    pub(super) has_magic: bool,
    /// What GNU's header says of a sparse file.
    pub(super) sparse: Sparse,
}

/// Whether more blocks belong to the header of a sparse file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sparse {
    Whole,
    Extended,
    /// It is not GNU's header, or what it says is read in two ways.
    Ambiguous,
}

const CHECKSUM: std::ops::Range<usize> = 148..156;

impl Header {
    /// Whether this begins with a header.
    pub(super) fn is_one(block: &[u8]) -> bool {
        block.len() >= BLOCK && has_checksum(block)
    }

    /// Reads a block that is not all zeros.
    pub(super) fn parse(block: &[u8; BLOCK]) -> Result<Self, String> {
        if !has_checksum(block) {
            return Err("an entry's header is damaged, or there is none".to_owned());
        }
        let field = |range: std::ops::Range<usize>| block.get(range).unwrap_or_default();
        let size = number(field(124..136))
            .ok_or_else(|| "an entry's size cannot be read in one way only".to_owned())?;
        let mut path = text(field(0..100)).to_vec();
        // GNU's magic has a blank, and other things where the prefix is.
        let (is_ustar, is_gnu) = (
            field(257..263) == b"ustar\0",
            field(257..265) == b"ustar  \0",
        );
        let prefix = text(field(345..500));
        if is_ustar && !prefix.is_empty() {
            path = [prefix, b"/", &path].concat();
        }
        let flag = block.get(482).filter(|_| is_gnu);
        Ok(Self {
            kind: block.get(156).copied().unwrap_or_default(),
            size,
            path,
            has_magic: is_ustar || is_gnu,
            sparse: flag.map_or(Sparse::Ambiguous, |flag| Sparse::of(*flag)),
        })
    }

    /// Whether what follows says something about other entries. Solaris' `X` is a file for all
    /// others.
    pub(super) fn is_about_another(&self) -> bool {
        matches!(self.kind, b'x' | b'X' | b'g' | b'L' | b'K')
    }

    /// Links, devices, directories and pipes have no content; nor has what was a directory
    /// before there was a type for them.
    pub(super) fn has_no_content(&self) -> bool {
        matches!(self.kind, b'1'..=b'6') || self.path.ends_with(b"/")
    }
}

impl Sparse {
    /// Go's reader takes any other number for a one, and that of Rust for none.
    pub(super) fn of(flag: u8) -> Self {
        match flag {
            0 => Self::Whole,
            1 => Self::Extended,
            _ => Self::Ambiguous,
        }
    }
}

/// The sum of all bytes, the checksum itself taken as blanks; old writers took the bytes as
/// signed.
fn has_checksum(block: &[u8]) -> bool {
    let Some(expected) = block.get(CHECKSUM).and_then(number) else {
        return false;
    };
    let bytes = block.iter().take(BLOCK).enumerate();
    let bytes = bytes.map(|(at, byte)| if CHECKSUM.contains(&at) { b' ' } else { *byte });
    let (mut unsigned, mut signed) = (0_i64, 0_i64);
    for byte in bytes {
        unsigned += i64::from(byte);
        signed += i64::from(byte.cast_signed());
    }
    let expected = i64::try_from(expected).unwrap_or(i64::MAX);
    expected == unsigned || expected == signed
}

/// A number: octal digits with blanks or NULs around, or GNU's binary form.
fn number(field: &[u8]) -> Option<u64> {
    if let Some((first, rest)) = field.split_first()
        && first & 0x80 != 0
    {
        // Negative ones are none. What does not fit into 64 bits is cut by some readers.
        let mut value = u64::from(first & 0x7f);
        for byte in rest {
            value = value.checked_mul(256)?.checked_add(u64::from(*byte))?;
        }
        return (first & 0x40 == 0).then_some(value);
    }
    // Digits behind a NUL are skipped by C's and Rust's readers and read by Go's.
    let is_padding = |byte: &u8| matches!(byte, b' ' | 0);
    let start = field.iter().position(|byte| *byte != b' ');
    let digits = start
        .and_then(|start| field.get(start..))
        .unwrap_or_default();
    let end = digits.iter().position(is_padding).unwrap_or(digits.len());
    let (digits, rest) = digits.split_at_checked(end)?;
    if !rest.iter().all(is_padding) {
        return None;
    }
    let mut value: u64 = 0;
    for digit in digits {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 8)?;
        value = value.checked_mul(8)?.checked_add(u64::from(digit))?;
    }
    Some(value)
}

/// Up to the first NUL.
fn text(field: &[u8]) -> &[u8] {
    let end = field.iter().position(|byte| *byte == 0);
    field.get(..end.unwrap_or(field.len())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_octal_or_binary_and_nothing_between() {
        for (field, value) in [
            (b"00000000017\0".as_slice(), Some(15)),
            (b"       17 \0\0", Some(15)),
            (b"\0\0\0\0\0\0\0\0\0\0\0\0", Some(0)),
            (b"\x80\0\0\0\0\0\0\0\0\0\x01\0", Some(256)),
            (b"            ", Some(0)),
            (b"\x0000000000017", None),
            (b" \0 17\0\0\0\0\0\0\0", None),
            (b"17 1\0\0\0\0\0\0\0\0", None),
            (b"0x10\0\0\0\0\0\0\0\0", None),
            (b"-1\0\0\0\0\0\0\0\0\0\0", None),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", None),
            (b"\x80\0\x01\0\0\0\0\0\0\0\0\0", None),
        ] {
            assert_eq!(number(field), value, "{field:?}");
        }
    }
}
