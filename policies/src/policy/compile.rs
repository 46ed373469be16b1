//! From the shape of files to a policy that makes sense, or the first place where it does
//! not.

mod exception;
mod known;
mod lists;
mod names;
mod rule;

use std::ops::Range;

use crate::finding::Place;
use crate::policy::Body;
use crate::policy::error::{PolicyError, Problem};
use crate::policy::file::{AlwaysShape, File};
use crate::policy::index::Index;
use crate::policy::placed::Placed;
use crate::policy::rule::{Always, Limits};
use crate::policy::source::{Source, Sources};
use known::Known;
use names::Names;

/// The only schema so far.
const SCHEMA: u64 = 1;

/// The longest policy file. The largest that we know of, with a rule for each of a thousand
/// repositories, has a tenth of that; what is longer is another file by mistake.
pub const FILE_BYTES: usize = 1 << 20;

/// The most that all files of a policy have together, which is read within seconds.
const POLICY_BYTES: usize = 16 << 20;

/// Reads the texts.
pub(super) fn compile(sources: &Sources) -> Result<Body, PolicyError> {
    let got = sources.iter().map(|source| source.text.len()).sum();
    if let (true, Some(source)) = (got > POLICY_BYTES, sources.iter().next()) {
        let max = POLICY_BYTES;
        return Err(PolicyError::new(
            source,
            &(0..0),
            Problem::TooMuch { max, got },
        ));
    }
    let files = sources.iter().map(|source| Ok((source, read(source)?)));
    let files: Vec<(&Source, File)> = files.collect::<Result<_, _>>()?;
    let names = Names::of(&files)?;
    let mut body = Body::default();
    let mut known = Known::default();
    for (source, file) in files {
        let reader = Reader {
            source,
            names: &names,
        };
        reader.file(file, &mut body, &mut known)?;
    }
    // Of several exceptions that let something pass the one that lasts longest is named,
    // wherever it stands.
    body.exceptions
        .sort_by(|one, other| other.key().cmp(&one.key()));
    body.index = Index::of(&body.rules);
    (body.definitions, body.signers) = names.into_parts();
    Ok(body)
}

fn read(source: &Source) -> Result<File, PolicyError> {
    if source.text.len() > FILE_BYTES {
        let got = source.text.len();
        let problem = Problem::TooLong {
            max: FILE_BYTES,
            got,
        };
        return Err(PolicyError::new(source, &(0..0), problem));
    }
    let file: File = toml::from_str(&source.text).map_err(|error| {
        let problem = Problem::shape(error.message().trim_end());
        PolicyError::new(source, &error.span().unwrap_or(0..0), problem)
    })?;
    if *file.schema.get_ref() != SCHEMA {
        let problem = Problem::Schema(*file.schema.get_ref());
        return Err(PolicyError::new(source, &file.schema.span(), problem));
    }
    Ok(file)
}

/// Reads one file, when the names of all are known.
struct Reader<'a> {
    source: &'a Source,
    names: &'a Names,
}

impl Reader<'_> {
    /// Adds what `file` says to `body`.
    fn file(&self, file: File, body: &mut Body, known: &mut Known) -> Result<(), PolicyError> {
        if let Some(default) = file.default {
            if let Some(before) = &body.default_place {
                let at = self.whereabouts(before);
                return Err(self.error(
                    &default.span(),
                    Problem::Twice {
                        what: "`default`",
                        at,
                    },
                ));
            }
            body.default_place = Some(self.place(&default.span()));
            body.default = default.into_inner();
        }
        self.always(file.always, &mut body.always)?;
        for shape in file.rule {
            let rule = self.rule(shape, &body.rules, known)?;
            body.rules.push(rule);
        }
        for shape in file.exception {
            body.exceptions.push(self.exception(shape)?);
        }
        Ok(())
    }

    fn always(&self, shape: AlwaysShape, always: &mut Always) -> Result<(), PolicyError> {
        always.deny.extend(self.deny(shape.deny)?);
        let Limits {
            max_size,
            immutable_tags,
            inspect,
        } = self.limits(
            shape.max_size.as_ref(),
            shape.immutable_tags.as_ref(),
            shape.inspect,
        )?;
        let limits = &mut always.limits;
        self.once(
            "`max-size` under `[always]`",
            max_size,
            &mut limits.max_size,
        )?;
        let what = "`immutable-tags` under `[always]`";
        self.once(what, immutable_tags, &mut limits.immutable_tags)?;
        self.once("`inspect` under `[always]`", inspect, &mut limits.inspect)
    }

    /// What several files could say, and only one of them may.
    fn once<T>(
        &self,
        what: &'static str,
        new: Option<Placed<T>>,
        known: &mut Option<Placed<T>>,
    ) -> Result<(), PolicyError> {
        match (new, known.as_ref()) {
            (Some(new), Some(before)) => {
                let at = self.whereabouts(&before.place);
                let excerpt = Problem::Twice { what, at };
                Err(PolicyError::at(new.place, self.source, excerpt))
            }
            (Some(new), None) => {
                *known = Some(new);
                Ok(())
            }
            (None, _) => Ok(()),
        }
    }

    fn place(&self, span: &Range<usize>) -> Place {
        self.source.place(span)
    }

    /// Another place, for the end of a sentence about this file.
    fn whereabouts(&self, place: &Place) -> String {
        if place.file == self.source.file {
            format!("line {}", place.line)
        } else {
            format!("{}:{}", place.file, place.line)
        }
    }

    fn error(&self, span: &Range<usize>, problem: Problem) -> PolicyError {
        PolicyError::new(self.source, span, problem)
    }
}
