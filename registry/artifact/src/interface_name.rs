//! Interface names, `wasi:http/types@0.2.6`, and when two versions are one track.

use std::fmt;
use std::str::FromStr;

use semver::Version;
use thiserror::Error;

/// The name of an interface in a package (component model, `WIT.md`, "Package names").
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceName {
    /// Before the colon: `wasi`.
    pub namespace: String,
    /// Between colon and slash: `http`.
    pub package: String,
    /// After the slash: `types`.
    pub interface: String,
    /// After the `@`, where there is one.
    pub version: Option<Version>,
}

/// The text is not `namespace:package/interface[@version]`.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{0}` is not an interface name: expected `namespace:package/interface@version`")]
pub struct InterfaceNameError(pub String);

impl InterfaceName {
    /// `namespace:package/interface`, without the version.
    pub fn unversioned(&self) -> String {
        format!("{}:{}/{}", self.namespace, self.package, self.interface)
    }

    /// True when a host that has `other` satisfies an import of `self`, in either
    /// direction: Wasmtime's rule, by which 0.2.1 and 0.2.6 are one track, 0.3 is
    /// another, and pre-releases and 0.0.x match only themselves.
    pub fn same_track(&self, other: &Self) -> bool {
        self.namespace == other.namespace
            && self.package == other.package
            && self.interface == other.interface
            && track(self.version.as_ref()) == track(other.version.as_ref())
    }
}

/// What versions of one track have in common; build metadata counts nowhere.
#[derive(PartialEq)]
enum Track<'a> {
    Unversioned,
    Major(u64),
    Minor(u64),
    Exact(u64, u64, u64, &'a str),
}

fn track(version: Option<&Version>) -> Track<'_> {
    let Some(version) = version else {
        return Track::Unversioned;
    };
    match (version.pre.is_empty(), version.major, version.minor) {
        (true, 0, 0) | (false, _, _) => Track::Exact(
            version.major,
            version.minor,
            version.patch,
            version.pre.as_str(),
        ),
        (true, 0, minor) => Track::Minor(minor),
        (true, major, _) => Track::Major(major),
    }
}

impl FromStr for InterfaceName {
    type Err = InterfaceNameError;

    fn from_str(text: &str) -> Result<Self, InterfaceNameError> {
        let error = || InterfaceNameError(text.to_owned());
        let (path, version) = match text.split_once('@') {
            Some((path, version)) => (path, Some(version.parse().map_err(|_| error())?)),
            None => (text, None),
        };
        let (package, interface) = path.split_once('/').ok_or_else(error)?;
        // Nested namespaces, `a:b:c/d`, belong to the package: only the first colon parts.
        let (namespace, package) = package.split_once(':').ok_or_else(error)?;
        if namespace.is_empty() || package.is_empty() || interface.is_empty() {
            return Err(error());
        }
        Ok(Self {
            namespace: namespace.to_owned(),
            package: package.to_owned(),
            interface: interface.to_owned(),
            version,
        })
    }
}

impl fmt::Display for InterfaceName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}:{}/{}",
            self.namespace, self.package, self.interface
        )?;
        match &self.version {
            Some(version) => write!(formatter, "@{version}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> InterfaceName {
        text.parse().unwrap()
    }

    #[test]
    fn parsing_and_printing_give_the_same_text() {
        for text in [
            "wasi:http/types@0.2.6",
            "acme:db/query",
            "wasi:cli/run@0.3.0-rc.1+x",
        ] {
            assert_eq!(name(text).to_string(), text);
        }
    }

    #[test]
    fn what_is_no_interface_name_is_refused() {
        for text in [
            "",
            "env",
            "wasi:http",
            "wasi/http",
            ":a/b",
            "a:/b",
            "a:b/",
            "a:b/c@x",
        ] {
            assert_eq!(
                text.parse::<InterfaceName>(),
                Err(InterfaceNameError(text.to_owned()))
            );
        }
    }

    #[test]
    fn versions_match_as_wasmtime_matches_them() {
        for (left, right, same) in [
            ("a:b/c@0.2.1", "a:b/c@0.2.6", true),
            ("a:b/c@0.2.6", "a:b/c@0.3.0", false),
            ("a:b/c@1.2.3", "a:b/c@1.0.0", true),
            ("a:b/c@1.2.3", "a:b/c@2.0.0", false),
            ("a:b/c@0.0.1", "a:b/c@0.0.2", false),
            ("a:b/c@0.3.0-rc.1", "a:b/c@0.3.0", false),
            ("a:b/c@0.3.0-rc.1", "a:b/c@0.3.0-rc.1", true),
            ("a:b/c@0.2.6+x", "a:b/c@0.2.6+y", true),
            ("a:b/c", "a:b/c@0.2.6", false),
            ("a:b/c", "a:b/c", true),
            ("a:b/c@0.2.6", "a:b/d@0.2.6", false),
        ] {
            assert_eq!(name(left).same_track(&name(right)), same, "{left} {right}");
            assert_eq!(name(right).same_track(&name(left)), same, "{right} {left}");
        }
    }
}
