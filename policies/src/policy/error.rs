//! Why a text is not a policy, and where.

use thiserror::Error;

use crate::decision::excerpt;
use crate::finding::Place;
use crate::policy::source::Source;

/// A text is not a policy.
#[derive(Clone, Debug, Error)]
#[error("{}: {}", .0.place, .0.problem)]
pub struct PolicyError(Box<Details>);

#[derive(Clone, Debug)]
struct Details {
    place: Place,
    problem: Problem,
    /// The line with the problem underlined.
    excerpt: String,
}

/// What is wrong.
#[derive(Clone, Debug, Error)]
pub(crate) enum Problem {
    /// Not TOML, or not of a policy's shape. The text is the parser's.
    #[error("{0}")]
    Shape(String),
    #[error("schema {0} is not known to this version, which reads schema 1")]
    Schema(u64),
    #[error(
        "`{name}` is not a capability; expected {known}, an interface such as `acme:db/query@1`, or `=name` for an import with just a name"
    )]
    UnknownCapability { name: String, known: String },
    #[error("`{pattern}` is not a pattern for interfaces: {why}")]
    Pattern { pattern: String, why: &'static str },
    #[error("`{0}` is built in, and cannot be defined anew")]
    BuiltIn(String),
    #[error("an id cannot be empty")]
    EmptyId,
    #[error("there is a rule `{id}` already, at line {line}")]
    DuplicateRule { id: String, line: usize },
    #[error("`{pattern}` is not a pattern for repositories: {why}")]
    Repositories { pattern: String, why: &'static str },
    #[error("a rule without repositories is for nothing")]
    NoRepositories,
    #[error(
        "`{this}` of rule `{rule}` and `{other}` of rule `{other_rule}` (line {line}) fit the same repositories, and neither is more specific"
    )]
    Tie {
        this: String,
        rule: String,
        other: String,
        other_rule: String,
        line: usize,
    },
    #[error("there is no signer `{name}`; expected {known}")]
    UnknownSigner { name: String, known: String },
    #[error("the signer `{0}` is named twice")]
    RepeatedSigner(String),
    #[error("{require} of {from} signers can never sign; expected at least 1 and at most {from}")]
    Require { require: u64, from: usize },
    #[error("`{name}` has the same key as `{other}`: two signers must be two keys")]
    SameKey { name: String, other: String },
    #[error(
        "the key of a signer cannot be empty; expected the path of a public key, or the key itself as PEM"
    )]
    EmptyKey,
}

impl PolicyError {
    pub(crate) fn new(source: &Source, span: &std::ops::Range<usize>, problem: Problem) -> Self {
        let place = source.place(span);
        let excerpt = excerpt(&place, Some(source));
        Self(Box::new(Details {
            place,
            problem,
            excerpt,
        }))
    }

    /// Where.
    pub fn place(&self) -> &Place {
        &self.0.place
    }

    /// The error for a terminal, with the line underlined.
    pub fn to_text(&self) -> String {
        format!("error: {}\n{}", self.0.problem, self.0.excerpt)
    }
}

/// `` `a`, `b` or `c` ``
pub(crate) fn one_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => "none, for there is none".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
