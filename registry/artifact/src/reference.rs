//! Where an artifact is: `registry/repository:tag@digest`.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::digest::{Digest, DigestError};
use crate::repository_name::{RepositoryName, RepositoryNameError};
use crate::tag::{Tag, TagError};

/// What picks a manifest inside a repository: a tag or a digest
/// (distribution specification, "Pulling manifests", `<reference>`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Selector {
    /// By a name that may move.
    Tag(Tag),
    /// By content.
    Digest(Digest),
}

/// The place of an artifact on a registry. Has a tag, a digest, or both.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    registry: String,
    repository: RepositoryName,
    tag: Option<Tag>,
    digest: Option<Digest>,
}

/// Why a text is not a reference.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ReferenceError {
    /// The first part is not a host.
    #[error("`{0}` names no registry: expected a host first, as in `localhost:5000/team/app:1.0`")]
    NoRegistry(String),
    /// The host has characters that no host has.
    #[error("`{0}` is not a registry: expected a host name with an optional port")]
    Registry(String),
    /// Neither tag nor digest.
    #[error("`{0}` names no tag and no digest: expected `{0}:<tag>` or `{0}@sha256:…`")]
    NoSelector(String),
    /// The repository part is malformed.
    #[error(transparent)]
    Repository(#[from] RepositoryNameError),
    /// The tag part is malformed.
    #[error(transparent)]
    Tag(#[from] TagError),
    /// The digest part is malformed.
    #[error(transparent)]
    Digest(#[from] DigestError),
}

impl Reference {
    /// A reference from its parts.
    pub fn new(
        registry: &str,
        repository: RepositoryName,
        selector: Selector,
    ) -> Result<Self, ReferenceError> {
        check_host(registry)?;
        let (tag, digest) = match selector {
            Selector::Tag(tag) => (Some(tag), None),
            Selector::Digest(digest) => (None, Some(digest)),
        };
        Ok(Self {
            registry: registry.to_owned(),
            repository,
            tag,
            digest,
        })
    }

    /// The host, with the port where there is one.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The host without its port.
    pub fn host(&self) -> &str {
        let (host, _) = split_port(&self.registry);
        host
    }

    /// The repository inside the registry.
    pub fn repository(&self) -> &RepositoryName {
        &self.repository
    }

    /// The tag, where there is one.
    pub fn tag(&self) -> Option<&Tag> {
        self.tag.as_ref()
    }

    /// The digest, where there is one.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The same repository, at a digest and nothing else.
    #[must_use]
    pub fn at_digest(&self, digest: Digest) -> Self {
        Self {
            tag: None,
            digest: Some(digest),
            ..self.clone()
        }
    }

    /// The same repository, at a tag and nothing else.
    #[must_use]
    pub fn at_tag(&self, tag: Tag) -> Self {
        Self {
            tag: Some(tag),
            digest: None,
            ..self.clone()
        }
    }

    /// True when the host is this machine, where plain HTTP is the custom:
    /// `localhost`, `*.localhost`, `127.0.0.0/8` and `[::1]`.
    pub fn is_loopback(&self) -> bool {
        let host = self.host();
        host == "localhost"
            || host.ends_with(".localhost")
            || host
                .trim_matches(['[', ']'])
                .parse::<std::net::IpAddr>()
                .is_ok_and(|ip| ip.is_loopback())
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let text = text.strip_prefix("oci://").unwrap_or(text);
        let no_registry = || ReferenceError::NoRegistry(text.to_owned());
        let (registry, rest) = text.split_once('/').ok_or_else(no_registry)?;
        let looks_like_host = registry.contains(['.', ':']) || registry == "localhost";
        if !looks_like_host {
            return Err(no_registry());
        }
        check_host(registry)?;
        let (rest, digest) = match rest.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse()?)),
            None => (rest, None),
        };
        let (repository, tag) = match rest.split_once(':') {
            Some((repository, tag)) => (repository, Some(tag.parse()?)),
            None => (rest, None),
        };
        let repository = repository.parse()?;
        if tag.is_none() && digest.is_none() {
            return Err(ReferenceError::NoSelector(text.to_owned()));
        }
        Ok(Self {
            registry: registry.to_owned(),
            repository,
            tag,
            digest,
        })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(formatter, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(formatter, "@{digest}")?;
        }
        Ok(())
    }
}

impl FromStr for Selector {
    type Err = ReferenceError;

    /// A text with a colon is a digest, since no tag has one.
    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if text.contains(':') {
            Ok(Self::Digest(text.parse()?))
        } else {
            Ok(Self::Tag(text.parse()?))
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => tag.fmt(formatter),
            Self::Digest(digest) => digest.fmt(formatter),
        }
    }
}

fn split_port(registry: &str) -> (&str, Option<&str>) {
    match registry.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (registry, None),
    }
}

fn check_host(registry: &str) -> Result<(), ReferenceError> {
    let (host, port) = split_port(registry);
    let is_ipv6 = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .is_some_and(|inside| inside.parse::<std::net::Ipv6Addr>().is_ok());
    let is_name = !host.is_empty()
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-');
    let port_is_good = port.is_none_or(|port| port.parse::<u16>().is_ok());
    if (is_ipv6 || is_name) && port_is_good {
        Ok(())
    } else {
        Err(ReferenceError::Registry(registry.to_owned()))
    }
}

#[cfg(test)]
mod tests;
