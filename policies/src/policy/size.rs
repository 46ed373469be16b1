//! Sizes as they are written: `"20MiB"`, or a number of bytes.

use std::fmt;

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Size(pub(crate) u64);

/// What is expected of a size.
pub(crate) const EXPECTED: &str =
    "a whole number with a unit such as `\"20MiB\"` (B, KB, MB, GB, KiB, MiB or GiB), or bytes";

/// Units from the longest name, since shorter ones are the ends of others.
const UNITS: [(&str, u64); 7] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("B", 1),
];

impl Size {
    /// Reads what the file has, if it is a size.
    pub(crate) fn read(value: &toml::Value) -> Option<Self> {
        match value {
            toml::Value::Integer(bytes) => u64::try_from(*bytes).ok().map(Self),
            toml::Value::String(text) => Self::parse(text),
            _ => None,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let (number, unit) = UNITS.iter().find_map(|(name, unit)| {
            let number = text.strip_suffix(name)?;
            Some((number.trim_end(), unit))
        })?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let number: u64 = number.parse().ok().filter(|_| is_number)?;
        number.checked_mul(*unit).map(Self)
    }
}

impl fmt::Display for Size {
    /// In the largest unit that it is a whole number of, else with one place after the point.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(bytes) = *self;
        let units = [("GiB", 1_u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
        let Some((name, unit)) = units.into_iter().find(|(_, unit)| bytes >= *unit) else {
            return write!(formatter, "{bytes} B");
        };
        let (whole, rest) = (bytes / unit, bytes % unit);
        if rest == 0 {
            return write!(formatter, "{whole} {name}");
        }
        // Rounded up, so that what is too large never looks like the limit.
        let tenths = (u128::from(rest) * 10).div_ceil(u128::from(unit));
        let tenths = u64::try_from(tenths).unwrap_or(10);
        let (whole, tenths) = if tenths == 10 {
            (whole + 1, 0)
        } else {
            (whole, tenths)
        };
        write!(formatter, "{whole}.{tenths} {name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units_or_are_bytes() {
        for (text, expected) in [
            ("20MiB", Some(20 << 20)),
            ("20 MiB", Some(20 << 20)),
            ("1KB", Some(1000)),
            ("7B", Some(7)),
            ("7", None),
            ("", None),
            ("B", None),
            ("1.5MiB", None),
            ("-1MiB", None),
            ("+1MiB", None),
            ("1mib", None),
            ("99999999999GiB", None),
        ] {
            let read = Size::read(&toml::Value::String(text.to_owned()));
            assert_eq!(read.map(|Size(bytes)| bytes), expected, "{text}");
        }
        assert_eq!(Size::read(&toml::Value::Integer(7)), Some(Size(7)));
        assert_eq!(Size::read(&toml::Value::Integer(-7)), None);
    }

    #[test]
    fn sizes_are_shown_so_that_what_is_too_large_looks_so() {
        for (bytes, expected) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (20 << 20, "20 MiB"),
            ((20 << 20) + 1, "20.1 MiB"),
            ((2 << 20) - 1, "2.0 MiB"),
            (u64::MAX, "17179869184.0 GiB"),
        ] {
            assert_eq!(Size(bytes).to_string(), expected);
        }
    }
}
