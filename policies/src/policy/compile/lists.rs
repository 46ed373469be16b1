//! Lists of a policy file: what is allowed and denied, repositories, tags, functions.

use std::ops::Range;

use toml::{Spanned, Value};

use super::Reader;
use crate::policy::entry::{Allow, Allowed, Deny, Functions};
use crate::policy::error::{PolicyError, Problem};
use crate::policy::file::{AllowShape, DenyShape, Entry, Inspect};
use crate::policy::placed::Placed;
use crate::policy::repositories::RepositoryPattern;
use crate::policy::rule::Limits;
use crate::policy::size::Size;
use crate::policy::term::Term;
use crate::policy::wildcard::Wildcard;

impl Reader<'_> {
    pub(super) fn allow(
        &self,
        list: Spanned<Vec<Spanned<Entry<AllowShape>>>>,
    ) -> Result<Allow, PolicyError> {
        let place = self.place(&list.span());
        let mut entries = Vec::new();
        for entry in list.into_inner() {
            let span = entry.span();
            let (text, functions) = match entry.into_inner() {
                Entry::Text(text) => (text, None),
                Entry::Table(table) => (table.import, table.functions),
            };
            entries.push(Allowed {
                place: self.place(&span),
                term: self.term(&text, &span)?,
                functions: self.functions(functions.as_ref(), Functions::parse)?,
                text,
            });
        }
        let texts = entries.iter().map(|entry| entry.text.as_str()).collect();
        Ok(Allow {
            place,
            entries,
            texts,
        })
    }

    pub(super) fn deny(
        &self,
        entries: Vec<Spanned<Entry<DenyShape>>>,
    ) -> Result<Vec<Deny>, PolicyError> {
        let entries = entries.into_iter().map(|entry| {
            let span = entry.span();
            let shape = match entry.into_inner() {
                Entry::Table(table) => table,
                Entry::Text(import) => DenyShape {
                    import,
                    functions: None,
                    reason: None,
                    use_instead: None,
                },
            };
            Ok(Deny {
                place: self.place(&span),
                term: self.term(&shape.import, &span)?,
                functions: self.functions(shape.functions.as_ref(), Functions::parse_denied)?,
                text: shape.import,
                reason: shape.reason,
                use_instead: shape.use_instead,
            })
        });
        entries.collect()
    }

    fn term(&self, text: &str, span: &Range<usize>) -> Result<Term, PolicyError> {
        Term::parse(text, &self.names.definitions).map_err(|problem| self.error(span, problem))
    }

    fn functions(
        &self,
        list: Option<&Spanned<Vec<Spanned<String>>>>,
        parse: impl FnOnce(&[&str]) -> Result<Functions, (usize, &'static str)>,
    ) -> Result<Option<Functions>, PolicyError> {
        let Some(list) = list else {
            return Ok(None);
        };
        if list.get_ref().is_empty() {
            return Err(self.error(&list.span(), Problem::NoFunctions));
        }
        let names = list.get_ref().iter().map(|name| name.get_ref().as_str());
        let names: Vec<&str> = names.collect();
        let functions = parse(&names).map_err(|(number, why)| {
            let wrong = list.get_ref().get(number);
            let span = wrong.map_or(list.span(), Spanned::span);
            let what = "the name of a function";
            self.error(&span, Problem::Text { what, why })
        });
        functions.map(Some)
    }

    pub(super) fn repositories(
        &self,
        list: &Spanned<Vec<Spanned<String>>>,
    ) -> Result<Vec<Placed<RepositoryPattern>>, PolicyError> {
        if list.get_ref().is_empty() {
            return Err(self.error(&list.span(), Problem::NoRepositories));
        }
        let patterns = list.get_ref().iter().map(|text| {
            let problem = |why| Problem::Repositories {
                pattern: text.get_ref().clone(),
                why,
            };
            let value = RepositoryPattern::parse(text.get_ref())
                .map_err(|why| self.error(&text.span(), problem(why)))?;
            Ok(Placed {
                place: self.place(&text.span()),
                value,
            })
        });
        patterns.collect()
    }

    pub(super) fn limits(
        &self,
        max_size: Option<&Spanned<Value>>,
        immutable_tags: Option<&Spanned<Vec<Spanned<String>>>>,
        inspect: Option<Spanned<Inspect>>,
    ) -> Result<Limits, PolicyError> {
        Ok(Limits {
            max_size: max_size.map(|size| self.size(size)).transpose()?,
            immutable_tags: immutable_tags.map(|tags| self.tags(tags)).transpose()?,
            inspect: inspect.map(|inspect| self.placed(inspect)),
        })
    }

    fn size(&self, written: &Spanned<Value>) -> Result<Placed<Size>, PolicyError> {
        let place = self.place(&written.span());
        match Size::read(written.get_ref()) {
            Some(value) => Ok(Placed { place, value }),
            None => Err(self.error(&written.span(), Problem::Size)),
        }
    }

    fn tags(
        &self,
        list: &Spanned<Vec<Spanned<String>>>,
    ) -> Result<Placed<Vec<Wildcard>>, PolicyError> {
        let tags = list.get_ref().iter().map(|tag| {
            let what = "a pattern for tags";
            self.wildcard(what, tag)
        });
        Ok(Placed {
            place: self.place(&list.span()),
            value: tags.collect::<Result<_, _>>()?,
        })
    }

    pub(super) fn wildcard(
        &self,
        what: &'static str,
        text: &Spanned<String>,
    ) -> Result<Wildcard, PolicyError> {
        Wildcard::parse(text.get_ref())
            .map_err(|why| self.error(&text.span(), Problem::Text { what, why }))
    }

    pub(super) fn placed<T>(&self, value: Spanned<T>) -> Placed<T> {
        Placed {
            place: self.place(&value.span()),
            value: value.into_inner(),
        }
    }
}
