//! Patterns for identities in certificates: `https://github.com/acme/*/.github/workflows/…`.

use std::fmt;

/// Which identities are meant: `*` stands for anything but `/`, `**` for anything, and every
/// other letter for itself. In a pattern with an `@` neither stands for one, so that a branch
/// called `x@refs/tags/v1` is no tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityPattern {
    text: String,
    steps: Vec<Step>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Letter(char),
    /// Any number of letters, but no `/`, or no `@`, as it says.
    Star {
        slash: bool,
        at: bool,
    },
}

/// The longest identity that is held against a pattern, in bytes. Those of workflows have about
/// one hundred.
const IDENTITY_BYTES: usize = 2048;

impl IdentityPattern {
    /// Reads a pattern. Every text is one; one without `*` means itself alone.
    pub fn new(text: &str) -> Self {
        let at = !text.contains('@');
        let mut steps = Vec::new();
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            steps.push(match letter {
                '*' => Step::Star {
                    slash: letters.next_if_eq(&'*').is_some(),
                    at,
                },
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

    /// True when `identity` is one of those that are meant. Longer ones than anybody has are not.
    pub fn matches(&self, identity: &str) -> bool {
        let exact = Self {
            text: String::new(),
            steps: identity.chars().map(Step::Letter).collect(),
        };
        identity.len() <= IDENTITY_BYTES && self.overlaps(&exact)
    }

    /// True when there can be an identity that both patterns mean.
    ///
    /// It takes as many steps as the product of the two lengths, and most pairs differ before
    /// the first star.
    pub fn overlaps(&self, other: &Self) -> bool {
        let mut heads = self.steps.iter().zip(&other.steps);
        let differs = heads.find(|(own, their)| own != their || own.is_star());
        if differs.is_some_and(|(own, their)| !own.is_star() && !their.is_star()) {
            return false;
        }
        // Which places of the other pattern can be reached at a place of this one.
        let mut reached = vec![false; other.steps.len() + 1];
        if let Some(first) = reached.first_mut() {
            *first = true;
        }
        for at in 0..=self.steps.len() {
            let own = self.steps.get(at).copied();
            let mut next = vec![false; reached.len()];
            for there in 0..reached.len() {
                if reached.get(there) != Some(&true) {
                    continue;
                }
                let their = other.steps.get(there).copied();
                let go = Go::from(own, their);
                let reach = |row: &mut [bool], place: usize, goes: bool| {
                    if let Some(place) = row.get_mut(place).filter(|_| goes) {
                        *place = true;
                    }
                };
                reach(&mut reached, there + 1, go.their);
                reach(&mut next, there, go.own);
                reach(&mut next, there + 1, go.both);
            }
            if at == self.steps.len() {
                break;
            }
            reached = next;
        }
        reached.last() == Some(&true)
    }
}

/// How two patterns can go on at a place of each.
struct Go {
    own: bool,
    their: bool,
    both: bool,
}

impl Go {
    fn from(own: Option<Step>, their: Option<Step>) -> Self {
        let is_star = |step: Option<Step>| step.is_some_and(Step::is_star);
        let meet = own.zip(their).is_some_and(|(own, their)| own.meets(their));
        Self {
            // A star ends here, or reads the letter that the other pattern has and goes on.
            own: is_star(own) || (meet && is_star(their)),
            their: is_star(their) || (meet && is_star(own)),
            both: meet && !is_star(own) && !is_star(their),
        }
    }
}

impl Step {
    fn is_star(self) -> bool {
        matches!(self, Self::Star { .. })
    }

    /// True when there is a letter that both can read.
    fn meets(self, other: Self) -> bool {
        match (self, other) {
            (Self::Letter(one), Self::Letter(other)) => one == other,
            (Self::Letter(letter), Self::Star { slash, at })
            | (Self::Star { slash, at }, Self::Letter(letter)) => {
                (slash || letter != '/') && (at || letter != '@')
            }
            (Self::Star { .. }, Self::Star { .. }) => true,
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
            ("https://a.b/c/**", "https://a.b/c/d@refs/heads/e", true),
            (
                "https://a.b/c/**@refs/tags/*",
                "https://a.b/c/d/e@refs/tags/f",
                true,
            ),
            (
                "https://a.b/c/**@refs/tags/*",
                "https://a.b/c/d@refs/heads/x@refs/tags/f",
                false,
            ),
            (
                "https://a.b/c/**@refs/tags/*",
                "https://a.b/c/d@refs/tags/e@f",
                false,
            ),
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
            ("a*c", "ab*", true),
            ("*", "**", true),
            ("a**b**c", "a/x/c", false),
            ("a**b**c", "*/b/c", true),
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
    fn what_is_longer_than_any_identity_is_none() {
        let pattern = IdentityPattern::new("**");
        assert!(pattern.matches(&"a".repeat(IDENTITY_BYTES)));
        assert!(!pattern.matches(&"a".repeat(IDENTITY_BYTES + 1)));
    }

    /// All texts of up to four letters of this alphabet.
    fn texts() -> Vec<String> {
        let mut texts = vec![String::new()];
        for length in 0..4 {
            let longer: Vec<String> = texts
                .iter()
                .filter(|text| text.len() == length)
                .flat_map(|text| ["a", "/", "@"].map(|letter| format!("{text}{letter}")))
                .collect();
            texts.extend(longer);
        }
        texts
    }

    #[test]
    fn overlapping_is_what_matching_says() {
        let patterns = [
            "", "a", "*", "**", "a*", "*a", "**a", "*@*", "a**", "*/a", "@*", "a*@", "**/**",
        ];
        let texts = texts();
        for one in patterns.map(IdentityPattern::new) {
            for other in patterns.map(IdentityPattern::new) {
                let both = |text: &String| one.matches(text) && other.matches(text);
                assert_eq!(
                    one.overlaps(&other),
                    texts.iter().any(both),
                    "{one} {other}"
                );
            }
        }
    }
}
