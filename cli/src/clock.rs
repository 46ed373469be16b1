//! The time now, which only a command may look at.

/// Now as RFC 3339, in whole seconds of UTC.
pub(crate) fn now() -> String {
    let now = jiff::Timestamp::now();
    now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// So many seconds after 1970 as RFC 3339.
pub(crate) fn at(seconds: u64) -> String {
    let time = i64::try_from(seconds).map(jiff::Timestamp::from_second);
    let time = time.ok().and_then(Result::ok).unwrap_or_default();
    time.to_string()
}

/// Today in UTC, which policies are applied as of.
pub(crate) fn today() -> jiff::civil::Date {
    jiff::tz::TimeZone::UTC
        .to_datetime(jiff::Timestamp::now())
        .date()
}
