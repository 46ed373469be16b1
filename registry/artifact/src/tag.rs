//! A name that moves: `latest`, `v1.2.0`, `sha256-….sig`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::digest::Digest;
use crate::limits;

/// A tag (distribution specification, "Pulling manifests", `<reference>`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Tag(String);

/// Why a text is not a tag.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "`{0}` is not a tag: expected at most {max} letters, digits, `_`, `.` or `-`, \
     beginning with a letter, a digit or `_`",
    max = limits::TAG_BYTES
)]
pub struct TagError(pub String);

impl Tag {
    /// The tag as it stands in URLs.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where cosign 2 keeps the signatures of `digest`: `sha256-<hex>.sig`
    /// (cosign, `specs/SIGNATURE_SPEC.md`).
    pub fn cosign_signatures(digest: &Digest) -> Self {
        Self(format!("{}.sig", Self::referrers_fallback(digest)))
    }

    /// Where cosign 2 keeps the attestations of `digest`: `sha256-<hex>.att`.
    pub fn cosign_attestations(digest: &Digest) -> Self {
        Self(format!("{}.att", Self::referrers_fallback(digest)))
    }

    /// Where clients keep the referrers of `digest` on a registry without the referrers
    /// API: `sha256-<hex>` (distribution specification, "Referrers Tag Schema").
    pub fn referrers_fallback(digest: &Digest) -> Self {
        let hex: String = digest.hex().chars().take(64).collect();
        Self(format!("{}-{hex}", digest.algorithm().name()))
    }

    /// True for tags that clients derive from a digest to find what belongs to it: those
    /// above, and cosign 2's `.sbom`.
    pub fn is_derived(&self) -> bool {
        self.derived().is_some()
    }

    /// True when clients derive this tag from `digest`.
    pub fn is_derived_from(&self, digest: &Digest) -> bool {
        let stem = self.derived().map(|(stem, _)| stem);
        stem == Some(Self::referrers_fallback(digest).as_str())
    }

    /// What stands behind the digest in a derived tag: `.sig`, or nothing.
    pub fn derived_ending(&self) -> Option<&str> {
        self.derived().map(|(_, ending)| ending)
    }

    /// The two parts of a derived tag.
    fn derived(&self) -> Option<(&str, &str)> {
        let (stem, _) = self.0.split_once('.').unwrap_or((&self.0, ""));
        let ending = self.0.get(stem.len()..).unwrap_or_default();
        let is_hex =
            |text: &str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_derived = matches!(ending, "" | ".sig" | ".att" | ".sbom")
            && stem.split_once('-').is_some_and(|(algorithm, hex)| {
                matches!(algorithm, "sha256" | "sha512") && is_hex(hex)
            });
        is_derived.then_some((stem, ending))
    }
}

impl FromStr for Tag {
    type Err = TagError;

    fn from_str(text: &str) -> Result<Self, TagError> {
        let mut bytes = text.bytes();
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let starts_well = bytes.next().is_some_and(is_word);
        let goes_on_well = bytes.all(|byte| is_word(byte) || byte == b'.' || byte == b'-');
        if starts_well && goes_on_well && text.len() <= limits::TAG_BYTES {
            Ok(Self(text.to_owned()))
        } else {
            Err(TagError(text.to_owned()))
        }
    }
}

impl TryFrom<String> for Tag {
    type Error = TagError;

    fn try_from(text: String) -> Result<Self, TagError> {
        text.parse()
    }
}

impl From<Tag> for String {
    fn from(tag: Tag) -> Self {
        tag.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_in_the_grammar_are_taken() {
        for tag in ["latest", "v1.2.0", "_x", "0", "A-b_c.D", &"a".repeat(128)] {
            assert_eq!(tag.parse::<Tag>().unwrap().as_str(), tag);
        }
    }

    #[test]
    fn tags_outside_the_grammar_are_refused() {
        for tag in [
            "",
            ".a",
            "-a",
            "a/b",
            "a:b",
            "1.0+build",
            "é",
            &"a".repeat(129),
        ] {
            assert_eq!(tag.parse::<Tag>(), Err(TagError(tag.to_owned())));
        }
    }

    #[test]
    fn derived_tags_are_tags_and_known_as_derived() {
        let digest = Digest::with(crate::digest::Algorithm::Sha512, b"");
        for tag in [
            Tag::cosign_signatures(&digest),
            Tag::cosign_attestations(&digest),
            Tag::referrers_fallback(&digest),
        ] {
            assert_eq!(tag.as_str().parse::<Tag>().unwrap(), tag);
            assert!(tag.is_derived() && tag.is_derived_from(&digest), "{tag}");
            assert!(!tag.is_derived_from(&Digest::of(b"")), "{tag}");
        }
        assert_eq!(
            Tag::cosign_attestations(&digest).derived_ending(),
            Some(".att")
        );
        assert_eq!(Tag("v1.sig".to_owned()).derived_ending(), None);
    }

    #[test]
    fn what_people_name_is_not_derived() {
        for tag in [
            "latest",
            "v1.sig",
            "sha256-abc",
            "sha256-abc.sig",
            ".sig",
            "sha256.sig",
        ] {
            assert!(!Tag(tag.to_owned()).is_derived(), "{tag}");
        }
    }
}
