//! Whom a rule is for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Whom a rule is for, as `who` names them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum Subject {
    /// Everyone, those who do not say who they are too.
    Anonymous,
    /// Everyone who has said and shown who they are.
    Authenticated,
    /// The user of this name in the htpasswd file.
    User(String),
    /// The users in this group.
    Group(String),
    /// The robot of this name.
    Robot(String),
    /// An identity from this issuer.
    Oidc(String),
    /// A client certificate of this name.
    Certificate(String),
}

/// Why a text names nobody.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "`{0}` is nobody, expected `anonymous`, `authenticated`, `user:NAME`, `group:NAME`, \
     `robot:NAME`, `oidc:ISSUER` or `cert:NAME`"
)]
pub struct SubjectError(String);

impl FromStr for Subject {
    type Err = SubjectError;

    fn from_str(text: &str) -> Result<Self, SubjectError> {
        let error = || SubjectError(text.to_owned());
        match text {
            "anonymous" => return Ok(Self::Anonymous),
            "authenticated" => return Ok(Self::Authenticated),
            _ => {}
        }
        let (kind, name) = text.split_once(':').ok_or_else(error)?;
        if name.is_empty() {
            return Err(error());
        }
        let name = name.to_owned();
        match kind {
            "user" => Ok(Self::User(name)),
            "group" => Ok(Self::Group(name)),
            "robot" => Ok(Self::Robot(name)),
            "oidc" => Ok(Self::Oidc(name)),
            "cert" => Ok(Self::Certificate(name)),
            _ => Err(error()),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => formatter.write_str("anonymous"),
            Self::Authenticated => formatter.write_str("authenticated"),
            Self::User(name) => write!(formatter, "user:{name}"),
            Self::Group(name) => write!(formatter, "group:{name}"),
            Self::Robot(name) => write!(formatter, "robot:{name}"),
            Self::Oidc(name) => write!(formatter, "oidc:{name}"),
            Self::Certificate(name) => write!(formatter, "cert:{name}"),
        }
    }
}

impl TryFrom<String> for Subject {
    type Error = SubjectError;

    fn try_from(text: String) -> Result<Self, SubjectError> {
        text.parse()
    }
}

impl From<Subject> for String {
    fn from(subject: Subject) -> Self {
        subject.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyone_that_can_be_named_is_written_as_read() {
        for text in [
            "anonymous",
            "authenticated",
            "user:alice",
            "group:dev",
            "robot:ci",
            "oidc:github",
            "cert:builder",
        ] {
            assert_eq!(text.parse::<Subject>().unwrap().to_string(), text);
        }
        for text in ["", "alice", "user:", "role:x", "Anonymous"] {
            assert!(text.parse::<Subject>().is_err(), "{text}");
        }
    }
}
