//! The rules that were read so far, so that two that cannot both be are found without holding
//! each against each.

use std::collections::{BTreeMap, HashMap};

use crate::policy::error::Problem;
use crate::policy::repositories::{RepositoryPattern, Specificity};
use crate::policy::rule::Rule;

/// How many patterns with `*` a policy has at most. Each is asked at a decision on a repository
/// that no rule names.
const PATTERNS: usize = 10_000;

/// How much may be compared to find patterns that fit the same names, in pairs of characters:
/// a second or so. Patterns with different beginnings or ends are told apart without.
const COMPARISONS: usize = 20_000_000;

/// What is known of the rules before.
#[derive(Default)]
pub(super) struct Known {
    /// Rules by their ids.
    ids: HashMap<String, usize>,
    /// Rules by the whole names of repositories, with the number of the name in the rule.
    whole: HashMap<String, (usize, usize)>,
    /// Patterns by how specific they are and what they begin with: numbers of a rule, and of the
    /// pattern in it.
    patterns: BTreeMap<(Specificity, String), Vec<(usize, usize)>>,
    count: usize,
    compared: usize,
}

impl Known {
    /// The number of the rule with this id.
    pub(super) fn with_id(&self, id: &str) -> Option<usize> {
        self.ids.get(id).copied()
    }

    /// Remembers a rule by its number.
    pub(super) fn add(&mut self, number: usize, rule: &Rule) -> Result<(), Problem> {
        self.ids.insert(rule.id.clone(), number);
        for (which, pattern) in rule.repositories.iter().enumerate() {
            let pattern = &pattern.value;
            if !pattern.as_str().contains('*') {
                self.whole
                    .insert(pattern.as_str().to_owned(), (number, which));
                continue;
            }
            let key = (pattern.specificity(), pattern.beginning().to_owned());
            self.patterns.entry(key).or_default().push((number, which));
            self.count += 1;
            if self.count > PATTERNS {
                return Err(Problem::TooManyPatterns { max: PATTERNS });
            }
        }
        Ok(())
    }

    /// A rule before whose pattern fits the same names just as well, with that pattern.
    pub(super) fn tie<'a>(
        &mut self,
        pattern: &RepositoryPattern,
        rules: &'a [Rule],
    ) -> Result<Option<(&'a Rule, &'a RepositoryPattern)>, Problem> {
        let alike = match self.whole.get(pattern.as_str()) {
            Some(known) => vec![*known],
            None => self.alike(pattern),
        };
        for (number, which) in alike {
            let Some(rule) = rules.get(number) else {
                continue;
            };
            let Some(other) = rule.repositories.get(which) else {
                continue;
            };
            self.compared += pattern.as_str().len() * other.value.as_str().len();
            if self.compared > COMPARISONS {
                return Err(Problem::TooAlike);
            }
            if other.value.overlaps(pattern) {
                return Ok(Some((rule, &other.value)));
            }
        }
        Ok(None)
    }

    /// Patterns that are as specific, and begin so that they may fit the same names.
    fn alike(&self, pattern: &RepositoryPattern) -> Vec<(usize, usize)> {
        let (specificity, beginning) = (pattern.specificity(), pattern.beginning());
        let key = |beginning: &str| (specificity, beginning.to_owned());
        let longer = self.patterns.range(key(beginning)..);
        let longer = longer
            .take_while(|((other, text), _)| *other == specificity && text.starts_with(beginning));
        let shorter = (0..beginning.len()).filter_map(|end| {
            let text = beginning.get(..end)?;
            self.patterns.get(&key(text))
        });
        let longer = longer.map(|(_, numbers)| numbers);
        let mut all: Vec<_> = longer.chain(shorter).flatten().copied().collect();
        // The first rule is named, whatever its pattern is.
        all.sort_unstable();
        all
    }
}
