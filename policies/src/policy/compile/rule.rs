//! Reads one rule.

use std::collections::BTreeSet;

use toml::Spanned;

use super::Reader;
use super::known::Known;
use crate::finding::Texts;
use crate::policy::entry::Allow;
use crate::policy::error::{PolicyError, Problem};
use crate::policy::file::{AnnotationShape, AttestationShape, Entry, RuleShape};
use crate::policy::pattern::Pattern;
use crate::policy::placed::Placed;
use crate::policy::repositories::RepositoryPattern;
use crate::policy::rule::{Annotation, Attested, Rule, Signatures};
use crate::policy::term::parse_pattern;

impl Reader<'_> {
    pub(super) fn rule(
        &self,
        shape: RuleShape,
        before: &[Rule],
        known: &mut Known,
    ) -> Result<Rule, PolicyError> {
        let place = self.place(&shape.id.span());
        let id = self.id(&shape.id, before, known)?;
        let id_span = shape.id.span();
        let repositories = self.repositories(&shape.repositories)?;
        for (pattern, text) in repositories.iter().zip(shape.repositories.get_ref()) {
            self.expect_no_tie(&pattern.value, &id, before, known)
                .map_err(|problem| self.error(&text.span(), problem))?;
        }
        let allow = match shape.allow {
            Some(list) => self.allow(list)?,
            None => Allow {
                place: place.clone(),
                entries: Vec::new(),
                texts: Texts::default(),
            },
        };
        let limits = self.limits(
            shape.max_size.as_ref(),
            shape.immutable_tags.as_ref(),
            shape.inspect,
        )?;
        let signatures = shape.signatures.map(|shape| {
            let by = self.signatures(&shape, shape.get_ref().require, &shape.get_ref().from)?;
            Ok(Placed {
                place: self.place(&shape.span()),
                value: by,
            })
        });
        let rule = Rule {
            id,
            place,
            repositories,
            mode: shape.mode,
            kinds: shape.kinds.map(|kinds| self.placed(kinds)),
            allow,
            deny: self.deny(shape.deny)?,
            exports: self.exports(&shape.require_exports)?,
            annotations: self.annotations(shape.require_annotations)?,
            signatures: signatures.transpose()?,
            attestations: self.attestations(&shape.attestations)?,
            new_capabilities: shape.new_capabilities.map(|novelty| self.placed(novelty)),
            limits,
        };
        let added = known.add(before.len(), &rule);
        added.map_err(|problem| self.error(&id_span, problem))?;
        Ok(rule)
    }

    fn id(
        &self,
        id: &Spanned<String>,
        before: &[Rule],
        known: &Known,
    ) -> Result<String, PolicyError> {
        let text = id.get_ref().clone();
        if text.trim().is_empty() {
            return Err(self.error(&id.span(), Problem::EmptyId));
        }
        match known.with_id(&text).and_then(|number| before.get(number)) {
            None => Ok(text),
            Some(rule) => {
                let at = self.whereabouts(&rule.place);
                Err(self.error(&id.span(), Problem::DuplicateRule { id: text, at }))
            }
        }
    }

    /// A rule before this one whose pattern fits the same names just as well is an error.
    fn expect_no_tie(
        &self,
        pattern: &RepositoryPattern,
        id: &str,
        before: &[Rule],
        known: &mut Known,
    ) -> Result<(), Problem> {
        match known.tie(pattern, before)? {
            None => Ok(()),
            Some((rule, other)) => Err(Problem::Tie {
                this: pattern.as_str().to_owned(),
                rule: id.to_owned(),
                other: other.as_str().to_owned(),
                other_rule: rule.id.clone(),
                at: self.whereabouts(&rule.place),
            }),
        }
    }

    fn exports(&self, list: &[Spanned<String>]) -> Result<Vec<Placed<Pattern>>, PolicyError> {
        let exports = list.iter().map(|text| {
            let value = parse_pattern(text.get_ref())
                .map_err(|problem| self.error(&text.span(), problem))?;
            let place = self.place(&text.span());
            Ok(Placed { place, value })
        });
        exports.collect()
    }

    fn annotations(
        &self,
        list: Vec<Spanned<Entry<AnnotationShape>>>,
    ) -> Result<Vec<Placed<Annotation>>, PolicyError> {
        let annotations = list.into_iter().map(|entry| {
            let span = entry.span();
            let (name, value) = match entry.into_inner() {
                Entry::Text(name) => (name, None),
                Entry::Table(table) => (table.name, table.value),
            };
            if name.is_empty() {
                let (what, why) = ("the name of an annotation", "it is empty");
                return Err(self.error(&span, Problem::Text { what, why }));
            }
            let what = "a pattern for values";
            let value = value.map(|value| self.wildcard(what, &value)).transpose()?;
            let place = self.place(&span);
            let value = Annotation { name, value };
            Ok(Placed { place, value })
        });
        annotations.collect()
    }

    fn attestations(
        &self,
        list: &[Spanned<AttestationShape>],
    ) -> Result<Vec<Placed<Attested>>, PolicyError> {
        let attestations = list.iter().map(|shape| {
            let AttestationShape {
                predicate,
                require,
                from,
            } = shape.get_ref();
            if !predicate.get_ref().contains("://") {
                let problem = Problem::Predicate(predicate.get_ref().clone());
                return Err(self.error(&predicate.span(), problem));
            }
            let value = Attested {
                predicate: predicate.get_ref().clone(),
                by: self.signatures(shape, require.unwrap_or(1), from)?,
            };
            let place = self.place(&shape.span());
            Ok(Placed { place, value })
        });
        attestations.collect()
    }

    /// So many of these signers, all of whom must be known, each once.
    fn signatures<T>(
        &self,
        whole: &Spanned<T>,
        require: u64,
        from: &[Spanned<String>],
    ) -> Result<Signatures, PolicyError> {
        let mut names = BTreeSet::new();
        for name in from {
            let text = name.get_ref().clone();
            let known = self.names.expect_signer(&text);
            known.map_err(|problem| self.error(&name.span(), problem))?;
            if !names.insert(text.clone()) {
                return Err(self.error(&name.span(), Problem::RepeatedSigner(text)));
            }
        }
        let possible = usize::try_from(require).ok();
        let possible = possible.filter(|require| (1..=names.len()).contains(require));
        let Some(require) = possible else {
            let from = names.len();
            return Err(self.error(&whole.span(), Problem::Require { require, from }));
        };
        Ok(Signatures {
            require,
            from: names,
        })
    }
}
