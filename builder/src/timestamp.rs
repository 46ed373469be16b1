//! Seconds since 1970 as RFC 3339, and where they come from in a reproducible build.

use thiserror::Error;

use crate::environment::Environment;

/// `SOURCE_DATE_EPOCH` is not a time.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`SOURCE_DATE_EPOCH` is `{0}`, expected seconds since 1970 as a decimal number")]
pub struct TimestampError(pub String);

/// A point in time, in seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Timestamp(jiff::Timestamp);

impl Timestamp {
    /// `None` for what is later than RFC 3339 has a form for.
    pub(crate) fn new(seconds: u64) -> Option<Self> {
        let seconds = i64::try_from(seconds).ok()?;
        jiff::Timestamp::from_second(seconds).ok().map(Self)
    }

    /// The time of what was built: what `SOURCE_DATE_EPOCH` says, else when it was
    /// committed, else 1970. Never the clock, for the same source has the same digest on
    /// any day.
    pub(crate) fn of_source(
        environment: &Environment,
        committed: Option<Self>,
    ) -> Result<Self, TimestampError> {
        let Some(given) = environment.get("SOURCE_DATE_EPOCH") else {
            return Ok(committed.unwrap_or_default());
        };
        let seconds = given.to_str().and_then(|text| text.parse().ok());
        seconds
            .and_then(Self::new)
            .ok_or_else(|| TimestampError(given.to_string_lossy().into_owned()))
    }

    pub(crate) fn to_rfc3339(self) -> String {
        self.0.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(seconds: u64) -> String {
        Timestamp::new(seconds).unwrap().to_rfc3339()
    }

    #[test]
    fn known_times_have_their_known_form() {
        assert_eq!(text(0), "1970-01-01T00:00:00Z");
        assert_eq!(text(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(text(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(text(951_868_800), "2000-03-01T00:00:00Z");
        assert_eq!(text(1_000_000_000), "2001-09-09T01:46:40Z");
        assert_eq!(text(4_107_542_400), "2100-03-01T00:00:00Z");
        assert_eq!(Timestamp::new(253_402_300_800), None);
    }

    #[test]
    fn the_variable_goes_before_the_commit_and_must_be_a_number() {
        let with = |value: &str| {
            Environment::read(|name| (name == "SOURCE_DATE_EPOCH").then(|| value.into()))
        };
        let committed = Timestamp::new(5);
        let of = |environment| Timestamp::of_source(&environment, committed);
        assert_eq!(of(with("7")), Ok(Timestamp::new(7).unwrap()));
        assert_eq!(of(Environment::default()), Ok(committed.unwrap()));
        for wrong in ["", "-1", "yesterday", "99999999999999"] {
            assert_eq!(of(with(wrong)), Err(TimestampError(wrong.to_owned())));
        }
        let unknown = Timestamp::of_source(&Environment::default(), None);
        assert_eq!(unknown, Ok(Timestamp::default()));
    }
}
