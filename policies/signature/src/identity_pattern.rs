//! Patterns for identities in certificates: `https://github.com/acme/*/.github/workflows/…`.

use std::collections::BTreeSet;
use std::fmt;

/// Which identities are meant: `*` stands for anything but `/`, `**` for anything, and every
/// other letter for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityPattern {
    text: String,
    steps: Vec<Step>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Letter(char),
    /// Any number of letters that are no `/`.
    Segment,
    /// Any number of letters.
    Anything,
}

/// The longest identity that is compared, in bytes. It comes from a certificate that is not proved yet,
/// which can have a megabyte; browsers take no longer addresses either.
const IDENTITY_BYTES: usize = 2048;

impl IdentityPattern {
    /// Reads a pattern. Every text is one; one without `*` means itself alone.
    pub fn new(text: &str) -> Self {
        let mut steps = Vec::new();
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            steps.push(match letter {
                '*' if letters.next_if_eq(&'*').is_some() => Step::Anything,
                '*' => Step::Segment,
                letter => Step::Letter(letter),
            });
        }
        Self {
            text: text.to_owned(),
            steps,
        }
    }

    /// True when an address of the web is meant, and not one of mail.
    #[cfg(feature = "keyless")]
    pub(crate) fn is_uri(&self) -> bool {
        self.text.contains("://")
    }

    /// True when `identity` is one of those that are meant.
    pub fn matches(&self, identity: &str) -> bool {
        if identity.len() > IDENTITY_BYTES {
            return false;
        }
        let exact = Self {
            text: String::new(),
            steps: identity.chars().map(Step::Letter).collect(),
        };
        self.overlaps(&exact)
    }

    /// True when there can be an identity that both patterns mean.
    ///
    /// It takes at most as many steps as the product of the two lengths.
    pub fn overlaps(&self, other: &Self) -> bool {
        let mut seen = BTreeSet::new();
        let mut places = vec![(0, 0)];
        while let Some((own, theirs)) = places.pop() {
            if !seen.insert((own, theirs)) {
                continue;
            }
            match (self.steps.get(own), other.steps.get(theirs)) {
                (None, None) => return true,
                (Some(own_step), Some(their_step)) => {
                    places.extend(after(*own_step, *their_step, own, theirs));
                }
                // What is left of the other must be able to stand for nothing.
                (Some(step), None) if step.is_star() => places.push((own + 1, theirs)),
                (None, Some(step)) if step.is_star() => places.push((own, theirs + 1)),
                _ => {}
            }
        }
        false
    }
}

/// Where two patterns can go on after they read one letter together, or after a star ends.
fn after(own: Step, their: Step, at: usize, there: usize) -> Vec<(usize, usize)> {
    let mut next = Vec::new();
    if own.is_star() {
        next.push((at + 1, there));
    }
    if their.is_star() {
        next.push((at, there + 1));
    }
    if own.meets(their) {
        let stay = |step: Step, place: usize| if step.is_star() { place } else { place + 1 };
        next.push((stay(own, at), stay(their, there)));
    }
    next
}

impl Step {
    fn is_star(self) -> bool {
        !matches!(self, Self::Letter(_))
    }

    /// True when there is a letter that both can read.
    fn meets(self, other: Self) -> bool {
        match (self, other) {
            (Self::Letter(one), Self::Letter(other)) => one == other,
            (Self::Letter(letter), Self::Segment) | (Self::Segment, Self::Letter(letter)) => {
                letter != '/'
            }
            _ => true,
        }
    }
}

impl fmt::Display for IdentityPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RELEASE: &str = "https://github.com/acme/*/.github/workflows/release.yml@refs/tags/*";

    #[test]
    fn a_star_stays_in_its_part_and_two_do_not() {
        for (pattern, identity, expected) in [
            ("a@acme.dev", "a@acme.dev", true),
            ("a@acme.dev", "A@acme.dev", false),
            ("*@acme.dev", "a@acme.dev", true),
            ("*@acme.dev", "@acme.dev", true),
            ("*@acme.dev", "a@acme.dev.evil", false),
            ("*@acme.dev", "evil/a@acme.dev", false),
            ("https://a.b/c/**", "https://a.b/c/d/e@f", true),
            ("https://a.b/c/**", "https://a.b/cc/d", false),
            ("https://a.b/c/**x", "https://a.b/c/d/ex", true),
            ("https://a.b/c/**x", "https://a.b/c/d/e", false),
            ("https://a.b/?", "https://a.b/c", false),
            ("https://a.b/[c]", "https://a.b/c", false),
            ("", "", true),
            ("", "a", false),
            (
                RELEASE,
                "https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1",
                true,
            ),
            (
                RELEASE,
                "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/v1",
                false,
            ),
            (
                RELEASE,
                "https://github.com/evil/acme/app/.github/workflows/release.yml@refs/tags/v1",
                false,
            ),
        ] {
            let found = IdentityPattern::new(pattern).matches(identity);
            assert_eq!(found, expected, "{pattern} {identity}");
        }
    }

    #[test]
    fn patterns_that_can_mean_one_identity_overlap() {
        for (one, other, expected) in [
            ("https://a.b/c/*", "https://a.b/c/d", true),
            ("https://a.b/*/d", "https://a.b/c/*", true),
            ("https://a.b/*/d", "https://a.b/c/e", false),
            ("https://a.b/*", "https://a.b/c/**", false),
            ("https://a.b/**", "https://a.b/c/**", true),
            ("*a", "*b", false),
            ("a*", "*b", true),
        ] {
            let [one, other] = [one, other].map(IdentityPattern::new);
            assert_eq!(one.overlaps(&other), expected, "{one} {other}");
            assert_eq!(other.overlaps(&one), expected, "{other} {one}");
        }
    }

    #[test]
    fn many_stars_take_no_more_steps_than_the_product_of_the_lengths() {
        let pattern = IdentityPattern::new(&"**a".repeat(300));
        assert!(!pattern.matches(&"a".repeat(299)));
        assert!(pattern.matches(&"a".repeat(300)));
    }

    #[test]
    fn an_identity_that_is_longer_than_any_is_nobody() {
        let pattern = IdentityPattern::new("**");
        assert!(pattern.matches(&"a".repeat(IDENTITY_BYTES)));
        assert!(!pattern.matches(&"a".repeat(IDENTITY_BYTES + 1)));
    }
}
