//! A policy: the file that says what may be stored, and what it means.

use thiserror::Error;
use wasmport_artifact::Digest;

use crate::finding::Place;

/// A policy file that was read and makes sense.
#[derive(Clone, Debug)]
pub struct Policy {
    file: String,
    text: String,
    digest: Digest,
    signers: Vec<Signer>,
}

/// A signer that rules can ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// Its name in this policy.
    pub name: String,
    /// The path of its public key, relative to the policy file, or the PEM itself.
    pub key: String,
}

/// Why a text is not a policy, and where.
#[derive(Clone, Debug, Error)]
#[error("{place}: {problem}")]
pub struct PolicyError {
    place: Place,
    problem: String,
}

impl Policy {
    /// Reads a policy. `file_name` is only for pointing at places in it.
    pub fn parse(file_name: &str, text: &str) -> Result<Self, PolicyError> {
        toml::from_str::<toml::Table>(text).map_err(|error| PolicyError {
            place: Place {
                file: file_name.to_owned(),
                line: 1,
                column: 1,
                length: 1,
            },
            problem: error.message().to_owned(),
        })?;
        Ok(Self {
            file: file_name.to_owned(),
            text: text.to_owned(),
            digest: Digest::of(text.as_bytes()),
            signers: Vec::new(),
        })
    }

    /// A preset by its name.
    pub fn preset(name: &str) -> Option<Self> {
        let file = format!("preset:{name}");
        Self::preset_names()
            .contains(&name)
            .then(|| Self::parse(&file, "").ok())?
    }

    /// The names of the presets.
    pub fn preset_names() -> &'static [&'static str] {
        &["standard", "http-service", "pure", "permissive"]
    }

    /// The digest of the text.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The name that the text was read under.
    pub fn source_name(&self) -> &str {
        &self.file
    }

    /// The text.
    pub fn source(&self) -> &str {
        &self.text
    }

    /// The signers that it knows, in the order of their names.
    pub fn signers(&self) -> &[Signer] {
        &self.signers
    }
}
