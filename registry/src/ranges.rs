//! Ranges of bytes: which part of a blob is asked for, and which part of an upload comes.

use std::ops::Range;

/// What a `Range` header asks of a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of it.
    Whole,
    /// These bytes.
    Part(Range<u64>),
    /// Bytes that it does not have.
    Unsatisfiable,
}

impl Wanted {
    /// Reads `bytes=a-b`, `bytes=a-` or `bytes=-n` (RFC 9110, section 14.1.2). What is not
    /// understood, several ranges among it, is ignored as the RFC allows. `500-0` is an
    /// answer of its own in the conformance suite: unsatisfiable.
    pub(crate) fn parse(header: Option<&str>, size: u64) -> Self {
        let Some((first, last)) = header
            .and_then(|header| header.strip_prefix("bytes="))
            .and_then(|range| range.split_once('-'))
        else {
            return Self::Whole;
        };
        let range = match (first, last) {
            ("", length) => length
                .parse::<u64>()
                .map(|length| size.saturating_sub(length)..size),
            (first, "") => first.parse().map(|first| first..size),
            (first, last) => match (first.parse(), last.parse::<u64>()) {
                (Ok(first), Ok(last)) => Ok(first..last.saturating_add(1).min(size)),
                (Err(error), _) | (_, Err(error)) => Err(error),
            },
        };
        match range {
            Ok(range) if range.is_empty() => Self::Unsatisfiable,
            Ok(range) => Self::Part(range),
            Err(_) => Self::Whole,
        }
    }
}

/// Reads the `Content-Range` of a chunk: `a-b`, without a unit (distribution
/// specification, "Pushing a blob in chunks"). The end is not included in what is returned.
pub(crate) fn parse_chunk(header: &str) -> Option<Range<u64>> {
    let (first, last) = header.split_once('-')?;
    let (first, last): (u64, u64) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (first <= last).then(|| first..last.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_rfc_and_the_conformance_suite_want_them() {
        for (header, wanted) in [
            ("bytes=500-1499", Wanted::Part(500..1500)),
            ("bytes=500-", Wanted::Part(500..2048)),
            ("bytes=-500", Wanted::Part(1548..2048)),
            ("bytes=-5000", Wanted::Part(0..2048)),
            ("bytes=2000-5000", Wanted::Part(2000..2048)),
            ("bytes=0-0", Wanted::Part(0..1)),
            ("bytes=500-0", Wanted::Unsatisfiable),
            ("bytes=5000-10000", Wanted::Unsatisfiable),
            ("bytes=2048-", Wanted::Unsatisfiable),
            ("bytes=-0", Wanted::Unsatisfiable),
            ("bytes=0-18446744073709551615", Wanted::Part(0..2048)),
            ("bytes=0-1,4-5", Wanted::Whole),
            ("bytes=x-y", Wanted::Whole),
            ("lines=1-2", Wanted::Whole),
        ] {
            assert_eq!(Wanted::parse(Some(header), 2048), wanted, "{header}");
        }
        assert_eq!(Wanted::parse(None, 2048), Wanted::Whole);
        assert_eq!(Wanted::parse(Some("bytes=0-"), 0), Wanted::Unsatisfiable);
    }

    #[test]
    fn a_chunk_says_where_it_belongs() {
        assert_eq!(parse_chunk("0-1023"), Some(0..1024));
        for header in ["", "5", "bytes 0-5", "5-4", "-5", "5-"] {
            assert_eq!(parse_chunk(header), None, "{header}");
        }
    }
}
