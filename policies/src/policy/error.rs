//! Why a text is not a policy, and where.

use jiff::civil::Date;
use thiserror::Error;
use wasmport_artifact::DigestError;

use crate::decision::excerpt;
use crate::finding::Place;
use crate::policy::size::EXPECTED;
use crate::policy::source::Source;

/// The longest message, in characters: a text of the file may be a megabyte, and all names of a
/// large policy as well.
const MESSAGE: usize = 2_000;

/// A text is not a policy.
#[derive(Clone, Debug, Error)]
#[error("{}: {}", .0.place, .0.message())]
pub struct PolicyError(Box<Details>);

#[derive(Clone, Debug)]
struct Details {
    place: Place,
    problem: Problem,
    /// The line with the problem underlined.
    excerpt: String,
}

impl Details {
    /// What is wrong, with the middle left out where a text of the file is very long.
    fn message(&self) -> String {
        let message = self.problem.to_string();
        let length = message.chars().count();
        if length <= MESSAGE {
            return message;
        }
        let half = MESSAGE / 2;
        let beginning = message.chars().take(half);
        let end = message.chars().skip(length - half);
        beginning.chain(['…']).chain(end).collect()
    }
}

/// What is wrong.
#[derive(Clone, Debug, Error)]
pub(crate) enum Problem {
    /// Not TOML, or not of a policy's shape. The text is the parser's.
    #[error("{0}")]
    Shape(String),
    #[error("schema {0} is not known to this version, which reads schema 1")]
    Schema(u64),
    #[error("a policy file has at most {max} bytes, got {got}")]
    TooLong { max: usize, got: usize },
    #[error("the files of a policy have at most {max} bytes together, got {got}")]
    TooMuch { max: usize, got: usize },
    #[error(
        "a policy has at most {max} patterns with `*` for repositories; name repositories in full, which may be more"
    )]
    TooManyPatterns { max: usize },
    #[error(
        "too many patterns for repositories are alike to say which of them fit the same names; let them begin or end in other ways"
    )]
    TooAlike,
    #[error("{what} is said already, at {at}")]
    Twice { what: &'static str, at: String },
    #[error("there is a {what} `{name}` already, at {at}")]
    Defined {
        what: &'static str,
        name: String,
        at: String,
    },
    #[error(
        "`{name}` is not a capability{hint}; expected {known}, an interface such as `acme:db/query@1`, or `=name` for an import with just a name"
    )]
    UnknownCapability {
        name: String,
        hint: String,
        known: String,
    },
    #[error("`{pattern}` is not a pattern for interfaces: {why}")]
    Pattern { pattern: String, why: &'static str },
    #[error("`{0}` is built in, and cannot be defined anew")]
    BuiltIn(String),
    #[error(
        "`{0}` cannot be the name of a capability; expected words of letters and digits with `-` between them, such as `acme-db`"
    )]
    CapabilityName(String),
    #[error("a capability of no imports is none")]
    NoImports,
    #[error("an id cannot be empty")]
    EmptyId,
    #[error("there is a rule `{id}` already, at {at}")]
    DuplicateRule { id: String, at: String },
    #[error("`{pattern}` is not a pattern for repositories: {why}")]
    Repositories { pattern: String, why: &'static str },
    #[error("without repositories this is for nothing")]
    NoRepositories,
    #[error(
        "`{this}` of rule `{rule}` and `{other}` of rule `{other_rule}` ({at}) fit the same repositories, and neither is more specific"
    )]
    Tie {
        this: String,
        rule: String,
        other: String,
        other_rule: String,
        at: String,
    },
    #[error("there is no signer `{name}`{hint}; expected {known}")]
    UnknownSigner {
        name: String,
        hint: String,
        known: String,
    },
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
    #[error(
        "the signer `{0}` has to have either a `key`, or all of `issuer`, `identity` and `trusted-root`"
    )]
    SignerShape(String),
    #[error("`{0}` is not an issuer; expected a URL such as `https://accounts.example.com`")]
    Issuer(String),
    #[error("`{identity}` is not an identity: {why}")]
    Identity { identity: String, why: &'static str },
    #[error("`trusted-root` cannot be empty; expected the path of a file")]
    EmptyRoot,
    #[error("nobody is believed from {first} to {last}")]
    NeverBelieved { first: Date, last: Date },
    #[error("expected a day without a time and without quotes, such as `2027-03-01`")]
    Day,
    #[error("expected {EXPECTED}")]
    Size,
    #[error("this is not {what}: {why}")]
    Text {
        what: &'static str,
        why: &'static str,
    },
    #[error("an entry for no functions is for nothing; leave `functions` out to mean all")]
    NoFunctions,
    #[error("an exception for no digests is for nothing; leave `digests` out to mean all")]
    NoDigests,
    #[error("`{text}` is not a digest: {error}")]
    Digest { text: String, error: DigestError },
    #[error("an exception has a reason: a ticket, or the words of who allowed it")]
    NoReason,
    #[error("an exception that allows nothing is none")]
    NothingAllowed,
    #[error(
        "`{0}` is not a predicate type; expected a URL such as `https://slsa.dev/provenance/v1`"
    )]
    Predicate(String),
}

impl Problem {
    /// What the parser of TOML says, with the key or value that was probably meant.
    pub(crate) fn shape(message: &str) -> Self {
        let mut quoted = message.split('`').skip(1).step_by(2);
        let is_unknown = message.starts_with("unknown ");
        let hint = match quoted.next().filter(|_| is_unknown) {
            Some(written) => similar(written, quoted),
            None => String::new(),
        };
        Self::Shape(format!("{message}{hint}"))
    }
}

impl PolicyError {
    pub(crate) fn new(source: &Source, span: &std::ops::Range<usize>, problem: Problem) -> Self {
        Self::at(source.place(span), source, problem)
    }

    pub(crate) fn at(place: Place, source: &Source, problem: Problem) -> Self {
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
        format!("error: {}\n{}", self.0.message(), self.0.excerpt)
    }
}

/// `` (did you mean `x`?) `` when one of the known names is much like `name`, else nothing.
pub(crate) fn similar<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let distances = known.map(|known| (strsim::osa_distance(name, known), known));
    // A third of the letters: `socket` is `sockets`, and `dns` is not `nn`.
    let near = distances.filter(|(distance, known)| distance * 3 <= known.chars().count());
    match near.min() {
        Some((_, known)) => format!(" (did you mean `{known}`?)"),
        None => String::new(),
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
