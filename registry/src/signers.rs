//! The signers of a policy: what their signatures are checked with, and who has signed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;
use wasmport_artifact::{Digest, limits};
use wasmport_policies::{Attestation as AttestationFacts, Place, Policy, Signer, Trust};
use wasmport_signature::{
    Attestation, Authority, CertifiedIdentity, IdentityPattern, KeyError, PublicKey, Signature,
    TrustedRoot, TrustedRootError,
};

/// Why the signatures of a policy's signer cannot be checked.
#[derive(Debug, Error)]
pub enum LoadSignerError {
    /// A key or a trusted root could not be read.
    #[error("failed to read `{}`, {what} of the signer `{signer}`", path.display())]
    Read {
        /// The signer's name.
        signer: String,
        /// What the file is to hold.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A key that is not one.
    #[error("the key of the signer `{signer}` ({from}) cannot be used")]
    Key {
        /// The signer's name.
        signer: String,
        /// The key file, or that it stands in the policy.
        from: String,
        /// Why not.
        source: KeyError,
    },
    /// A trusted root that is not one.
    #[error("the trusted root of the signer `{signer}` (`{}`) cannot be used", path.display())]
    TrustedRoot {
        /// The signer's name.
        signer: String,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: TrustedRootError,
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
    /// Several must sign, and somebody could be two of them.
    #[error(
        "{place}: more than one has to sign, and one identity could be both `{first}` and `{second}`; \
         make their `identity` patterns exclude each other, or ask for one of them"
    )]
    SameIdentity {
        /// A signer.
        first: String,
        /// Another signer.
        second: String,
        /// Where the policy asks for both.
        place: Place,
    },
}

/// Reads the keys and trusted roots of all signers. Their files are relative to `directory`.
pub(crate) fn load(
    policy: &Policy,
    directory: &Path,
) -> Result<Vec<(String, Authority)>, LoadSignerError> {
    let mut roots = Roots::default();
    let signers = policy.signers().iter();
    let trust = signers.map(|signer| {
        let authority = authority(signer, directory, &mut roots)?;
        Ok((signer.name.clone(), authority))
    });
    let trust: Vec<_> = trust.collect::<Result<_, _>>()?;
    refuse_same_keys(&trust)?;
    refuse_same_identities(policy, &trust)?;
    Ok(trust)
}

/// What the signers of a policy have signed, and verified so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signed {
    /// Names of those who signed the artifact.
    pub by: BTreeSet<String>,
    /// What they have said about it, by its predicate type. What nobody has signed is left out.
    pub attestations: Vec<AttestationFacts>,
    /// Something may verify later, as it is: it was signed by a clock that is ahead of ours.
    pub may_grow: bool,
}

impl Signed {
    /// Tries each of `signatures` and `attestations` about `subject` with each signer in `trust`.
    pub fn verify(
        signatures: &[Signature],
        attestations: &[Attestation],
        subject: &Digest,
        trust: &[(String, Authority)],
    ) -> Self {
        let mut signed = Self::default();
        let mut said: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (name, by) in trust {
            for signature in signatures {
                match signature.verify(subject, by) {
                    Ok(()) => {
                        signed.by.insert(name.clone());
                        break;
                    }
                    Err(error) => signed.may_grow |= error.may_pass(),
                }
            }
            for attestation in attestations {
                match attestation.verify(subject, by) {
                    Ok(predicate_type) => {
                        let signers = said.entry(predicate_type).or_default();
                        signers.insert(name.clone());
                    }
                    Err(error) => signed.may_grow |= error.may_pass(),
                }
            }
        }
        let said = said.into_iter();
        signed.attestations = said
            .map(|(predicate_type, signed_by)| AttestationFacts {
                predicate_type,
                signed_by,
            })
            .collect();
        signed
    }
}

/// Trusted roots that were read, by their paths: many signers have one.
type Roots = BTreeMap<PathBuf, Arc<TrustedRoot>>;

fn authority(
    signer: &Signer,
    directory: &Path,
    roots: &mut Roots,
) -> Result<Authority, LoadSignerError> {
    match &signer.trust {
        Trust::Key(key) => Ok(load_key(signer, key, directory)?.into()),
        Trust::Identity {
            issuer,
            identity,
            trusted_root,
        } => Ok(Authority::Identity(CertifiedIdentity {
            issuer: issuer.clone(),
            identity: IdentityPattern::new(identity),
            root: load_root(signer, &directory.join(trusted_root), roots)?,
        })),
    }
}

fn load_key(signer: &Signer, key: &str, directory: &Path) -> Result<PublicKey, LoadSignerError> {
    let (pem, from) = if key.contains("-----BEGIN") {
        (key.to_owned(), "in the policy itself".to_owned())
    } else {
        let path = directory.join(key);
        let bytes = read(signer, "the key", &path)?;
        let pem = String::from_utf8_lossy(&bytes).into_owned();
        (pem, format!("`{}`", path.display()))
    };
    PublicKey::from_pem(&pem).map_err(|source| LoadSignerError::Key {
        signer: signer.name.clone(),
        from,
        source,
    })
}

fn load_root(
    signer: &Signer,
    path: &Path,
    roots: &mut Roots,
) -> Result<Arc<TrustedRoot>, LoadSignerError> {
    if let Some(root) = roots.get(path) {
        return Ok(Arc::clone(root));
    }
    let bytes = read(signer, "the trusted root", path)?;
    let root = TrustedRoot::from_json(&bytes).map_err(|source| LoadSignerError::TrustedRoot {
        signer: signer.name.clone(),
        path: path.to_owned(),
        source,
    })?;
    let root = Arc::new(root);
    roots.insert(path.to_owned(), Arc::clone(&root));
    Ok(root)
}

/// Reads a file as far as one of a signer may be long; that it is longer shows when it is
/// parsed.
fn read(signer: &Signer, what: &'static str, path: &Path) -> Result<Vec<u8>, LoadSignerError> {
    let mut bytes = Vec::new();
    let read = fs::File::open(path).and_then(|file| {
        let limit = limits::SIGNATURE_BYTES as u64 + 1;
        file.take(limit).read_to_end(&mut bytes)
    });
    match read {
        Ok(_) => Ok(bytes),
        Err(source) => Err(LoadSignerError::Read {
            signer: signer.name.clone(),
            what,
            path: path.to_owned(),
            source,
        }),
    }
}

fn refuse_same_keys(trust: &[(String, Authority)]) -> Result<(), LoadSignerError> {
    let mut owners: BTreeMap<String, &str> = BTreeMap::new();
    for (signer, authority) in trust {
        let Authority::Key(key) = authority else {
            continue;
        };
        let fingerprint = key.fingerprint();
        if let Some(first) = owners.insert(fingerprint.clone(), signer) {
            return Err(LoadSignerError::SameKey {
                first: first.to_owned(),
                second: signer.clone(),
                fingerprint,
            });
        }
    }
    Ok(())
}

/// Patterns may overlap, as that of all workflows of a company and that of one of them do, but
/// not where both are counted.
fn refuse_same_identities(
    policy: &Policy,
    trust: &[(String, Authority)],
) -> Result<(), LoadSignerError> {
    for (place, from) in policy.quorums() {
        let asked: Vec<_> = trust
            .iter()
            .filter(|(name, _)| from.contains(name))
            .collect();
        for (index, (first, one)) in asked.iter().enumerate() {
            let mut others = asked.iter().skip(index + 1);
            if let Some((second, _)) = others.find(|(_, other)| one.overlaps(other)) {
                return Err(LoadSignerError::SameIdentity {
                    first: first.clone(),
                    second: second.clone(),
                    place: place.clone(),
                });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
