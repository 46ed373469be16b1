//! From the shape of a file to a policy that makes sense, or the first place where it
//! does not.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use toml::Spanned;

use crate::policy::error::{PolicyError, Problem, one_of};
use crate::policy::file::{
    CapabilityShape, DenyShape, File, Otherwise, RuleShape, SignaturesShape, SignerShape,
};
use crate::policy::repositories::RepositoryPattern;
use crate::policy::rule::{Allow, Deny, Kinds, Rule, Signatures};
use crate::policy::source::Source;
use crate::policy::term::{Definitions, Term, is_built_in, parse_pattern};
use crate::policy::{Body, Signer};

/// The only schema so far.
const SCHEMA: u64 = 1;

/// Reads the text of `source`.
pub(super) fn compile(source: &Source) -> Result<Body, PolicyError> {
    let file: File = toml::from_str(&source.text).map_err(|error| {
        let problem = Problem::Shape(error.message().trim_end().to_owned());
        PolicyError::new(source, &error.span().unwrap_or(0..0), problem)
    })?;
    let compiler = Compiler {
        source,
        definitions: Definitions::new(),
        signers: Vec::new(),
    };
    compiler.file(file)
}

struct Compiler<'a> {
    source: &'a Source,
    definitions: Definitions,
    signers: Vec<Signer>,
}

impl Compiler<'_> {
    fn file(mut self, file: File) -> Result<Body, PolicyError> {
        if *file.schema.get_ref() != SCHEMA {
            let problem = Problem::Schema(*file.schema.get_ref());
            return Err(self.error(&file.schema.span(), problem));
        }
        self.define(file.capability)?;
        self.sign(file.signer)?;
        let always = self.deny(file.always.deny)?;
        let mut rules: Vec<Rule> = Vec::new();
        for shape in file.rule {
            let rule = self.rule(shape, &rules)?;
            rules.push(rule);
        }
        let (default_place, default) = match file.default {
            Some(default) => (
                Some(self.source.place(&default.span())),
                default.into_inner(),
            ),
            None => (None, Otherwise::default()),
        };
        Ok(Body {
            default,
            default_place,
            always,
            rules,
            signers: self.signers,
        })
    }

    fn define(
        &mut self,
        shapes: BTreeMap<Spanned<String>, CapabilityShape>,
    ) -> Result<(), PolicyError> {
        for (name, shape) in shapes {
            if is_built_in(name.get_ref()) {
                let problem = Problem::BuiltIn(name.get_ref().clone());
                return Err(self.error(&name.span(), problem));
            }
            let parse = |text: &Spanned<String>| {
                parse_pattern(text.get_ref()).map_err(|problem| self.error(&text.span(), problem))
            };
            let patterns = shape.imports.iter().map(parse).collect::<Result<_, _>>()?;
            self.definitions.insert(name.into_inner(), patterns);
        }
        Ok(())
    }

    fn sign(&mut self, shapes: BTreeMap<Spanned<String>, SignerShape>) -> Result<(), PolicyError> {
        for (name, shape) in shapes {
            let (name, span, key) = (name.into_inner(), shape.key.span(), shape.key.into_inner());
            if key.trim().is_empty() {
                return Err(self.error(&span, Problem::EmptyKey));
            }
            if let Some(other) = self.signers.iter().find(|signer| signer.key == key) {
                let other = other.name.clone();
                return Err(self.error(&span, Problem::SameKey { name, other }));
            }
            self.signers.push(Signer { name, key });
        }
        Ok(())
    }

    fn rule(&self, shape: RuleShape, before: &[Rule]) -> Result<Rule, PolicyError> {
        let place = self.source.place(&shape.id.span());
        let id = self.id(&shape.id, before)?;
        let repositories = self.repositories(&id, &shape.repositories, before)?;
        let allow = match shape.allow {
            Some(list) => self.allow(&list)?,
            None => Allow {
                place: place.clone(),
                terms: Vec::new(),
                texts: Vec::new(),
            },
        };
        let kinds = shape.kinds.map(|kinds| Kinds {
            place: self.source.place(&kinds.span()),
            kinds: kinds.into_inner(),
        });
        let signatures = shape
            .signatures
            .map(|signatures| self.signatures(&signatures));
        Ok(Rule {
            id,
            place,
            repositories,
            mode: shape.mode,
            kinds,
            allow,
            deny: self.deny(shape.deny)?,
            signatures: signatures.transpose()?,
        })
    }

    fn id(&self, id: &Spanned<String>, before: &[Rule]) -> Result<String, PolicyError> {
        let text = id.get_ref().clone();
        if text.trim().is_empty() {
            return Err(self.error(&id.span(), Problem::EmptyId));
        }
        match before.iter().find(|rule| rule.id == text) {
            None => Ok(text),
            Some(rule) => {
                let line = rule.place.line;
                Err(self.error(&id.span(), Problem::DuplicateRule { id: text, line }))
            }
        }
    }

    fn repositories(
        &self,
        id: &str,
        list: &Spanned<Vec<Spanned<String>>>,
        before: &[Rule],
    ) -> Result<Vec<RepositoryPattern>, PolicyError> {
        if list.get_ref().is_empty() {
            return Err(self.error(&list.span(), Problem::NoRepositories));
        }
        let mut patterns = Vec::new();
        for text in list.get_ref() {
            let problem = |why| Problem::Repositories {
                pattern: text.get_ref().clone(),
                why,
            };
            let pattern = RepositoryPattern::parse(text.get_ref())
                .map_err(|why| self.error(&text.span(), problem(why)))?;
            if let Some(problem) = tie(&pattern, id, before) {
                return Err(self.error(&text.span(), problem));
            }
            patterns.push(pattern);
        }
        Ok(patterns)
    }

    fn allow(&self, list: &Spanned<Vec<Spanned<String>>>) -> Result<Allow, PolicyError> {
        let entries = list.get_ref().iter();
        let terms = entries
            .clone()
            .map(|text| self.term(text.get_ref(), &text.span()));
        Ok(Allow {
            place: self.source.place(&list.span()),
            terms: terms.collect::<Result<_, _>>()?,
            texts: entries.map(|text| text.get_ref().clone()).collect(),
        })
    }

    fn deny(&self, entries: Vec<Spanned<DenyShape>>) -> Result<Vec<Deny>, PolicyError> {
        let entries = entries.into_iter().map(|entry| {
            let span = entry.span();
            let shape = entry.into_inner();
            Ok(Deny {
                place: self.source.place(&span),
                term: self.term(&shape.import, &span)?,
                text: shape.import,
                reason: shape.reason,
                use_instead: shape.use_instead,
            })
        });
        entries.collect()
    }

    fn term(&self, text: &str, span: &Range<usize>) -> Result<Term, PolicyError> {
        Term::parse(text, &self.definitions).map_err(|problem| self.error(span, problem))
    }

    fn signatures(&self, shape: &Spanned<SignaturesShape>) -> Result<Signatures, PolicyError> {
        let SignaturesShape { require, from } = shape.get_ref();
        let mut names = BTreeSet::new();
        for name in from {
            let text = name.get_ref().clone();
            if !self.signers.iter().any(|signer| signer.name == text) {
                let known = one_of(self.signers.iter().map(|signer| signer.name.as_str()));
                let problem = Problem::UnknownSigner { name: text, known };
                return Err(self.error(&name.span(), problem));
            }
            if !names.insert(text.clone()) {
                return Err(self.error(&name.span(), Problem::RepeatedSigner(text)));
            }
        }
        let possible = usize::try_from(*require).ok();
        let possible = possible.filter(|require| (1..=names.len()).contains(require));
        let Some(require) = possible else {
            let (require, from) = (*require, names.len());
            return Err(self.error(&shape.span(), Problem::Require { require, from }));
        };
        Ok(Signatures {
            place: self.source.place(&shape.span()),
            require,
            from: names,
        })
    }

    fn error(&self, span: &Range<usize>, problem: Problem) -> PolicyError {
        PolicyError::new(self.source, span, problem)
    }
}

/// The rule before this one whose pattern fits the same names just as well.
fn tie(pattern: &RepositoryPattern, id: &str, before: &[Rule]) -> Option<Problem> {
    before.iter().find_map(|rule| {
        let is_tie = |other: &&RepositoryPattern| {
            other.specificity() == pattern.specificity() && other.overlaps(pattern)
        };
        let other = rule.repositories.iter().find(is_tie)?;
        Some(Problem::Tie {
            this: pattern.as_str().to_owned(),
            rule: id.to_owned(),
            other: other.as_str().to_owned(),
            other_rule: rule.id.clone(),
            line: rule.place.line,
        })
    })
}
