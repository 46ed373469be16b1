//! The names that a policy defines: capabilities and signers.

use std::collections::BTreeMap;

use jiff::civil::Date;
use toml::{Spanned, Value};

use crate::finding::Place;
use crate::policy::error::{PolicyError, Problem, similar};
use crate::policy::file::{CapabilityShape, File, SignerShape};
use crate::policy::pattern::is_kebab;
use crate::policy::signer::{Signer, Trust};
use crate::policy::source::Source;
use crate::policy::term::{Definition, Definitions, is_built_in, parse_pattern};

/// The names that a policy defines, in any of its files.
pub(super) struct Names {
    pub(super) definitions: Definitions,
    signers: BTreeMap<String, Signer>,
}

impl Names {
    pub(super) fn of(files: &[(&Source, File)]) -> Result<Self, PolicyError> {
        let mut names = Self {
            definitions: Definitions::new(),
            signers: BTreeMap::new(),
        };
        for (source, file) in files {
            for (name, shape) in &file.capability {
                names.define(source, name, shape)?;
            }
            for (name, shape) in &file.signer {
                names.sign(source, name, shape)?;
            }
        }
        Ok(names)
    }

    pub(super) fn into_parts(self) -> (Definitions, Vec<Signer>) {
        (self.definitions, self.signers.into_values().collect())
    }

    /// An error when there is no signer of this name.
    pub(super) fn expect_signer(&self, name: &str) -> Result<(), Problem> {
        if self.signers.contains_key(name) {
            return Ok(());
        }
        let known = || self.signers.keys().map(String::as_str);
        Err(Problem::UnknownSigner {
            name: name.to_owned(),
            hint: similar(name, known()),
            known: crate::policy::error::one_of(known()),
        })
    }

    fn define(
        &mut self,
        source: &Source,
        name: &Spanned<String>,
        shape: &CapabilityShape,
    ) -> Result<(), PolicyError> {
        let error = |span, problem| Err(PolicyError::new(source, &span, problem));
        let text = name.get_ref();
        if is_built_in(text) {
            return error(name.span(), Problem::BuiltIn(text.clone()));
        }
        // A name like a pattern would take its place wherever that is written.
        if !is_kebab(text) {
            return error(name.span(), Problem::CapabilityName(text.clone()));
        }
        if let Some(before) = self.definitions.get(text) {
            let problem = Problem::defined("capability", text, &before.place);
            return error(name.span(), problem);
        }
        if shape.imports.is_empty() {
            return error(name.span(), Problem::NoImports);
        }
        let mut patterns = Vec::new();
        for text in &shape.imports {
            match parse_pattern(text.get_ref()) {
                Ok(pattern) => patterns.push(pattern),
                Err(problem) => return error(text.span(), problem),
            }
        }
        let place = source.place(&name.span());
        let definition = Definition { place, patterns };
        self.definitions.insert(text.clone(), definition);
        Ok(())
    }

    fn sign(
        &mut self,
        source: &Source,
        name: &Spanned<String>,
        shape: &SignerShape,
    ) -> Result<(), PolicyError> {
        let error = |span, problem| Err(PolicyError::new(source, &span, problem));
        let text = name.get_ref().clone();
        if let Some(before) = self.signers.get(&text) {
            let problem = Problem::defined("signer", &text, &before.place);
            return error(name.span(), problem);
        }
        let trust = trust(source, name, shape)?;
        let mut others = self.signers.values();
        if let Some(other) = others.find(|signer| signer.trust == trust) {
            let other = other.name.clone();
            let span = shape.key.as_ref().map_or(name.span(), Spanned::span);
            return error(span, Problem::SameKey { name: text, other });
        }
        let not_before = optional_day(source, shape.not_before.as_ref())?;
        let not_after = optional_day(source, shape.not_after.as_ref())?;
        if let (Some(first), Some(last), Some(written)) = (not_before, not_after, &shape.not_after)
            && last < first
        {
            return error(written.span(), Problem::NeverBelieved { first, last });
        }
        let signer = Signer {
            name: text.clone(),
            trust,
            not_before,
            not_after,
            place: source.place(&name.span()),
        };
        self.signers.insert(text, signer);
        Ok(())
    }
}

fn trust(
    source: &Source,
    name: &Spanned<String>,
    shape: &SignerShape,
) -> Result<Trust, PolicyError> {
    let SignerShape {
        key,
        issuer,
        identity,
        trusted_root,
        ..
    } = shape;
    let error = |span, problem| Err(PolicyError::new(source, &span, problem));
    match (key, issuer, identity, trusted_root) {
        (Some(key), None, None, None) => {
            if key.get_ref().trim().is_empty() {
                return error(key.span(), Problem::EmptyKey);
            }
            Ok(Trust::Key(key.get_ref().clone()))
        }
        (None, Some(issuer), Some(identity), Some(root)) => {
            if !is_https(issuer.get_ref()) {
                return error(issuer.span(), Problem::Issuer(issuer.get_ref().clone()));
            }
            if let Err(why) = check_identity(identity.get_ref()) {
                let identity_text = identity.get_ref().clone();
                let problem = Problem::Identity {
                    identity: identity_text,
                    why,
                };
                return error(identity.span(), problem);
            }
            if root.get_ref().trim().is_empty() {
                return error(root.span(), Problem::EmptyRoot);
            }
            Ok(Trust::Identity {
                issuer: issuer.get_ref().clone(),
                identity: identity.get_ref().clone(),
                trusted_root: root.get_ref().clone(),
            })
        }
        _ => error(name.span(), Problem::SignerShape(name.get_ref().clone())),
    }
}

fn is_https(text: &str) -> bool {
    let host = text.strip_prefix("https://");
    host.is_some_and(|host| !host.is_empty() && !host.starts_with('/') && !host.contains('*'))
}

/// The longest identity. Those of workflows have about one hundred bytes.
const IDENTITY_BYTES: usize = 512;

/// Refuses identities that anybody can have: a `*` where the host or the owner stands.
fn check_identity(identity: &str) -> Result<(), &'static str> {
    if identity.len() > IDENTITY_BYTES {
        return Err("it is longer than 512 bytes");
    }
    if let Some((scheme, rest)) = identity.split_once("://") {
        return check_address(scheme, rest);
    }
    match identity.rsplit_once('@') {
        Some((user, host))
            if !user.is_empty()
                && !user.contains(['/', ':', '@'])
                && !host.is_empty()
                && !host.contains(['*', '/']) =>
        {
            Ok(())
        }
        _ => Err("expected an address such as `https://github.com/acme/*` or `*@acme.dev`"),
    }
}

/// The address of a workload: `https://github.com/acme/…`, `spiffe://acme.dev/builder`.
fn check_address(scheme: &str, rest: &str) -> Result<(), &'static str> {
    let mut parts = rest.split('/');
    let mut part = || parts.next().unwrap_or_default();
    let (host, owner) = (part(), part());
    if scheme.is_empty() || !scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err("expected a scheme such as `https` before `://`");
    }
    if host.is_empty() || host.contains('*') {
        return Err("anybody has a host: write the host without `*`");
    }
    if owner.is_empty() || owner.contains('*') {
        return Err("anybody has an account there: write the first part of the path without `*`");
    }
    Ok(())
}

fn optional_day(
    source: &Source,
    value: Option<&Spanned<Value>>,
) -> Result<Option<Date>, PolicyError> {
    value.map(|value| day(source, value)).transpose()
}

/// A day of the calendar, such as `2027-03-01`.
pub(super) fn day(source: &Source, value: &Spanned<Value>) -> Result<Date, PolicyError> {
    let written = match value.get_ref() {
        Value::Datetime(written) if written.time.is_none() && written.offset.is_none() => {
            written.date
        }
        _ => None,
    };
    let date = written.and_then(|date| {
        let year = i16::try_from(date.year).ok()?;
        let (month, day) = (i8::try_from(date.month).ok()?, i8::try_from(date.day).ok()?);
        Date::new(year, month, day).ok()
    });
    date.ok_or_else(|| PolicyError::new(source, &value.span(), Problem::Day))
}

/// Where a definition stands, for errors about another of the same name.
impl Problem {
    fn defined(what: &'static str, name: &str, place: &Place) -> Self {
        Self::Defined {
            what,
            name: name.to_owned(),
            at: format!("{}:{}", place.file, place.line),
        }
    }
}
