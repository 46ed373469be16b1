//! Texts in which `*` stands for anything: names of tags and functions, values.

/// The longest text. Names of tags and functions are shorter.
pub(crate) const TEXT_BYTES: usize = 512;

/// A text in which `*` stands for any number of characters, and all else for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wildcard(String);

impl Wildcard {
    /// Reads a text, or says why it is none.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Err("it is empty");
        }
        if text.len() > TEXT_BYTES {
            return Err("it is longer than 512 bytes");
        }
        Ok(Self(text.to_owned()))
    }

    /// Whether the whole text fits.
    pub(crate) fn matches(&self, text: &str) -> bool {
        fits(&self.0, text)
    }

    /// As it was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a text fits a pattern in which `*` stands for any number of characters. A library for
/// globs makes a regular expression of each pattern, which takes a thousand times as long and
/// kilobytes, and policies may have many thousands.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    let inner = text
        .strip_prefix(first)
        .and_then(|text| text.strip_suffix(last));
    // Between two stars the first place that fits leaves the most for what follows.
    let left = inner.and_then(|inner| {
        let mut parts = middle.split('*');
        parts.try_fold(inner, |left, part| Some(left.split_once(part)?.1))
    });
    left.is_some()
}

#[cfg(test)]
mod tests {
    use globset::GlobBuilder;
    use proptest::prelude::*;

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
        for (pattern, text, expected) in [
            ("ab*ba", "aba", false),
            ("ab*ba", "abba", true),
            ("*ab*ab*", "xabyabz", true),
            ("*ab*ab*", "xabaz", false),
            ("a**b", "ab", true),
            ("**", "", true),
        ] {
            let wildcard = Wildcard::parse(pattern).unwrap();
            assert_eq!(wildcard.matches(text), expected, "{pattern} {text}");
        }
        assert!(Wildcard::parse("").is_err());
        assert!(Wildcard::parse(&"a*".repeat(TEXT_BYTES / 2)).is_ok());
        assert!(Wildcard::parse(&"a".repeat(TEXT_BYTES + 1)).is_err());
    }

    proptest! {
        #[test]
        fn it_is_what_a_library_for_globs_says(pattern in "[ab*é]{1,8}", text in "[abé/]{0,10}") {
            let parts: Vec<String> = pattern.split('*').map(globset::escape).collect();
            let glob = parts.join("*");
            let glob = GlobBuilder::new(&glob).backslash_escape(false).build().unwrap();
            let glob = glob.compile_matcher();
            // There `**` can be something else.
            prop_assume!(!pattern.contains("**"));
            prop_assert_eq!(fits(&pattern, &text), glob.is_match(&text));
        }
    }
}
