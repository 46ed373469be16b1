//! Texts in which `*` stands for anything: names of tags and functions, values.

use std::sync::OnceLock;

use globset::{Glob, GlobBuilder, GlobMatcher};

/// The longest text. Names of tags and functions are shorter, and what is matched by a longer
/// one takes megabytes.
pub(crate) const TEXT_BYTES: usize = 512;

/// A text in which `*` stands for any number of characters, and all else for itself.
#[derive(Clone, Debug)]
pub(crate) struct Wildcard {
    text: String,
    /// None when there is no `*`: most have none, and are compared much faster so.
    glob: Option<Glob>,
    /// Made when it is first needed.
    matcher: OnceLock<GlobMatcher>,
}

impl Wildcard {
    /// Reads a text, or says why it is none.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Err("it is empty");
        }
        if text.len() > TEXT_BYTES {
            return Err("it is longer than 512 bytes");
        }
        let glob = if text.contains('*') {
            let parts: Vec<String> = text.split('*').map(globset::escape).collect();
            let parts = parts.join("*");
            let glob = GlobBuilder::new(&parts).backslash_escape(false).build();
            let glob = glob.map_err(|_| "it is too complex")?;
            Some(glob)
        } else {
            None
        };
        Ok(Self {
            text: text.to_owned(),
            glob,
            matcher: OnceLock::new(),
        })
    }

    /// Whether the whole text fits.
    pub(crate) fn matches(&self, text: &str) -> bool {
        match &self.glob {
            Some(glob) => {
                let matcher = self.matcher.get_or_init(|| glob.compile_matcher());
                matcher.is_match(text)
            }
            None => self.text == text,
        }
    }

    /// As it was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Wildcard {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Wildcard {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything_and_nothing_else_does() {
        for (pattern, text, expected) in [
            ("v*", "v1.0", true),
            ("v*", "v", true),
            ("v*", "rv1", false),
            ("*", "a/b", true),
            ("https://acme.dev/*", "https://acme.dev/a/b", true),
            ("a?", "ab", false),
            ("a?", "a?", true),
            ("[ab]*", "a", false),
            ("[ab]*", "[ab]c", true),
            ("{a,b}", "a", false),
            ("a\\*", "a\\b", true),
            ("v1", "v1", true),
            ("v1", "v10", false),
            ("*\u{e9}*", "caf\u{e9}!", true),
            ("a*", "a\nb", true),
        ] {
            let wildcard = Wildcard::parse(pattern).unwrap();
            assert_eq!(wildcard.matches(text), expected, "{pattern} {text}");
        }
        assert!(Wildcard::parse("").is_err());
        assert!(Wildcard::parse(&"a*".repeat(TEXT_BYTES / 2)).is_ok());
        assert!(Wildcard::parse(&"a".repeat(TEXT_BYTES + 1)).is_err());
    }
}
