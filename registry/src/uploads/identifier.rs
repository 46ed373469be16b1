//! Identifiers of uploads prove themselves: opening an upload writes nothing, and is known
//! after a restart all the same.

use std::fmt::Write as _;

use aws_lc_rs::hmac;
use wasmport_artifact::{Algorithm, RepositoryName};

/// What an identifier says: time, random number, algorithm.
const SAID_BYTES: usize = 8 + 16 + 1;

/// The proof that we said it.
const PROOF_BYTES: usize = 32;

/// The key of the identifiers of one store.
#[derive(Debug)]
pub(super) struct Identifiers(hmac::Key);

/// An identifier that we gave out for this repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identifier {
    /// When, in seconds since 1970.
    pub(super) opened: u64,
    /// No two are the same.
    pub(super) number: u128,
    /// What the client said that the digest will be of.
    pub(super) algorithm: Algorithm,
}

impl Identifiers {
    pub(super) fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// The text of an identifier, which is good in `repository` only.
    pub(super) fn write(&self, repository: &RepositoryName, identifier: &Identifier) -> String {
        let mut said = Vec::with_capacity(SAID_BYTES);
        said.extend(identifier.opened.to_be_bytes());
        said.extend(identifier.number.to_be_bytes());
        said.push(match identifier.algorithm {
            Algorithm::Sha256 => 0,
            Algorithm::Sha512 => 1,
        });
        let proof = hmac::sign(&self.0, &proven(&said, repository));
        said.iter()
            .chain(proof.as_ref())
            .fold(String::new(), |mut text, byte| {
                let _infallible = write!(text, "{byte:02x}");
                text
            })
    }

    /// Reads an identifier. `None` when it is not ours, or of another repository.
    pub(super) fn read(&self, repository: &RepositoryName, text: &str) -> Option<Identifier> {
        let bytes = from_hex(text)?;
        if bytes.len() != SAID_BYTES + PROOF_BYTES {
            return None;
        }
        let (said, proof) = bytes.split_at_checked(SAID_BYTES)?;
        hmac::verify(&self.0, &proven(said, repository), proof).ok()?;
        let (opened, rest) = said.split_first_chunk::<8>()?;
        let (number, algorithm) = rest.split_first_chunk::<16>()?;
        Some(Identifier {
            opened: u64::from_be_bytes(*opened),
            number: u128::from_be_bytes(*number),
            algorithm: match algorithm {
                [0] => Algorithm::Sha256,
                [1] => Algorithm::Sha512,
                _ => return None,
            },
        })
    }
}

/// The length of what is said is fixed, so that nothing of it can pass for a name.
fn proven(said: &[u8], repository: &RepositoryName) -> Vec<u8> {
    [said, repository.as_str().as_bytes()].concat()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs
        .iter()
        .map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDENTIFIER: Identifier = Identifier {
        opened: 1_800_000_000,
        number: 7,
        algorithm: Algorithm::Sha512,
    };

    fn name(text: &str) -> RepositoryName {
        text.parse().unwrap()
    }

    #[test]
    fn an_identifier_says_what_was_written_into_it() {
        let identifiers = Identifiers::new(&[1; 32]);
        let text = identifiers.write(&name("team/app"), &IDENTIFIER);
        let read = identifiers.read(&name("team/app"), &text);
        assert_eq!(read, Some(IDENTIFIER));
    }

    #[test]
    fn an_identifier_is_good_in_its_repository_and_store_only() {
        let identifiers = Identifiers::new(&[1; 32]);
        let text = identifiers.write(&name("team/app"), &IDENTIFIER);
        for other in ["app", "team/ap", "team/app2"] {
            assert_eq!(identifiers.read(&name(other), &text), None, "{other}");
        }
        let other = Identifiers::new(&[2; 32]);
        assert_eq!(other.read(&name("team/app"), &text), None);
    }

    #[test]
    fn an_identifier_that_was_changed_anywhere_is_none() {
        let identifiers = Identifiers::new(&[1; 32]);
        let app = name("app");
        let text = identifiers.write(&app, &IDENTIFIER);
        for at in 0..text.len() {
            let mut forged = text.clone().into_bytes();
            forged[at] = if forged[at] == b'0' { b'1' } else { b'0' };
            let forged = String::from_utf8(forged).unwrap();
            assert_eq!(identifiers.read(&app, &forged), None, "{forged}");
        }
        for forged in ["", "0", "x", &text[2..], &format!("{text}00")] {
            assert_eq!(identifiers.read(&app, forged), None, "{forged}");
        }
        assert_eq!(identifiers.read(&app, &text.to_uppercase()), None);
    }
}
