//! What the caller's process knows: the variables that cargo and we heed.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Variables that are handed on to cargo and its companions exactly as they were read.
const HANDED_ON: [&str; 8] = [
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_HOME",
    "CARGO_TARGET_DIR",
    "CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS",
    "RUSTC",
    "RUSTFLAGS",
    "SOURCE_DATE_EPOCH",
];

/// Variables that only tell us what is where.
const LOOKED_AT: [&str; 4] = ["CARGO", "CARGO_BUILD_RUSTC", "HOME", "USERPROFILE"];

/// The environment of a build.
///
/// Only programs read their environment, so they hand it in:
/// `Environment::read(|name| std::env::var_os(name))`. Variables that it does not know are
/// inherited by the processes that a build starts.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    variables: BTreeMap<&'static str, OsString>,
}

impl Environment {
    /// Asks `variable` for everything that a build heeds.
    pub fn read(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let names = HANDED_ON.into_iter().chain(LOOKED_AT);
        let mut variables: BTreeMap<_, _> = names
            .filter_map(|name| Some((name, variable(name)?)))
            .collect();
        // Cargo runs in the project's directory and must not look for this one there.
        if let Some(directory) = variables.get_mut("CARGO_TARGET_DIR")
            && let Ok(absolute) = std::path::absolute(&*directory)
        {
            *directory = absolute.into_os_string();
        }
        Self { variables }
    }

    /// A variable, if it is set.
    pub(crate) fn get(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(name).map(OsString::as_os_str)
    }

    /// A variable, if it is set and is text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.to_str()
    }

    /// Where cargo keeps what it fetched.
    pub(crate) fn cargo_home(&self) -> Option<PathBuf> {
        let home = || self.get("HOME").or_else(|| self.get("USERPROFILE"));
        self.get("CARGO_HOME")
            .map(PathBuf::from)
            .or_else(|| Some(Path::new(home()?).join(".cargo")))
    }

    /// `cargo`, to be run in `directory`. There rustup finds the project's toolchain file,
    /// and cargo its configuration.
    pub(crate) fn cargo(&self, directory: &Path) -> Command {
        self.command(self.get("CARGO").unwrap_or(OsStr::new("cargo")), directory)
    }

    /// `rustc`, as cargo would run it in `directory`.
    pub(crate) fn rustc(&self, directory: &Path) -> Command {
        self.command(self.get("RUSTC").unwrap_or(OsStr::new("rustc")), directory)
    }

    /// Any program, with these variables.
    pub(crate) fn command(&self, program: &OsStr, directory: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(directory);
        for name in HANDED_ON {
            match self.get(name) {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment::read(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn a_relative_target_directory_is_the_callers() {
        let environment = environment(&[("CARGO_TARGET_DIR", "here")]);
        assert!(Path::new(environment.get("CARGO_TARGET_DIR").unwrap()).is_absolute());
    }

    #[test]
    fn cargo_home_is_named_or_in_the_home_directory() {
        let named = environment(&[("CARGO_HOME", "/c"), ("HOME", "/h")]);
        assert_eq!(named.cargo_home(), Some(PathBuf::from("/c")));
        let usual = environment(&[("HOME", "/h")]);
        assert_eq!(usual.cargo_home(), Some(PathBuf::from("/h/.cargo")));
        assert_eq!(environment(&[]).cargo_home(), None);
    }

    #[test]
    fn variables_that_were_not_read_are_not_inherited() {
        let command = environment(&[("RUSTFLAGS", "-Copt-level=1")]).cargo(Path::new("."));
        let of = |wanted: &str| command.get_envs().find(|(name, _)| *name == wanted);
        assert_eq!(
            of("RUSTFLAGS").unwrap().1,
            Some(OsStr::new("-Copt-level=1"))
        );
        assert_eq!(of("CARGO_ENCODED_RUSTFLAGS").unwrap().1, None);
    }
}
