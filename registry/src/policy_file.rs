//! A policy as a host loads it: the file or preset, and the signers that it names.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use thiserror::Error;
use tracing::warn;
use wasmport_artifact::Digest;
use wasmport_policies::{Date, POLICY_FILE_BYTES, Policy, PolicyError};
use wasmport_signature::Authority;

use crate::signers::{self, LoadSignerError};

/// A policy together with what tells its signers.
#[derive(Clone, Debug)]
pub struct LoadedPolicy {
    /// The policy.
    pub policy: Policy,
    /// Names of signers and what their signatures are checked with, in the policy's order.
    pub trust: Vec<(String, Authority)>,
    /// Nothing is refused: what would be is logged, counted and warned of.
    pub watches: bool,
}

/// The most files of a directory that is a policy. One for each team of a large company is
/// well below that, and a directory with more is another one by mistake.
const FILES: usize = 1_000;

/// How many warnings about a policy are logged when it is loaded.
const WARNINGS: usize = 100;

/// Why a policy could not be loaded.
#[derive(Debug, Error)]
pub enum LoadPolicyError {
    /// `preset:` with another name than the known ones.
    #[error("there is no policy preset `{name}` (known presets: {})", known.join(", "))]
    UnknownPreset {
        /// What was asked for.
        name: String,
        /// What there is.
        known: &'static [&'static str],
    },
    /// A preset that is none before keys are in it.
    #[error("`{name}` needs keys of your own, and is a template for a policy file")]
    Template {
        /// What was asked for.
        name: String,
    },
    /// The file could not be read.
    #[error("failed to read the policy `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A directory without policy files, or with far too many.
    #[error("the directory `{}` has {got} files `*.toml`, expected 1 to {FILES}", path.display())]
    Files {
        /// The directory.
        path: PathBuf,
        /// How many there are.
        got: usize,
    },
    /// The file is not a policy.
    #[error("the policy `{}` is not valid", path.display())]
    Policy {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: Box<PolicyError>,
    },
    /// The signatures of a signer that it names cannot be checked.
    #[error(transparent)]
    Signer(#[from] LoadSignerError),
}

impl LoadedPolicy {
    /// Loads the policy that `spec` names: `preset:NAME`, or the path of a file. Files of
    /// signers are relative to the policy file.
    pub fn load(spec: &str) -> Result<Self, LoadPolicyError> {
        if let Some(name) = spec.strip_prefix("preset:") {
            let policy = Policy::preset(name).ok_or_else(|| no_preset(name))?;
            return Self::with_signers(policy, Path::new(""));
        }
        let path = Path::new(spec);
        let is_directory = path.is_dir();
        let files = if is_directory {
            read_directory(path)?
        } else {
            vec![(spec.to_owned(), read(path)?)]
        };
        let policy = Policy::parse_all(spec, files).map_err(|source| LoadPolicyError::Policy {
            path: path.to_owned(),
            source: source.into(),
        })?;
        let parent = path.parent().unwrap_or(Path::new(""));
        Self::with_signers(policy, if is_directory { path } else { parent })
    }

    /// The same policy, which only watches if `watches` says so.
    #[must_use]
    pub fn watching(self, watches: bool) -> Self {
        Self { watches, ..self }
    }

    /// What decisions depend on besides the facts: the policy's text and its signers, and
    /// whether it only watches.
    pub(crate) fn digest(&self) -> Digest {
        let mut text = self.policy.digest().to_string();
        if self.watches {
            text += "\naudit";
        }
        for (signer, authority) in &self.trust {
            text = format!("{text}\n{signer} {}", authority.fingerprint());
        }
        Digest::of(text.as_bytes())
    }

    /// Says in the log what makes no sense in the policy as of `today`.
    pub(crate) fn log_warnings(&self, today: Date) {
        let warnings = self.policy.warnings(today);
        for warning in warnings.iter().take(WARNINGS) {
            let (place, code, message) = (&warning.place, warning.code, &warning.message);
            warn!(%place, %code, message, "the policy makes no sense here");
        }
        let more = warnings.len().saturating_sub(WARNINGS);
        if more > 0 {
            warn!(more, "the policy makes no sense in more places");
        }
    }

    fn with_signers(policy: Policy, directory: &Path) -> Result<Self, LoadPolicyError> {
        Ok(Self {
            trust: signers::load(&policy, directory)?,
            policy,
            watches: false,
        })
    }
}

/// Reads a file as far as policies may be long; that it is longer shows when it is parsed.
fn read(path: &Path) -> Result<String, LoadPolicyError> {
    let mut bytes = Vec::new();
    let read = fs::File::open(path).and_then(|file| {
        let limit = POLICY_FILE_BYTES as u64 + 1;
        file.take(limit).read_to_end(&mut bytes)
    });
    let text = read.and_then(|length| match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        // It was cut, maybe in the middle of a character.
        Err(error) if length > POLICY_FILE_BYTES => {
            Ok(String::from_utf8_lossy(error.as_bytes()).into_owned())
        }
        Err(error) => Err(io::Error::new(io::ErrorKind::InvalidData, error)),
    });
    text.map_err(|source| LoadPolicyError::Read {
        path: path.to_owned(),
        source,
    })
}

/// All `*.toml` of a directory, but not of those in it.
fn read_directory(directory: &Path) -> Result<Vec<(String, String)>, LoadPolicyError> {
    let failed = |source| LoadPolicyError::Read {
        path: directory.to_owned(),
        source,
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        // A link to what is not there is a part of the policy that is missing, and no other file.
        let kind = fs::metadata(&path).map_err(|source| LoadPolicyError::Read {
            path: path.clone(),
            source,
        })?;
        if kind.is_file() {
            paths.push(path);
        }
    }
    if paths.is_empty() || paths.len() > FILES {
        return Err(LoadPolicyError::Files {
            path: directory.to_owned(),
            got: paths.len(),
        });
    }
    let files = paths.iter();
    let files = files.map(|path| Ok((path.display().to_string(), read(path)?)));
    files.collect()
}

fn no_preset(name: &str) -> LoadPolicyError {
    let name = name.to_owned();
    if name == Policy::preset_template() {
        return LoadPolicyError::Template { name };
    }
    LoadPolicyError::UnknownPreset {
        name,
        known: Policy::preset_names(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_preset_names_the_known_ones() {
        let error = LoadedPolicy::load("preset:lax").unwrap_err().to_string();
        assert!(error.contains("`lax`"), "{error}");
        assert!(error.contains("standard"), "{error}");
    }

    #[test]
    fn the_standard_preset_loads_and_trusts_nobody() {
        assert!(
            LoadedPolicy::load("preset:standard")
                .unwrap()
                .trust
                .is_empty()
        );
    }

    #[test]
    fn a_directory_is_one_policy() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
        let spec = directory.path().to_str().unwrap();
        let error = LoadedPolicy::load(spec).unwrap_err();
        assert!(matches!(error, LoadPolicyError::Files { got: 0, .. }));
        write(
            "b.toml",
            "schema = 1\n[[rule]]\nid = \"b\"\nrepositories = [\"b\"]\n",
        );
        write("a.toml", "schema = 1\n[always]\ndeny = [\"sockets\"]\n");
        write("notes.md", "not a policy");
        fs::create_dir(directory.path().join("old.toml")).unwrap();
        let loaded = LoadedPolicy::load(spec).unwrap();
        let names: Vec<_> = loaded.policy.files().map(|(name, _)| name).collect();
        assert_eq!(names, [format!("{spec}/a.toml"), format!("{spec}/b.toml")]);
        write(
            "c.toml",
            "schema = 1\n[[rule]]\nid = \"b\"\nrepositories = [\"c\"]\n",
        );
        let LoadPolicyError::Policy { source, .. } = LoadedPolicy::load(spec).unwrap_err() else {
            panic!("expected a policy that makes no sense");
        };
        assert!(source.to_string().contains("c.toml:3:6"), "{source}");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_policy_that_is_not_there_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
        write("a.toml", "schema = 1\ndefault = \"allow\"\n");
        write("sockets", "schema = 1\n[always]\ndeny = [\"sockets\"]\n");
        let link = directory.path().join("b.toml");
        std::os::unix::fs::symlink("sockets", &link).unwrap();
        let spec = directory.path().to_str().unwrap();
        let loaded = LoadedPolicy::load(spec).unwrap();
        assert_eq!(loaded.policy.files().count(), 2);
        fs::remove_file(directory.path().join("sockets")).unwrap();
        let error = LoadedPolicy::load(spec).unwrap_err();
        assert!(
            matches!(&error, LoadPolicyError::Read { path, .. } if *path == link),
            "{error}"
        );
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = LoadedPolicy::load("nowhere/policy.toml").unwrap_err();
        assert!(matches!(error, LoadPolicyError::Read { .. }));
        assert!(error.to_string().contains("nowhere/policy.toml"), "{error}");
    }
}
