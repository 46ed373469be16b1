//! Seconds since 1970 as RFC 3339, and where they come from in a reproducible build.

use thiserror::Error;

use crate::environment::Environment;

const SECONDS_PER_DAY: u64 = 86_400;

/// The last second of the year 9999, after which RFC 3339 has no form.
const LAST: u64 = 253_402_300_799;

/// `SOURCE_DATE_EPOCH` is not a time.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`SOURCE_DATE_EPOCH` is `{0}`, expected seconds since 1970 as a decimal number")]
pub struct TimestampError(pub String);

/// A point in time, in seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Timestamp(u64);

impl Timestamp {
    pub(crate) fn new(seconds: u64) -> Option<Self> {
        (seconds <= LAST).then_some(Self(seconds))
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
        let (year, month, day) = date(self.0 / SECONDS_PER_DAY);
        let second = self.0 % SECONDS_PER_DAY;
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

/// Year, month and day of the Gregorian calendar.
///
/// Years are counted from March, so that the leap day is the last of its year, and in eras
/// of 400 years, which all have the same days.
fn date(days_since_1970: u64) -> (u64, u64, u64) {
    const DAYS_PER_ERA: u64 = 146_097;
    const FROM_MARCH_OF_YEAR_0_TO_1970: u64 = 719_468;
    let days = days_since_1970 + FROM_MARCH_OF_YEAR_0_TO_1970;
    let (era, day_of_era) = (days / DAYS_PER_ERA, days % DAYS_PER_ERA);
    let leap_days = day_of_era / 1460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leap_days) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
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
        assert_eq!(text(LAST), "9999-12-31T23:59:59Z");
        assert_eq!(Timestamp::new(LAST + 1), None);
    }

    #[test]
    fn every_day_follows_the_day_before_it() {
        let mut before = date(0);
        for days in 1..200_000 {
            let (year, month, day) = date(days);
            let follows = (year, month, day) == (before.0, before.1, before.2 + 1)
                || (day == 1 && (year, month) == (before.0, before.1 + 1))
                || (month, day) == (1, 1) && before == (year - 1, 12, 31);
            assert!(follows, "{before:?} and then {year}-{month}-{day}");
            before = (year, month, day);
        }
    }

    #[test]
    fn the_variable_goes_before_the_commit_and_must_be_a_number() {
        let with = |value: &str| {
            Environment::read(|name| (name == "SOURCE_DATE_EPOCH").then(|| value.into()))
        };
        let committed = Timestamp::new(5);
        let of = |environment| Timestamp::of_source(&environment, committed);
        assert_eq!(of(with("7")), Ok(Timestamp(7)));
        assert_eq!(of(Environment::default()), Ok(Timestamp(5)));
        for wrong in ["", "-1", "yesterday", "99999999999999"] {
            assert_eq!(of(with(wrong)), Err(TimestampError(wrong.to_owned())));
        }
        let unknown = Timestamp::of_source(&Environment::default(), None);
        assert_eq!(unknown, Ok(Timestamp(0)));
    }
}
