//! Sizes, spans of time and files, as settings write them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;

/// A number of bytes: an integer, or a text such as `"10 GiB"` or `"500 MB"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(pub u64);

/// A span of time, never negative: a text such as `"1h 30m"` or `"500ms"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timespan(pub Duration);

/// Why a text is no size.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{0}` is not a size, expected a number of bytes or a text such as `64 KiB` or `10 GiB`")]
pub struct ByteSizeError(String);

/// Why a text is no span of time.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{0}` is not a span of time, expected a text such as `30s`, `5m` or `1h 30m`")]
pub struct TimespanError(String);

/// The units, the large ones first, so that a size is written in the largest that divides it.
const UNITS: [(&str, u64); 11] = [
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("KB", 1_000),
    ("kB", 1_000),
    ("B", 1),
    ("", 1),
];

impl ByteSize {
    /// So many times 1024 bytes.
    pub const fn kib(count: u64) -> Self {
        Self(count << 10)
    }

    /// So many times 1024² bytes.
    pub const fn mib(count: u64) -> Self {
        Self(count << 20)
    }

    /// So many times 1024³ bytes.
    pub const fn gib(count: u64) -> Self {
        Self(count << 30)
    }

    /// The number of bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }

    /// The number of bytes, or the greatest that the machine can count.
    pub fn to_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl FromStr for ByteSize {
    type Err = ByteSizeError;

    fn from_str(text: &str) -> Result<Self, ByteSizeError> {
        let error = || ByteSizeError(text.to_owned());
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| error())?;
        let unit = unit.trim_start_matches(' ');
        let known = UNITS.iter().find(|(name, _)| *name == unit);
        let (_, bytes) = known.ok_or_else(error)?;
        number.checked_mul(*bytes).map(Self).ok_or_else(error)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let binary = UNITS.iter().filter(|(name, _)| name.ends_with("iB"));
        let fits = |(_, bytes): &&(&str, u64)| self.0 > 0 && self.0.is_multiple_of(*bytes);
        match binary.clone().find(fits) {
            Some((unit, bytes)) => write!(formatter, "{} {unit}", self.0 / bytes),
            None => write!(formatter, "{} B", self.0),
        }
    }
}

impl Timespan {
    /// So many milliseconds.
    pub const fn millis(count: u64) -> Self {
        Self(Duration::from_millis(count))
    }

    /// So many seconds.
    pub const fn seconds(count: u64) -> Self {
        Self(Duration::from_secs(count))
    }

    /// So many minutes.
    pub const fn minutes(count: u64) -> Self {
        Self::seconds(count * 60)
    }

    /// So many hours.
    pub const fn hours(count: u64) -> Self {
        Self::minutes(count * 60)
    }

    /// As the standard library has it.
    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl FromStr for Timespan {
    type Err = TimespanError;

    fn from_str(text: &str) -> Result<Self, TimespanError> {
        let span: SignedDuration = text.parse().map_err(|_| TimespanError(text.to_owned()))?;
        let span = span.try_into();
        span.map(Self).map_err(|_| TimespanError(text.to_owned()))
    }
}

impl fmt::Display for Timespan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let span = SignedDuration::try_from(self.0).unwrap_or(SignedDuration::MAX);
        write!(formatter, "{span:#}")
    }
}

impl Serialize for ByteSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Timespan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Size;
        impl Visitor<'_> for Size {
            type Value = ByteSize;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number of bytes or a text such as \"10 GiB\"")
            }

            fn visit_u64<E: de::Error>(self, bytes: u64) -> Result<ByteSize, E> {
                Ok(ByteSize(bytes))
            }

            fn visit_i64<E: de::Error>(self, bytes: i64) -> Result<ByteSize, E> {
                let bytes = u64::try_from(bytes);
                bytes
                    .map(ByteSize)
                    .map_err(|_| E::custom("a size cannot be negative"))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<ByteSize, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Size)
    }
}

impl<'de> Deserialize<'de> for Timespan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// Makes a path that is relative to `directory`, where the file of settings is, one that can
/// be opened from here.
pub(crate) fn resolve(path: &mut PathBuf, directory: &Path) {
    if path.is_relative() {
        *path = directory.join(&path);
    }
}

/// Patterns for repositories, as their texts. For `#[serde(with = "patterns")]`.
pub(crate) mod patterns {
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};
    use wasmport_policies::RepositoryPattern;

    pub(crate) fn serialize<S: Serializer>(
        patterns: &[RepositoryPattern],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(patterns.iter().map(RepositoryPattern::as_str))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<RepositoryPattern>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        if texts.is_empty() {
            return Err(D::Error::custom("without repositories it is for nothing"));
        }
        let pattern = |text: &String| {
            RepositoryPattern::parse(text).map_err(|why| {
                D::Error::custom(format!("`{text}` is not a pattern for repositories: {why}"))
            })
        };
        texts.iter().map(pattern).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_numbers_with_a_unit_or_without() {
        for (text, bytes) in [
            ("0", 0),
            ("17", 17),
            ("17B", 17),
            ("64 KiB", 64 << 10),
            ("10GiB", 10 << 30),
            ("5 MB", 5_000_000),
        ] {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
        for text in [
            "",
            "GiB",
            "-1",
            "1.5 GiB",
            "1 gib",
            "1 G",
            "99999999999 TiB",
        ] {
            assert!(text.parse::<ByteSize>().is_err(), "{text}");
        }
    }

    #[test]
    fn spans_are_friendly_and_never_negative() {
        for (text, seconds) in [("30s", 30), ("5m", 300), ("1h 30m", 5400), ("PT5M", 300)] {
            assert_eq!(text.parse(), Ok(Timespan::seconds(seconds)), "{text}");
        }
        for text in ["", "5", "-5m", "soon"] {
            assert!(text.parse::<Timespan>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_written_reads_as_the_same() {
        for size in [
            ByteSize(0),
            ByteSize(1025),
            ByteSize::kib(3),
            ByteSize::gib(10),
        ] {
            assert_eq!(size.to_string().parse(), Ok(size));
        }
        for span in [
            Timespan::millis(1500),
            Timespan::minutes(5),
            Timespan::hours(100),
        ] {
            assert_eq!(span.to_string().parse(), Ok(span));
        }
        assert_eq!(ByteSize::gib(10).to_string(), "10 GiB");
        assert_eq!(Timespan::minutes(90).to_string(), "1h 30m");
    }
}
