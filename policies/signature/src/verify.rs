//! Why a signature does not count.

use std::fmt;

#[cfg(feature = "keyless")]
use sigstore_verify::TransparencyLogError;
use thiserror::Error;
use wasmport_artifact::Digest;

/// Why a signature is not this signer's signature over this subject.
///
/// The order is the order of the checks: what a signature says is only read after the
/// key was found to have signed it.
#[derive(Debug, Error)]
pub enum VerifyError {
    /// Larger than the limit.
    #[error("a signature has at most {max} bytes, got {got}")]
    TooLarge {
        /// The limit in bytes.
        max: usize,
        /// The size in bytes.
        got: usize,
    },
    /// JSON of another shape, or no JSON.
    #[error("the {what} is not valid JSON of its kind")]
    Malformed {
        /// Which document.
        what: &'static str,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// Not base64.
    #[error("the {what} is not base64")]
    Base64 {
        /// Which field.
        what: &'static str,
        /// What is wrong with it.
        source: base64::DecodeError,
    },
    /// A bundle of a version that we do not know.
    #[error("the bundle has media type `{0}`, expected a Sigstore bundle of version 0.1 to 0.3")]
    MediaType(Shown),
    /// A bundle over a blob. It signs bytes, not a manifest in a registry.
    #[error("the bundle holds a message signature, expected a DSSE envelope")]
    MessageSignature,
    /// A bundle without a signature in it.
    #[error("the bundle holds no DSSE envelope")]
    NoEnvelope,
    /// A bundle of keyless signing.
    #[error("the bundle was signed with a certificate, not with a key")]
    Certificate,
    /// Nothing says whom a certificate names, and a signer is asked for that only one tells.
    #[error("no certificate tells who signed it, and an identity is asked for")]
    NoCertificate,
    /// A certificate that is no PEM block.
    #[error("the certificate beside the signature is not PEM")]
    CertificatePem(#[source] pem::PemError),
    /// A certificate for somebody else.
    #[error("the certificate is for `{identity}` by the word of `{issuer}`")]
    WrongIdentity {
        /// Whom it is for, as it says itself.
        identity: Shown,
        /// Whose token it was given for, as it says itself.
        issuer: Shown,
    },
    /// More evidence than anybody gathers for one signature.
    #[error("the bundle has {got} log entries or timestamps, expected at most {max}")]
    TooManyProofs {
        /// The limit.
        max: usize,
        /// How many there are.
        got: usize,
    },
    /// A certificate, a log entry, a timestamp or a signature that does not hold.
    #[cfg(feature = "keyless")]
    #[error("the trusted root does not prove who signed it and when")]
    Unproved {
        /// What does not hold.
        source: Box<sigstore_verify::Error>,
    },
    /// A bundle that does not say that a key signed it.
    #[error("the bundle names no public key")]
    NoPublicKey,
    /// A bundle with none or several signatures.
    #[error("the bundle holds {0} signatures, expected exactly one")]
    SignatureCount(usize),
    /// An envelope around something else than a statement.
    #[error("the envelope holds `{0}`, expected `application/vnd.in-toto+json`")]
    PayloadType(Shown),
    /// Signed by somebody else, or changed since.
    #[error("the signature is not by key `{fingerprint}`, or what it signs was changed")]
    WrongKey {
        /// The fingerprint of the key that was tried.
        fingerprint: String,
    },
    /// A statement of another type.
    #[error("the statement is of type `{0}`, expected in-toto statement v0.1 or v1")]
    StatementType(Shown),
    /// The key signed something else than "this is mine": an SBOM, a provenance.
    #[error("what was signed is a `{predicate_type}`, which is not a signature of the artifact")]
    NotASignature {
        /// What was signed.
        predicate_type: Shown,
    },
    /// A signature of another artifact.
    #[error("the signature is for {got}, expected `{expected}`")]
    NotForThisSubject {
        /// The digest that should be signed.
        expected: Digest,
        /// The digests that are.
        got: Subjects,
    },
}

#[cfg(feature = "keyless")]
impl VerifyError {
    /// Whether it may verify later, as it is: the clock of its log is ahead of ours.
    pub fn may_pass(&self) -> bool {
        let Self::Unproved { source } = self else {
            return false;
        };
        matches!(
            **source,
            sigstore_verify::Error::TransparencyLog(TransparencyLogError::IntegratedTime(_))
        )
    }

    pub(crate) fn unproved(source: impl Into<sigstore_verify::Error>) -> Self {
        Self::Unproved {
            source: Box::new(source.into()),
        }
    }
}

/// Text from outside, as it may be shown: short, and without control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown(String);

/// The subjects of a signature that is not ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subjects(Vec<String>);

impl From<&str> for Shown {
    fn from(text: &str) -> Self {
        let mut shown: String = text
            .chars()
            .take(SHOWN_CHARS)
            .flat_map(char::escape_debug)
            .collect();
        if text.chars().nth(SHOWN_CHARS).is_some() {
            shown.push('…');
        }
        Self(shown)
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromIterator<String> for Subjects {
    fn from_iter<I: IntoIterator<Item = String>>(digests: I) -> Self {
        Self(digests.into_iter().collect())
    }
}

impl fmt::Display for Subjects {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digests = self.0.iter();
        let Some(first) = digests.next() else {
            return formatter.write_str("no digest");
        };
        write!(formatter, "`{}`", Shown::from(first.as_str()))?;
        match digests.count() {
            0 => Ok(()),
            more => write!(formatter, " and {more} more"),
        }
    }
}

/// Enough for a digest with its algorithm and for every media type in use.
const SHOWN_CHARS: usize = 160;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_is_shown_short_and_without_control_characters() {
        assert_eq!(Shown::from("a\u{1b}[31mb\n").to_string(), r"a\u{1b}[31mb\n");
        let long = Shown::from("x".repeat(5000).as_str()).to_string();
        assert_eq!(long.chars().count(), SHOWN_CHARS + 1);
        assert!(long.ends_with('…'));
    }

    #[cfg(feature = "keyless")]
    #[test]
    fn what_comes_from_the_future_may_pass_later_and_nothing_else() {
        let unproved = |error: TransparencyLogError| VerifyError::unproved(error).may_pass();
        assert!(unproved(TransparencyLogError::IntegratedTime(
            "later".into()
        )));
        assert!(!unproved(TransparencyLogError::Checkpoint("none".into())));
        assert!(!VerifyError::NoCertificate.may_pass());
    }

    #[test]
    fn many_subjects_are_counted() {
        let subjects = |count: usize| -> String {
            let digests = (0..count).map(|number| format!("sha256:{number}"));
            digests.collect::<Subjects>().to_string()
        };
        assert_eq!(subjects(0), "no digest");
        assert_eq!(subjects(1), "`sha256:0`");
        assert_eq!(subjects(3), "`sha256:0` and 2 more");
    }
}
