//! The access rules with all files that they name, ready to be used.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;

use super::issuers::Issuer;
use super::rules::Rules;
use super::settings::{AccessSettings, CertificateSettings};
use super::tokens::{KEY_BYTES, TokenKey};
use super::users::Users;
use crate::config::{Secret, Secrets, Settings};

/// Rules, users, issuers and keys, as they hold together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Loaded {
    pub(super) settings: AccessSettings,
    pub(super) rules: Rules,
    pub(super) users: Users,
    pub(super) issuers: Vec<Arc<Issuer>>,
    /// `None`: the one in the store.
    pub(super) token_key: Option<TokenKey>,
    /// Without a `/` at its end.
    pub(super) external_url: Option<String>,
    /// What `http` stands before when there is no external URL.
    pub(super) scheme: &'static str,
}

/// Why access rules cannot be used.
#[derive(Debug, Error)]
pub enum LoadAccessError {
    /// A file could not be read.
    #[error("failed to read the {what} in `{}`", path.display())]
    Read {
        /// What it holds.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file is absurdly large.
    #[error("`{}` is too large", .0.display())]
    TooLarge(PathBuf),
    /// A line of the htpasswd file is wrong.
    #[error("`{}`, line {line}: {why}", path.display())]
    User {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong.
        why: &'static str,
    },
    /// A rule names what there is not.
    #[error("rule {number} names `{name}`, but there is no {kind} `{name}`; there is {}", list(.known))]
    Unknown {
        /// The rule, counted from 1.
        number: usize,
        /// What it should be.
        kind: &'static str,
        /// What was named.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// A rule would let in everybody of a public issuer.
    #[error(
        "rule {number} is for every identity of `{issuer}`, which may be everyone in the world: \
         say which with `claims`, or `claims = {{ sub = \"**\" }}` for all"
    )]
    AnyWorkload {
        /// The rule, counted from 1.
        number: usize,
        /// The issuer.
        issuer: String,
    },
    /// A rule has claims and is for nobody who has any.
    #[error("rule {0} has `claims`, but `who` names no `oidc:` identity")]
    UnusedClaims(usize),
    /// A pattern for a claim is malformed.
    #[error("`{pattern}` in the claims of rule {number} is not a pattern")]
    Claim {
        /// The rule, counted from 1.
        number: usize,
        /// The pattern.
        pattern: String,
    },
    /// There are identities and no rules, and so they would mean nothing.
    #[error("`{0}` is set, but there is no `[[access.rule]]`: everyone may do everything")]
    NoRules(&'static str),
    /// The key for tokens is too short.
    #[error("the key for tokens has {0} bytes, expected at least {KEY_BYTES}")]
    TokenKey(usize),
    /// An issuer cannot be used.
    #[error("the issuer `{name}` cannot be used: {why}")]
    Issuer {
        /// Its name.
        name: String,
        /// Why not.
        why: String,
    },
    /// The URL of the registry is not one.
    #[error("`{0}` is not the URL of a registry, expected `https://HOST` without a path")]
    ExternalUrl(String),
    /// Two have one name.
    #[error("there are two {kind}s `{name}`")]
    Twice {
        /// What they are.
        kind: &'static str,
        /// Their name.
        name: String,
    },
    /// A certificate's entry fits every certificate.
    #[error("the certificate `{0}` has neither `subject` nor `san`, and so fits every one")]
    AnyCertificate(String),
}

impl Loaded {
    /// Loads all that the settings name. Blocks.
    pub(crate) fn load(settings: &Settings, secrets: &Secrets) -> Result<Self, LoadAccessError> {
        let access = settings.access.clone();
        refuse_idle(&access)?;
        refuse_twice("issuer", access.issuers.iter().map(|it| &it.name))?;
        refuse_twice("certificate", access.certificates.iter().map(|it| &it.name))?;
        refuse_any(&access.certificates)?;
        let rules = Rules::compile(&access)?;
        let issuers = access.issuers.iter();
        let issuers = issuers.map(|issuer| Issuer::load(issuer, &access.service).map(Arc::new));
        Ok(Self {
            users: access
                .htpasswd
                .as_deref()
                .map_or_else(|| Ok(Users::default()), Users::load)?,
            issuers: issuers.collect::<Result<_, _>>()?,
            token_key: token_key(&access, secrets)?,
            external_url: external_url(settings.server.external_url.as_deref())?,
            scheme: if settings.tls.is_some() {
                "https"
            } else {
                "http"
            },
            rules,
            settings: access,
        })
    }

    /// Whether everyone may do everything.
    pub(crate) fn is_open(&self) -> bool {
        self.rules.is_open()
    }
}

/// Who writes users down and no rules believes that they are asked for.
fn refuse_idle(access: &AccessSettings) -> Result<(), LoadAccessError> {
    let idle = [
        ("access.htpasswd", access.htpasswd.is_some()),
        ("access.groups", !access.groups.is_empty()),
        ("access.issuer", !access.issuers.is_empty()),
        ("access.certificate", !access.certificates.is_empty()),
    ];
    let idle = idle
        .into_iter()
        .find(|(_, is_set)| *is_set && !access.has_rules());
    idle.map_or(Ok(()), |(name, _)| Err(LoadAccessError::NoRules(name)))
}

fn refuse_twice<'a>(
    kind: &'static str,
    names: impl Iterator<Item = &'a String>,
) -> Result<(), LoadAccessError> {
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            let name = name.clone();
            return Err(LoadAccessError::Twice { kind, name });
        }
    }
    Ok(())
}

fn refuse_any(certificates: &[CertificateSettings]) -> Result<(), LoadAccessError> {
    let mut certificates = certificates.iter();
    let any = certificates.find(|it| it.subject.is_none() && it.san.is_none());
    any.map_or(Ok(()), |it| {
        Err(LoadAccessError::AnyCertificate(it.name.clone()))
    })
}

fn token_key(
    access: &AccessSettings,
    secrets: &Secrets,
) -> Result<Option<TokenKey>, LoadAccessError> {
    let file = access.token.key_file.clone().map(Secret::File);
    let Some(secret) = secrets.token_key.clone().or(file) else {
        return Ok(None);
    };
    let bytes = match secret {
        Secret::Text(text) => text.into_bytes(),
        Secret::File(path) => read("key for tokens", &path)?,
    };
    // Who writes a key with an editor or `echo` ends it with a newline.
    let key = bytes.trim_ascii();
    let too_short = LoadAccessError::TokenKey(key.len());
    TokenKey::new(key).map(Some).ok_or(too_short)
}

fn external_url(url: Option<&str>) -> Result<Option<String>, LoadAccessError> {
    let Some(url) = url else {
        return Ok(None);
    };
    let host = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let host = host.map(|host| host.strip_suffix('/').unwrap_or(host));
    let is_host = |host: &&str| {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte);
        !host.is_empty() && host.bytes().all(known)
    };
    if !host.is_some_and(|host| is_host(&host)) {
        return Err(LoadAccessError::ExternalUrl(url.to_owned()));
    }
    Ok(Some(url.trim_end_matches('/').to_owned()))
}

/// Reads a small file.
pub(super) fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, LoadAccessError> {
    /// Keys have kilobytes.
    const FILE_BYTES: u64 = 1024 * 1024;
    let cannot = |source| LoadAccessError::Read {
        what,
        path: path.to_owned(),
        source,
    };
    if fs::metadata(path).map_err(cannot)?.len() > FILE_BYTES {
        return Err(LoadAccessError::TooLarge(path.to_owned()));
    }
    fs::read(path).map_err(cannot)
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    format!("`{}`", names.join("`, `"))
}
