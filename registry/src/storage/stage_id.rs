//! The name of a stage: 32 hexadecimal digits, so that no path can be made of it.

use std::fmt;
use std::io;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::error::StorageError;

/// How many digits an identifier has.
const LENGTH: usize = 32;

/// What a stage can be resumed by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StageId(String);

/// A text that names no stage.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{0}` names no stage: expected {LENGTH} hexadecimal digits")]
pub struct StageIdError(String);

impl StageId {
    /// A new one, which no other stage has.
    pub fn random() -> Result<Self, StorageError> {
        let mut random = [0; LENGTH / 2];
        getrandom::fill(&mut random).map_err(|error| {
            let action = "make an identifier for a stage".to_owned();
            StorageError::io(action, io::Error::other(error))
        })?;
        Ok(Self(format!("{:032x}", u128::from_be_bytes(random))))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for StageId {
    type Error = StageIdError;

    fn try_from(text: String) -> Result<Self, StageIdError> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() == LENGTH && text.bytes().all(is_digit) {
            return Ok(Self(text));
        }
        Err(StageIdError(text))
    }
}

impl From<StageId> for String {
    fn from(id: StageId) -> Self {
        id.0
    }
}

impl fmt::Display for StageId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_digits_and_nothing_else() {
        let id = StageId::random().unwrap();
        assert_eq!(StageId::try_from(id.to_string()), Ok(id));
        for text in ["", "../../../../../etc/passwd0000000", "0123", "x"] {
            assert!(StageId::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
