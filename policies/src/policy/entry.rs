//! Entries of `allow` and `deny` lists: what they name, down to the function.

use wasmport_artifact::{Import, ItemKind};

use crate::catalogue::plain;
use crate::finding::{Place, Texts};
use crate::needs::{Identity, Need};
use crate::policy::term::Term;
use crate::policy::wildcard::Wildcard;

/// An `allow` list.
#[derive(Clone, Debug)]
pub(crate) struct Allow {
    /// Of the list, or of the rule's id when it has none.
    pub(crate) place: Place,
    pub(crate) entries: Vec<Allowed>,
    /// The entries as they are written, for all findings that tell them.
    pub(crate) texts: Texts,
}

/// One entry of an `allow` list.
#[derive(Clone, Debug)]
pub(crate) struct Allowed {
    pub(crate) place: Place,
    pub(crate) term: Term,
    pub(crate) functions: Option<Functions>,
    /// The entry as it is written.
    pub(crate) text: String,
}

/// One entry of a `deny` list.
#[derive(Clone, Debug)]
pub(crate) struct Deny {
    pub(crate) place: Place,
    pub(crate) term: Term,
    pub(crate) functions: Option<Functions>,
    /// The entry as it is written.
    pub(crate) text: String,
    pub(crate) reason: Option<String>,
    pub(crate) use_instead: Option<String>,
}

/// Functions by their names.
#[derive(Clone, Debug)]
pub(crate) struct Functions {
    names: Vec<Function>,
    /// Whether large and small letters are the same, as they are where something is denied.
    any_case: bool,
}

#[derive(Clone, Debug)]
struct Function {
    /// The name as it is written, for imports that are no interface.
    written: Wildcard,
    /// The name without `[method]` and the like, where that is another.
    plain: Option<Wildcard>,
}

impl Functions {
    /// Reads names, with or without `[method]`; an error is the number of the wrong one.
    pub(crate) fn parse(names: &[&str]) -> Result<Self, (usize, &'static str)> {
        let names = names.iter().enumerate();
        let parse =
            |(number, name): (usize, &&str)| Function::parse(name).map_err(|why| (number, why));
        Ok(Self {
            names: names.map(parse).collect::<Result<_, _>>()?,
            any_case: false,
        })
    }

    /// The same for a `deny` list: who denies `drop-table` means `DROP-TABLE` too.
    pub(crate) fn parse_denied(names: &[&str]) -> Result<Self, (usize, &'static str)> {
        let small: Vec<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
        let names: Vec<&str> = small.iter().map(String::as_str).collect();
        Ok(Self {
            any_case: true,
            ..Self::parse(&names)?
        })
    }

    /// The names, without `[method]` and the like.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|function| function.plain().as_str())
    }

    /// Whether a function that is imported under this name is one of them.
    fn have(&self, identity: &Identity, function: &str) -> bool {
        let small;
        let function = if self.any_case {
            small = function.to_ascii_lowercase();
            &small
        } else {
            function
        };
        let mut names = self.names.iter();
        match identity {
            // Of a core module a name may begin with several brackets, and who denies the function
            // means it under all of them.
            Identity::Interface(_) if self.any_case => {
                names.any(|known| known.plain().matches(bare(function)))
            }
            Identity::Interface(_) => {
                let function = plain(function);
                names.any(|known| known.plain().matches(function))
            }
            // There brackets are a part of the name, and make another function. Who denies one
            // means either.
            Identity::Name(_) if self.any_case => names.any(|known| {
                known.written.matches(function) || known.plain().matches(bare(function))
            }),
            Identity::Name(_) => names.any(|known| known.written.matches(function)),
        }
    }
}

/// A name without all that stands in brackets before it.
fn bare(mut name: &str) -> &str {
    while let Some((_, rest)) = name.strip_prefix('[').and_then(|name| name.split_once(']')) {
        name = rest;
    }
    name
}

impl Function {
    fn parse(name: &str) -> Result<Self, &'static str> {
        let bare = plain(name);
        let plain = (bare != name).then(|| Wildcard::parse(bare)).transpose()?;
        let written = Wildcard::parse(name)?;
        Ok(Self { written, plain })
    }

    fn plain(&self) -> &Wildcard {
        self.plain.as_ref().unwrap_or(&self.written)
    }
}

impl Allow {
    /// The entry that admits the import for this need.
    pub(crate) fn admitting(
        &self,
        import: &Import,
        identity: &Identity,
        need: &Need,
    ) -> Option<&Allowed> {
        let mut entries = self.entries.iter();
        entries.find(|entry| entry.admits(import, identity, need))
    }
}

impl Allowed {
    /// True when this entry admits the import for this need. With functions these must be
    /// all that it needs, and known to be all.
    pub(crate) fn admits(&self, import: &Import, identity: &Identity, need: &Need) -> bool {
        self.term.admits(identity, need)
            && self.functions.as_ref().is_none_or(|allowed| {
                !import.opaque
                    && called(import, &need.functions).all(|it| allowed.have(identity, it))
            })
    }
}

/// The functions that an entry is held against. One that is imported by itself is its own.
fn called<'a>(import: &'a Import, functions: &'a [String]) -> impl Iterator<Item = &'a str> {
    let own = (import.kind == ItemKind::Func).then_some(import.name.as_str());
    own.into_iter().chain(functions.iter().map(String::as_str))
}

impl Deny {
    /// What this entry refuses of the import for this need: its functions. An import that
    /// may have more functions than are known may have those that are denied.
    pub(crate) fn denies(
        &self,
        import: &Import,
        identity: &Identity,
        need: &Need,
    ) -> Option<Vec<String>> {
        if !self.term.denies(identity, need) {
            return None;
        }
        // Who names an import means all of it, whatever it is needed for.
        let functions = if self.term.is_by_name() {
            &import.functions
        } else {
            &need.functions
        };
        let Some(denied) = &self.functions else {
            return Some(functions.clone());
        };
        let refused = called(import, functions).filter(|it| denied.have(identity, it));
        let refused: Vec<String> = refused.map(str::to_owned).collect();
        (!refused.is_empty() || import.opaque).then_some(refused)
    }
}
