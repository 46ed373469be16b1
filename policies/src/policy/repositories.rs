//! Patterns for repositories, and which of two is the more specific.

use std::collections::BTreeSet;

use wasmport_artifact::RepositoryName;

use crate::policy::wildcard;

/// The longest pattern. Names have at most 255 bytes, and `*` stands for some of them.
const PATTERN_BYTES: usize = 512;

/// A pattern for names of repositories. `*` stands for anything within one part of the
/// name, `**` for any number of parts.
#[derive(Clone, Debug)]
pub struct RepositoryPattern {
    text: String,
}

/// How specific a pattern is; the greater is the more specific.
///
/// A whole name beats every pattern. Then more characters other than `*` win, then fewer
/// `**`, then fewer `*`.
pub(crate) type Specificity = (
    bool,
    usize,
    std::cmp::Reverse<usize>,
    std::cmp::Reverse<usize>,
);

impl RepositoryPattern {
    /// Reads a pattern, or says why it is none.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let is_known =
            |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-' | b'/' | b'*');
        if text.len() > PATTERN_BYTES {
            return Err("it is longer than 512 bytes");
        }
        if !text.bytes().all(is_known) {
            return Err(
                "names are of lower-case letters, digits, `.`, `_`, `-` and `/`, and patterns of `*` and `**` besides",
            );
        }
        for part in text.split('/') {
            if part.is_empty() {
                return Err("a part between two `/` is empty");
            }
            if part.contains("**") && part != "**" {
                return Err("`**` stands for whole parts, as in `team/**`");
            }
        }
        Ok(Self {
            text: text.to_owned(),
        })
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the whole name fits.
    pub fn matches(&self, repository: &RepositoryName) -> bool {
        // Most patterns do not fit, and most of those are told by their beginning or their end.
        let name = repository.as_str();
        if !name.starts_with(self.beginning()) || !name.ends_with(self.ending()) {
            return false;
        }
        let mut pattern: Vec<&str> = self.text.split('/').collect();
        // At the end it stands for one part at least: `team/**` is not for `team`.
        if let Some(last) = pattern.pop_if(|last| *last == "**") {
            pattern.extend(["*", last]);
        }
        let name: Vec<&str> = name.split('/').collect();
        fits(&pattern, &name)
    }

    /// The one name that fits, where the pattern is a name.
    pub(crate) fn as_name(&self) -> Option<RepositoryName> {
        let is_name = !self.text.contains('*');
        is_name.then(|| self.text.parse().ok()).flatten()
    }

    /// What every name that fits begins with.
    pub(crate) fn beginning(&self) -> &str {
        let end = self.text.find('*').unwrap_or(self.text.len());
        self.text.get(..end).unwrap_or_default()
    }

    /// What every name that fits ends with. `**/app` fits `app` too.
    fn ending(&self) -> &str {
        let ending = self.text.rsplit('*').next().unwrap_or_default();
        ending.trim_start_matches('/')
    }

    pub(crate) fn specificity(&self) -> Specificity {
        let stars = self.text.matches('*').count();
        let double = self.text.split('/').filter(|part| *part == "**").count();
        let single = stars - 2 * double;
        let own = self.text.len() - stars;
        let reverse = std::cmp::Reverse;
        (stars == 0, own, reverse(double), reverse(single))
    }

    /// True when a name may fit both; never false when one does.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let (one, two) = (self.beginning(), other.beginning());
        let begins_alike = one.starts_with(two) || two.starts_with(one);
        let (one, two) = (self.ending(), other.ending());
        if !begins_alike || !(one.ends_with(two) || two.ends_with(one)) {
            return false;
        }
        let parts = |text: &'_ str| text.split('/').map(str::to_owned).collect::<Vec<_>>();
        meet(
            &parts(&self.text),
            &parts(&other.text),
            &|part| part == "**",
            &|one, two| {
                let bytes = |text: &str| text.bytes().collect::<Vec<_>>();
                meet(&bytes(one), &bytes(two), &|byte| *byte == b'*', &|a, b| {
                    a == b
                })
            },
        )
    }
}

/// Whether the parts of a name fit those of a pattern, in which `**` stands for any number of them.
fn fits(mut pattern: &[&str], mut name: &[&str]) -> bool {
    // What to try next where something does not fit: the last `**` stands for one part more.
    let mut longer: Option<(&[&str], &[&str])> = None;
    loop {
        match (pattern.split_first(), name.split_first()) {
            (None, None) => return true,
            (Some((&"**", rest)), _) => {
                longer = Some((rest, name));
                pattern = rest;
            }
            (Some((part, rest)), Some((own, others))) if wildcard::fits(part, own) => {
                (pattern, name) = (rest, others);
            }
            _ => {
                let Some((rest, Some((_, left)))) =
                    longer.map(|(it, left)| (it, left.split_first()))
                else {
                    return false;
                };
                longer = Some((rest, left));
                (pattern, name) = (rest, left);
            }
        }
    }
}

/// Whether two sequences can stand for the same, where a `star` stands for any number of
/// items and others for what they have in common.
fn meet<T>(
    one: &[T],
    two: &[T],
    is_star: &dyn Fn(&T) -> bool,
    fits: &dyn Fn(&T, &T) -> bool,
) -> bool {
    // Pairs of rests that are still to be looked at, by how much was taken off.
    let mut open = vec![(0, 0)];
    let mut seen = BTreeSet::new();
    while let Some((taken, other)) = open.pop() {
        if !seen.insert((taken, other)) {
            continue;
        }
        match (one.get(taken), two.get(other)) {
            (None, None) => return true,
            (first, second) => {
                if first.is_some_and(is_star) {
                    open.push((taken + 1, other));
                    open.extend(second.map(|_| (taken, other + 1)));
                }
                if second.is_some_and(is_star) {
                    open.push((taken, other + 1));
                    open.extend(first.map(|_| (taken + 1, other)));
                }
                let (Some(first), Some(second)) = (first, second) else {
                    continue;
                };
                if !is_star(first) && !is_star(second) && fits(first, second) {
                    open.push((taken + 1, other + 1));
                }
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use globset::GlobBuilder;
    use proptest::prelude::*;

    use super::*;

    fn pattern(text: &str) -> RepositoryPattern {
        RepositoryPattern::parse(text).unwrap()
    }

    #[test]
    fn patterns_match_whole_names() {
        for (text, name, expected) in [
            ("**", "a/b/c", true),
            ("*", "a", true),
            ("*", "a/b", false),
            ("team/*", "team/app", true),
            ("team/*", "team/app/x", false),
            ("team/**", "team/app/x", true),
            ("team/**", "team", false),
            ("team/**", "teams/app", false),
            ("**/app", "app", true),
            ("**/app", "a/b/app", true),
            ("team/app-*", "team/app-1", true),
            ("team/app", "team/app", true),
            ("team/app", "team/apps", false),
            ("a.b/*", "axb/c", false),
            ("a/**/b", "a/b", true),
            ("a/**/b", "a/x/y/b", true),
            ("a/**/b/**", "a/b/b/c", true),
            ("a/**/b/**", "a/b", false),
            ("**/**", "a", true),
            ("**/a*/**/c", "x/ab/a/d/c", true),
        ] {
            let name: RepositoryName = name.parse().unwrap();
            assert_eq!(pattern(text).matches(&name), expected, "{text} {name}");
        }
    }

    #[test]
    fn patterns_outside_the_grammar_are_refused() {
        for text in [
            &"a*".repeat(300),
            "",
            "/a",
            "a/",
            "a//b",
            "A",
            "a?",
            "[a]",
            "{a,b}",
            "a**",
            "**a",
            "***",
            "a\\*",
        ] {
            assert!(RepositoryPattern::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_more_specific_pattern_is_greater() {
        let ordered = [
            "**", "*", "a/**", "a/*", "a/*/*", "a/b/**", "a/b/*", "a/b/c*", "a/b/c",
        ];
        for (weaker, stronger) in ordered.iter().zip(ordered.iter().skip(1)) {
            let (weaker, stronger) = (pattern(weaker), pattern(stronger));
            assert!(
                weaker.specificity() < stronger.specificity(),
                "{weaker:?} {stronger:?}"
            );
        }
        assert!(pattern("a").specificity() > pattern("**/abcdef/*").specificity());
    }

    #[test]
    fn overlaps_are_found() {
        for (one, two, expected) in [
            ("a/**", "b/**", false),
            ("a/*", "*/b", true),
            ("a/*", "*/*/b", false),
            ("a/**", "**/b", true),
            ("ab*", "*bc", true),
            ("ab*", "*bc/d", false),
            ("a/x*", "a/y*", false),
            ("a/*x", "a/y*", true),
            ("**", "a/b/c", true),
            ("a/**/b", "a/b", true),
            ("**/app", "app", true),
            ("**/app", "*", true),
            ("*/app", "x*p", false),
            ("app", "app", true),
            ("ap", "app", false),
        ] {
            assert_eq!(
                pattern(one).overlaps(&pattern(two)),
                expected,
                "{one} {two}"
            );
            assert_eq!(
                pattern(two).overlaps(&pattern(one)),
                expected,
                "{two} {one}"
            );
        }
    }

    #[test]
    fn overlaps_of_many_stars_take_no_time() {
        let one = pattern(&"a*".repeat(100));
        let two = pattern(&format!("{}b", "*a".repeat(100)));
        assert!(one.overlaps(&two));
        let deep = vec!["**"; 60].join("/a/");
        assert!(pattern(&deep).overlaps(&pattern(&format!("{deep}/b"))));
    }

    proptest! {
        #[test]
        fn it_is_what_a_library_for_globs_says(
            pattern in "(\\*\\*|[ab*]{1,3})(/(\\*\\*|[ab*]{1,3})){0,4}",
            name in "[ab]{1,3}(/[ab]{1,3}){0,4}",
        ) {
            let name: RepositoryName = name.parse().unwrap();
            // Only one of several `**` beside each other, of which that takes none, is alike.
            prop_assume!(!pattern.contains("**/**"));
            if let Ok(own) = RepositoryPattern::parse(&pattern) {
                let glob = GlobBuilder::new(&pattern).literal_separator(true).build().unwrap();
                prop_assert_eq!(own.matches(&name), glob.compile_matcher().is_match(name.as_str()));
            }
        }
    }
}
