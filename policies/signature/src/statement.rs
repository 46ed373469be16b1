//! In-toto statements: what the payload of a bundle says (in-toto/attestation,
//! `spec/v1/statement.md`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wasmport_artifact::Digest;

use crate::verify::{Shown, VerifyError};

/// The predicate type of a plain signature, as cosign 3 writes it. Other statements that
/// a key signs, such as an SBOM, do not say that the artifact is good.
const COSIGN_SIGN: &str = "https://sigstore.dev/cosign/sign/v1";

const STATEMENT_V1: &str = "https://in-toto.io/Statement/v1";
/// What `cosign attest` writes to this day.
const STATEMENT_V0_1: &str = "https://in-toto.io/Statement/v0.1";

#[derive(Serialize, Deserialize)]
pub(crate) struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    /// Some verifiers want it there, though an absent one is an empty one.
    #[serde(default, skip_deserializing)]
    predicate: EmptyPredicate,
}

#[derive(Serialize, Deserialize)]
struct Subject {
    /// Hex digests by the name of their algorithm.
    digest: BTreeMap<String, String>,
    #[serde(default, skip_deserializing)]
    annotations: BTreeMap<String, String>,
}

#[derive(Default, Serialize)]
struct EmptyPredicate {}

/// A statement with a predicate of any type.
#[cfg(feature = "sign")]
pub(crate) fn about(
    subject: &Digest,
    predicate_type: &str,
    predicate: &serde_json::Value,
) -> Vec<u8> {
    let statement = serde_json::json!({
        "_type": STATEMENT_V1,
        "subject": [{ "digest": { subject.algorithm().name(): subject.hex() } }],
        "predicateType": predicate_type,
        "predicate": predicate,
    });
    statement.to_string().into_bytes()
}

impl Statement {
    /// "This is signed", of `subject`.
    #[cfg(feature = "sign")]
    pub(crate) fn signature_of(subject: &Digest, annotations: &BTreeMap<String, String>) -> Self {
        let name = subject.algorithm().name().to_owned();
        Self {
            kind: STATEMENT_V1.to_owned(),
            subject: vec![Subject {
                digest: BTreeMap::from([(name, subject.hex().to_owned())]),
                annotations: annotations.clone(),
            }],
            predicate_type: COSIGN_SIGN.to_owned(),
            predicate: EmptyPredicate {},
        }
    }

    #[cfg(feature = "sign")]
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        // A struct of strings always has a JSON form.
        serde_json::to_vec(self).unwrap_or_default()
    }

    pub(crate) fn parse(payload: &[u8]) -> Result<Self, VerifyError> {
        serde_json::from_slice(payload).map_err(|source| VerifyError::Malformed {
            what: "statement",
            source,
        })
    }

    pub(crate) fn predicate_type(&self) -> &str {
        &self.predicate_type
    }

    pub(crate) fn check_type(&self) -> Result<(), VerifyError> {
        if !matches!(&*self.kind, STATEMENT_V1 | STATEMENT_V0_1) {
            return Err(VerifyError::StatementType(Shown::from(&*self.kind)));
        }
        Ok(())
    }

    pub(crate) fn check_is_signature(&self) -> Result<(), VerifyError> {
        self.check_type()?;
        if self.predicate_type != COSIGN_SIGN {
            return Err(VerifyError::NotASignature {
                predicate_type: Shown::from(&*self.predicate_type),
            });
        }
        Ok(())
    }

    pub(crate) fn check_subject(&self, expected: &Digest) -> Result<(), VerifyError> {
        let digests = || self.subject.iter().flat_map(|subject| &subject.digest);
        let is_ours = |(name, hex): (&String, &String)| {
            name == expected.algorithm().name() && hex == expected.hex()
        };
        if digests().any(is_ours) {
            return Ok(());
        }
        Err(VerifyError::NotForThisSubject {
            expected: expected.clone(),
            got: digests()
                .map(|(name, hex)| format!("{name}:{hex}"))
                .collect(),
        })
    }
}
