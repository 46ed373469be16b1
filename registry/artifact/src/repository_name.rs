//! The name of a repository inside a registry, `team/app`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::limits;

/// A repository name (distribution specification, "Pulling manifests", `<name>`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RepositoryName(String);

/// Why a text is not a repository name.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RepositoryNameError {
    /// Longer than 255 bytes.
    #[error("a repository name has at most {max} characters, got {0}", max = limits::REPOSITORY_NAME_BYTES)]
    TooLong(usize),
    /// Not in the grammar.
    #[error(
        "`{0}` is not a repository name: expected lower-case letters and digits, \
         joined by `.`, `_`, `__` or `-`, in parts separated by `/`"
    )]
    Malformed(String),
}

impl RepositoryName {
    /// The name as it stands in URLs.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RepositoryName {
    type Err = RepositoryNameError;

    fn from_str(text: &str) -> Result<Self, RepositoryNameError> {
        if text.len() > limits::REPOSITORY_NAME_BYTES {
            return Err(RepositoryNameError::TooLong(text.len()));
        }
        if text.split('/').all(is_path_component) {
            Ok(Self(text.to_owned()))
        } else {
            Err(RepositoryNameError::Malformed(text.to_owned()))
        }
    }
}

impl TryFrom<String> for RepositoryName {
    type Error = RepositoryNameError;

    fn try_from(text: String) -> Result<Self, RepositoryNameError> {
        text.parse()
    }
}

impl From<RepositoryName> for String {
    fn from(name: RepositoryName) -> Self {
        name.0
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn is_path_component(component: &str) -> bool {
    let is_alphanumeric = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9');
    let ends_well = |text: &str| {
        text.bytes().next().is_some_and(is_alphanumeric)
            && text.bytes().next_back().is_some_and(is_alphanumeric)
    };
    ends_well(component)
        && component
            .split(|character: char| character.is_ascii() && is_alphanumeric(character as u8))
            .all(|gap| matches!(gap, "" | "." | "_" | "__") || gap.bytes().all(|byte| byte == b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_the_grammar_are_taken() {
        for name in [
            "a",
            "team/app",
            "a.b",
            "a_b",
            "a__b",
            "a---b",
            "0/1/2",
            "a-b.c_d/e",
        ] {
            assert_eq!(name.parse::<RepositoryName>().unwrap().as_str(), name);
        }
    }

    #[test]
    fn names_outside_the_grammar_are_refused() {
        let names = [
            "", "/", "a/", "/a", "a//b", "A", "a..b", "a___b", "a._b", "-a", "a-", "é", "..",
            "a/../b", "a b", "a%2fb",
        ];
        for name in names {
            let expected = Err(RepositoryNameError::Malformed(name.to_owned()));
            assert_eq!(name.parse::<RepositoryName>(), expected);
        }
    }

    #[test]
    fn a_name_of_256_characters_is_too_long() {
        assert!("a".repeat(255).parse::<RepositoryName>().is_ok());
        let error = "a".repeat(256).parse::<RepositoryName>().unwrap_err();
        assert_eq!(error, RepositoryNameError::TooLong(256));
    }
}
