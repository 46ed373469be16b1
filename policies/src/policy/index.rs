//! Finds the rule for a repository without asking every rule.

use std::collections::HashMap;

use wasmport_artifact::RepositoryName;

use crate::policy::repositories::Specificity;
use crate::policy::rule::Rule;

/// Where to look for the rule of a repository.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    /// Rules by the whole names of repositories, which beat every pattern.
    exact: HashMap<String, usize>,
    /// Patterns with the numbers of their rules, from the most specific.
    patterns: Vec<(Specificity, usize, usize)>,
}

impl Index {
    pub(crate) fn of(rules: &[Rule]) -> Self {
        let mut index = Self::default();
        for (number, rule) in rules.iter().enumerate() {
            for (which, pattern) in rule.repositories.iter().enumerate() {
                let text = pattern.value.as_str();
                if text.contains('*') {
                    let specificity = pattern.value.specificity();
                    index.patterns.push((specificity, number, which));
                } else {
                    index.exact.insert(text.to_owned(), number);
                }
            }
        }
        index.patterns.sort_unstable_by(|one, other| other.cmp(one));
        index
    }

    /// The rule for this repository: the most specific. There are no ties, since a file
    /// with one is refused.
    pub(crate) fn find<'a>(
        &self,
        rules: &'a [Rule],
        repository: &RepositoryName,
    ) -> Option<&'a Rule> {
        if let Some(number) = self.exact.get(repository.as_str()) {
            return rules.get(*number);
        }
        self.patterns.iter().find_map(|(_, number, which)| {
            let rule = rules.get(*number)?;
            let pattern = rule.repositories.get(*which)?;
            pattern.value.matches(repository).then_some(rule)
        })
    }
}
