//! What names that the catalogue does not know look like, for `deny`: who denies sockets means
//! those of any version, of any spelling and of what came before WASI's interfaces too.

use wasmport_artifact::InterfaceName;

/// A name as `deny` reads it: in small letters, without what stands before a `|`, and without
/// the version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Likeness {
    /// `wasi:sockets/tcp`, or the whole name of what is no interface.
    name: String,
}

impl Likeness {
    /// Reads the name of an import. Core modules have any name, and compilers put more before
    /// that of an interface (`cm32p2|wasi:sockets/tcp@0.2`), with as much of its version as they
    /// like.
    pub(crate) fn of(name: &str) -> Self {
        let name = name
            .rsplit('|')
            .find(|part| part.contains('/'))
            .unwrap_or(name);
        let path = match name.split_once('@') {
            Some((path, _)) if path.contains('/') => path,
            _ => name,
        };
        Self {
            name: path.to_ascii_lowercase(),
        }
    }

    /// Whether an interface has this name.
    pub(crate) fn is_interface(&self, known: &InterfaceName) -> bool {
        self.interface().is_some_and(|(namespace, package, name)| {
            (known.namespace.as_str(), known.package.as_str()) == (namespace, package)
                && known.interface == name
        })
    }

    /// Whether it is this name, in which a `*` at the end stands for anything.
    pub(crate) fn is_module(&self, known: &str) -> bool {
        match known.strip_suffix('*') {
            Some(beginning) => self.name.starts_with(beginning),
            None => self.name == known,
        }
    }

    /// Namespace, package and interface, where it has them.
    pub(crate) fn interface(&self) -> Option<(&str, &str, &str)> {
        let (package, interface) = self.name.split_once('/')?;
        let (namespace, package) = package.split_once(':')?;
        Some((namespace, package, interface))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_known_in_any_spelling_and_version() {
        let known = "wasi:sockets/tcp@0.2.0".parse().unwrap();
        for name in [
            "wasi:sockets/tcp",
            "wasi:sockets/tcp@0.2",
            "wasi:sockets/tcp@9.9.9-rc.1",
            "wasi:sockets/tcp@",
            "WASI:Sockets/TCP@0.2.6",
            "cm32p2|wasi:sockets/tcp@0.2",
            "cm32p2|wasi:sockets/tcp@0.2|[resource-drop]socket",
        ] {
            assert!(Likeness::of(name).is_interface(&known), "{name}");
        }
        for name in ["wasi:sockets/tcp2", "acme:sockets/tcp", "env", "", "|", "/"] {
            assert!(!Likeness::of(name).is_interface(&known), "{name}");
        }
        assert!(Likeness::of("WASI_Unstable").is_module("wasi_unstable"));
        assert!(Likeness::of("wasix_32v1").is_module("wasix_*"));
        assert!(!Likeness::of("wasi_unstable2").is_module("wasi_unstable"));
    }
}
