//! Patterns for imports: `acme:db/query@1`, `acme:db/*`, `=env`.

use std::fmt;

use wasmport_artifact::InterfaceName;

use crate::likeness::Likeness;
use crate::needs::Identity;

/// The longest pattern. Names of core modules may be long, and none of those that is meant by
/// somebody is longer.
const PATTERN_BYTES: usize = 64 << 10;

/// What a policy calls imports by, other than by their capability.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// `namespace:*`
    Namespace(String),
    /// Interfaces of a package: one, or all. The name has the pattern's version, if any.
    Package { name: InterfaceName, all: bool },
    /// `=name`: an import that is no interface.
    Name(String),
}

impl Pattern {
    /// True when a text is meant as a pattern, and not as the name of a capability.
    pub(crate) fn is_meant(text: &str) -> bool {
        text.contains([':', '/', '=', '@'])
    }

    /// Reads a pattern, or says why it is none.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > PATTERN_BYTES {
            return Err("it is longer than 64 KiB");
        }
        if let Some(name) = text.strip_prefix('=') {
            return match name {
                "" => Err("expected a name after `=`"),
                name => Ok(Self::Name(name.to_owned())),
            };
        }
        if let Some(namespace) = text.strip_suffix(":*") {
            return if is_kebab(namespace) {
                Ok(Self::Namespace(namespace.to_owned()))
            } else {
                Err("expected `namespace:*`")
            };
        }
        let (path, version) = match text.split_once('@') {
            Some((path, version)) => (path, Some(version)),
            None => (text, None),
        };
        let mut name: InterfaceName = path.parse().map_err(
            |_| "expected `namespace:package/interface`, `namespace:package/*` or `namespace:*`",
        )?;
        let all = name.interface == "*";
        let is_plain = |part: &str| part.split(':').all(is_kebab);
        if !is_kebab(&name.namespace) || !is_plain(&name.package) {
            return Err("namespace and package are words of lower-case letters, digits and `-`");
        }
        if !all && !name.interface.split('/').all(is_kebab) {
            return Err("`*` stands for a whole name, as in `acme:db/*`");
        }
        name.version = version.map(track).transpose()?;
        Ok(Self::Package { name, all })
    }

    /// True when an import of this name is meant.
    pub(crate) fn matches(&self, identity: &Identity) -> bool {
        match (self, identity) {
            (Self::Name(expected), Identity::Name(name)) => expected == name,
            (Self::Name(expected), Identity::Interface(name)) => {
                !is_plain(name) && *expected == name.to_string()
            }
            (Self::Namespace(namespace), Identity::Interface(name)) => *namespace == name.namespace,
            (Self::Package { name: own, all }, Identity::Interface(name)) => {
                own.namespace == name.namespace
                    && own.package == name.package
                    && (*all || own.interface == name.interface)
                    && own.version.as_ref().is_none_or(|version| {
                        // The same interface in the pattern's version.
                        let version = Some(version.clone());
                        name.same_track(&InterfaceName {
                            version,
                            ..name.clone()
                        })
                    })
            }
            _ => false,
        }
    }

    /// True when an import of this name is meant by who denies it: in large or small letters, and
    /// in whatever way its version is written.
    pub(crate) fn resembles(&self, identity: &Identity) -> bool {
        if let Identity::Interface(name) = identity
            && !name.namespace.contains('|')
            && !name.interface.contains('|')
            && !matches!(self, Self::Name(_))
        {
            return self.is_alike((&name.namespace, &name.package, &name.interface), identity);
        }
        let name = match identity {
            Identity::Name(name) => name.clone(),
            Identity::Interface(name) => name.to_string(),
        };
        if let Self::Name(own) = self {
            return own.eq_ignore_ascii_case(&name);
        }
        let likeness = Likeness::of(&name);
        let path = likeness.interface();
        path.is_some_and(|path| self.is_alike(path, identity))
    }

    /// True when namespace, package and interface are these in any letters. A version that cannot
    /// be read may be any.
    fn is_alike(&self, path: (&str, &str, &str), identity: &Identity) -> bool {
        let (namespace, package, interface) = path;
        match self {
            Self::Name(_) => false,
            Self::Namespace(own) => own.eq_ignore_ascii_case(namespace),
            Self::Package { name: own, all } => {
                own.namespace.eq_ignore_ascii_case(namespace)
                    && own.package.eq_ignore_ascii_case(package)
                    && (*all || own.interface.eq_ignore_ascii_case(interface))
                    && match (&own.version, identity) {
                        (None, _) | (Some(_), Identity::Name(_)) => true,
                        (Some(version), Identity::Interface(name)) => {
                            let version = Some(version.clone());
                            name.same_track(&InterfaceName {
                                version,
                                ..name.clone()
                            })
                        }
                    }
            }
        }
    }

    /// True when this matches all that `other` does, as far as the texts tell.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Namespace(own), Self::Package { name, .. }) => *own == name.namespace,
            (
                Self::Package { name: own, all },
                Self::Package {
                    name: other,
                    all: other_all,
                },
            ) => {
                (&own.namespace, &own.package) == (&other.namespace, &other.package)
                    && (*all || (!other_all && own.interface == other.interface))
                    && (own.version.is_none() || own.version == other.version)
            }
            _ => self == other,
        }
    }

    /// The pattern that admits this import, and its later versions that are compatible.
    pub(crate) fn for_import(identity: &Identity) -> String {
        let name = match identity {
            Identity::Name(name) => return format!("={name}"),
            // A core module can import what reads like a pattern.
            Identity::Interface(name) if !is_plain(name) => return format!("={name}"),
            Identity::Interface(name) => name,
        };
        let path = name.unversioned();
        match &name.version {
            None => path,
            Some(version)
                if !version.pre.is_empty() || (version.major, version.minor) == (0, 0) =>
            {
                format!("{path}@{version}")
            }
            Some(version) if version.major == 0 => format!("{path}@0.{}", version.minor),
            Some(version) => format!("{path}@{}", version.major),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Namespace(namespace) => write!(formatter, "{namespace}:*"),
            Self::Package { name, .. } => write!(formatter, "{name}"),
            Self::Name(name) => write!(formatter, "={name}"),
        }
    }
}

/// A version, of which only as much may be written as names its track: `1`, `0.2`, `0.2.6`.
fn track(text: &str) -> Result<semver::Version, &'static str> {
    let full = match text.split('.').count() {
        1 => format!("{text}.0.0"),
        2 => format!("{text}.0"),
        _ => text.to_owned(),
    };
    let version: semver::Version = full
        .parse()
        .map_err(|_| "expected a version such as `1`, `0.2` or `0.2.6` after `@`")?;
    if full != text && (version.major, version.minor) == (0, 0) {
        return Err("versions 0.x are tracks of their own: write `@0.2`");
    }
    Ok(version)
}

/// True for names that a component can have, whose parts are words.
fn is_plain(name: &InterfaceName) -> bool {
    is_kebab(&name.namespace)
        && name.package.split(':').all(is_kebab)
        && name.interface.split('/').all(is_kebab)
}

/// True for words of letters and digits with `-` between them.
pub(crate) fn is_kebab(text: &str) -> bool {
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    text.split('-').all(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, import: &str) -> bool {
        let identity = import
            .parse()
            .map_or_else(|_| Identity::Name(import.to_owned()), Identity::Interface);
        Pattern::parse(pattern).unwrap().matches(&identity)
    }

    #[test]
    fn patterns_match_what_they_say() {
        for (pattern, import, expected) in [
            ("acme:db/query", "acme:db/query@1.2.3", true),
            ("acme:db/query", "acme:db/query", true),
            ("acme:db/query", "acme:db/admin@1.2.3", false),
            ("acme:db/*", "acme:db/admin@1.2.3", true),
            ("acme:db/*", "acme:dbx/admin", false),
            ("acme:db/*@1", "acme:db/admin@1.2.3", true),
            ("acme:db/*@1", "acme:db/admin@2.0.0", false),
            ("acme:db/*@1", "acme:db/admin", false),
            ("acme:db/query@1", "acme:db/query@1.9.0", true),
            ("acme:db/query@1.5.0", "acme:db/query@1.2.0", true),
            ("acme:db/query@1", "acme:db/query@1.0.0-rc.1", false),
            ("acme:db/query@0.2", "acme:db/query@0.2.9", true),
            ("acme:db/query@0.2", "acme:db/query@0.3.0", false),
            (
                "acme:db/query@0.2.0-draft",
                "acme:db/query@0.2.0-draft",
                true,
            ),
            ("acme:db/query@0.0.1", "acme:db/query@0.0.2", false),
            ("acme:*", "acme:db/query@1.2.3", true),
            ("acme:*", "acme-evil:db/query@1.2.3", false),
            ("=env", "env", true),
            ("=env", "environment", false),
            ("acme:*", "acme", false),
        ] {
            assert_eq!(matches(pattern, import), expected, "{pattern} {import}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for text in [
            "=",
            ":*",
            "a:b",
            "a:b/",
            "a:b*/c",
            "a:b/c*",
            "*:b/c",
            "a:*/c",
            "a:b/c@",
            "a:b/c@x",
            "a:b/c@0",
            "a:b/c@0.0",
            "a:b/c@1.*",
            "a:b/c@^1",
            "a /b:c/d",
        ] {
            assert!(Pattern::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_suggested_pattern_admits_the_import() {
        for (import, expected) in [
            ("acme:db/query@1.2.3", "acme:db/query@1"),
            ("acme:db/query@0.2.6", "acme:db/query@0.2"),
            ("acme:db/query@0.0.6", "acme:db/query@0.0.6"),
            ("acme:db/query@0.2.0-draft", "acme:db/query@0.2.0-draft"),
            ("acme:db/query", "acme:db/query"),
            ("env", "=env"),
            ("wasi:sockets/*", "=wasi:sockets/*"),
            ("wasi:sockets/*@0.2.6", "=wasi:sockets/*@0.2.6"),
            ("a b:c/d", "=a b:c/d"),
            ("acme:my_db/query", "=acme:my_db/query"),
        ] {
            let identity = import
                .parse()
                .map_or_else(|_| Identity::Name(import.to_owned()), Identity::Interface);
            assert_eq!(Pattern::for_import(&identity), expected);
            assert!(matches(expected, import), "{import}");
            assert!(!matches(expected, "wasi:sockets/tcp@0.2.6"), "{import}");
        }
    }
}
