//! The query of a request.

use axum::http::Uri;

use crate::error::ApiError;

/// Names and values, decoded, in their order.
#[derive(Debug)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn of(uri: &Uri) -> Self {
        let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        Self(pairs.into_owned().collect())
    }

    /// What a form has, which is written like a query.
    pub(crate) fn of_form(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    /// All values under `name`.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let pairs = self.0.iter().filter(move |(key, _)| key == name);
        pairs.map(|(_, value)| value.as_str())
    }

    /// How many entries of a list are asked for, and at most `limit`.
    pub(crate) fn n(&self, limit: usize) -> Result<usize, ApiError> {
        let Some(n) = self.get("n") else {
            return Ok(limit);
        };
        let error = || ApiError::bad_request(format!("`n` is `{n}`, expected a number"));
        // More than fits into the number is more than the limit, too.
        let is_number = !n.is_empty() && n.bytes().all(|byte| byte.is_ascii_digit());
        let n = is_number.then(|| n.parse().unwrap_or(usize::MAX));
        n.map(|n| n.min(limit)).ok_or_else(error)
    }

    /// The first value under `name`.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let mut pairs = self.0.iter();
        pairs.find_map(|(key, value)| (key == name).then_some(value.as_str()))
    }
}
