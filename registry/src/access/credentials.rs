//! What a request says about who sends it.

use std::fmt;

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What a request says about who sends it.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Credentials {
    /// Nothing.
    None,
    /// A name and a password (RFC 7617).
    Basic { name: String, password: String },
    /// A token (RFC 6750).
    Bearer(String),
    /// Something that cannot be read.
    Malformed,
}

/// Passwords and tokens are in no log.
impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::None => "None",
            Self::Basic { .. } => "Basic(…)",
            Self::Bearer(_) => "Bearer(…)",
            Self::Malformed => "Malformed",
        })
    }
}

impl Credentials {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let Some(value) = values.next() else {
            return Self::None;
        };
        if values.next().is_some() {
            return Self::Malformed;
        }
        value
            .to_str()
            .ok()
            .and_then(parse)
            .unwrap_or(Self::Malformed)
    }
}

fn parse(value: &str) -> Option<Credentials> {
    let (scheme, rest) = value.split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return (!rest.is_empty()).then(|| Credentials::Bearer(rest.to_owned()));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    // Some clients send an empty pair when they have nothing to send.
    if name.is_empty() && password.is_empty() {
        return Some(Credentials::None);
    }
    Some(Credentials::Basic {
        name: name.to_owned(),
        password: password.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&str]) -> Credentials {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, value.parse().unwrap());
        }
        Credentials::of(&headers)
    }

    #[test]
    fn schemes_have_any_case_and_passwords_any_colon() {
        let basic = |name: &str, password: &str| Credentials::Basic {
            name: name.to_owned(),
            password: password.to_owned(),
        };
        let encoded = STANDARD.encode("alice:a:b");
        assert!(of(&[&format!("bAsic {encoded}")]) == basic("alice", "a:b"));
        assert!(of(&["bearer abc"]) == Credentials::Bearer("abc".to_owned()));
        assert!(of(&[]) == Credentials::None);
        assert!(of(&[&format!("Basic {}", STANDARD.encode(":"))]) == Credentials::None);
    }

    #[test]
    fn what_cannot_be_read_is_not_nothing() {
        for values in [
            &["Basic"][..],
            &["Basic !!!"],
            &["Bearer "],
            &["Digest x"],
            &["Bearer a", "Bearer b"],
        ] {
            assert!(of(values) == Credentials::Malformed, "{values:?}");
        }
    }
}
