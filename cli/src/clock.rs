//! The time now, which only a command may look at.

/// Now as RFC 3339, in whole seconds of UTC.
pub(crate) fn now() -> String {
    let now = jiff::Timestamp::now();
    now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
