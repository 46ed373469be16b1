//! A policy as a host loads it: the file or preset, and the keys that it names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;
use wasmport_artifact::Digest;
use wasmport_policies::{Policy, PolicyError, Signer};
use wasmport_signature::{KeyError, PublicKey, Signature};

/// A policy together with the public keys of its signers.
#[derive(Clone, Debug)]
pub struct LoadedPolicy {
    /// The policy.
    pub policy: Policy,
    /// Names of signers and their keys, in the policy's order.
    pub trust: Vec<(String, PublicKey)>,
}

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
    /// The file could not be read.
    #[error("failed to read the policy `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is not a policy.
    #[error("the policy `{}` is not valid", path.display())]
    Policy {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: Box<PolicyError>,
    },
    /// A signer's key file could not be read.
    #[error("failed to read `{}`, the key of the signer `{signer}`", path.display())]
    ReadKey {
        /// The signer's name.
        signer: String,
        /// The key file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Two signers with one key: one signature would count for both.
    #[error("the signers `{first}` and `{second}` have the same key (`{fingerprint}`)")]
    SameKey {
        /// A signer.
        first: String,
        /// Another signer.
        second: String,
        /// The fingerprint of their key.
        fingerprint: String,
    },
    /// A signer's key is not one.
    #[error("the key of the signer `{signer}` ({from}) cannot be used")]
    Key {
        /// The signer's name.
        signer: String,
        /// The key file, or that it stands in the policy.
        from: String,
        /// Why not.
        source: KeyError,
    },
}

impl LoadedPolicy {
    /// Loads the policy that `spec` names: `preset:NAME`, or the path of a file. Key files
    /// are relative to the policy file.
    pub fn load(spec: &str) -> Result<Self, LoadPolicyError> {
        if let Some(name) = spec.strip_prefix("preset:") {
            let policy = Policy::preset(name).ok_or_else(|| LoadPolicyError::UnknownPreset {
                name: name.to_owned(),
                known: Policy::preset_names(),
            })?;
            return Self::with_keys(policy, Path::new(""));
        }
        let path = Path::new(spec);
        let text = fs::read_to_string(path).map_err(|source| LoadPolicyError::Read {
            path: path.to_owned(),
            source,
        })?;
        let policy = Policy::parse(spec, &text).map_err(|source| LoadPolicyError::Policy {
            path: path.to_owned(),
            source: source.into(),
        })?;
        Self::with_keys(policy, path.parent().unwrap_or(Path::new("")))
    }

    /// What decisions depend on besides the facts: the policy's text and the keys.
    pub(crate) fn digest(&self) -> Digest {
        let mut text = self.policy.digest().to_string();
        for (signer, key) in &self.trust {
            text = format!("{text}\n{signer} {}", key.fingerprint());
        }
        Digest::of(text.as_bytes())
    }

    fn with_keys(policy: Policy, directory: &Path) -> Result<Self, LoadPolicyError> {
        let keys = policy.signers().iter();
        let trust = keys.map(|signer| Ok((signer.name.clone(), load_key(signer, directory)?)));
        let trust: Vec<_> = trust.collect::<Result<_, _>>()?;
        refuse_same_keys(&trust)?;
        Ok(Self { policy, trust })
    }
}

/// Names of the signers in `trust` of whom one of `signatures` over `subject` verifies.
pub fn signed_by(
    signatures: &[Signature],
    subject: &Digest,
    trust: &[(String, PublicKey)],
) -> BTreeSet<String> {
    let has_signed = |key: &PublicKey| {
        let mut signatures = signatures.iter();
        signatures.any(|signature| signature.verify(subject, key).is_ok())
    };
    let signers = trust.iter().filter(|(_, key)| has_signed(key));
    signers.map(|(name, _)| name.clone()).collect()
}

fn refuse_same_keys(trust: &[(String, PublicKey)]) -> Result<(), LoadPolicyError> {
    let mut owners: BTreeMap<String, &str> = BTreeMap::new();
    for (signer, key) in trust {
        let fingerprint = key.fingerprint();
        if let Some(first) = owners.insert(fingerprint.clone(), signer) {
            return Err(LoadPolicyError::SameKey {
                first: first.to_owned(),
                second: signer.clone(),
                fingerprint,
            });
        }
    }
    Ok(())
}

fn load_key(signer: &Signer, directory: &Path) -> Result<PublicKey, LoadPolicyError> {
    let (pem, from) = if signer.key.contains("-----BEGIN") {
        (signer.key.clone(), "in the policy itself".to_owned())
    } else {
        let path = directory.join(&signer.key);
        let pem = fs::read_to_string(&path).map_err(|source| LoadPolicyError::ReadKey {
            signer: signer.name.clone(),
            path: path.clone(),
            source,
        })?;
        (pem, format!("`{}`", path.display()))
    };
    PublicKey::from_pem(&pem).map_err(|source| LoadPolicyError::Key {
        signer: signer.name.clone(),
        from,
        source,
    })
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
    fn a_file_that_is_not_there_is_named() {
        let error = LoadedPolicy::load("nowhere/policy.toml").unwrap_err();
        assert!(matches!(error, LoadPolicyError::Read { .. }));
        assert!(error.to_string().contains("nowhere/policy.toml"), "{error}");
    }
}
