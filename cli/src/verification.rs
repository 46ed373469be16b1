//! Which of the signers that are asked for have signed an artifact.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde::Serialize;
use wasmport_artifact::{Digest, limits, with_causes};
use wasmport_client::{FoundSignature, Registry, Signatures, signatures};
use wasmport_signature::{Authority, CertifiedIdentity, IdentityPattern, TrustedRoot};

use crate::error::{Failure, Kind};
use crate::files;
use crate::keys::{self, TrustedKey};
use crate::remote;

/// The signers that must have signed.
#[derive(Args, Debug)]
pub(crate) struct Trust {
    /// Public key that must have signed (more than one: all of them, or see --require)
    #[arg(long = "key", value_name = "FILE")]
    keys: Vec<PathBuf>,

    /// How many of the keys must have signed [default: all]
    #[arg(
        long,
        value_name = "N",
        requires = "keys",
        conflicts_with = "certificate_identity"
    )]
    require: Option<usize>,

    /// Identity that must have signed, by its certificate: an address of a workflow or a person;
    /// `*` stands for anything but `/`, `**` for anything
    #[arg(
        long,
        value_name = "ID",
        requires_all = ["certificate_oidc_issuer", "trusted_root"],
        conflicts_with = "keys"
    )]
    certificate_identity: Option<String>,

    /// Who issued the token that the certificate was given for
    #[arg(long, value_name = "URL", requires = "certificate_identity")]
    certificate_oidc_issuer: Option<String>,

    /// Whose certificates, logs and timestamps count: a `trusted_root.json`
    #[arg(long, value_name = "FILE", requires = "certificate_identity")]
    trusted_root: Option<PathBuf>,
}

/// The signers that were read, and how many of them must have signed.
#[derive(Debug)]
pub(crate) struct Trusted {
    signers: Vec<TrustedSigner>,
    required: usize,
}

/// A signer, and how it is named in answers.
#[derive(Debug)]
struct TrustedSigner {
    name: SignerName,
    authority: Authority,
}

/// How a signer is named in answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", untagged)]
pub(crate) enum SignerName {
    /// By its key.
    Key {
        /// The file of the key.
        path: PathBuf,
        /// The key's fingerprint.
        fingerprint: String,
    },
    /// By its certificate.
    Identity {
        /// The pattern that was asked for.
        identity: String,
        /// Whose word it is.
        issuer: String,
    },
}

/// What was looked at, and what it is worth.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    /// How many signers had to sign.
    pub(crate) required: usize,
    /// Those that did.
    pub(crate) signed_by: Vec<SignerName>,
    /// Those that did not.
    pub(crate) missing: Vec<SignerName>,
    /// Every signature that was found.
    pub(crate) signatures: Vec<Examined>,
}

/// A signature and what each signer has to do with it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Examined {
    format: &'static str,
    found_at: String,
    /// Who made it, when it is one of those that were asked for.
    signed_by: Option<SignerName>,
    /// Why it counts for none of them.
    reasons: Vec<String>,
}

/// An artifact whose signatures were found sufficient; only [`Trusted::verify`] makes one.
#[derive(Debug)]
pub(crate) struct Verified {
    report: Report,
}

impl Verified {
    pub(crate) fn into_report(self) -> Report {
        self.report
    }
}

impl Trust {
    /// Reads the keys or the trusted root, and checks that `--require` can be met at all.
    /// `None` when nothing is asked for.
    pub(crate) fn load(&self) -> Result<Option<Trusted>, Failure> {
        if let Some(signer) = self.identity()? {
            return Ok(Some(Trusted {
                signers: vec![signer],
                required: 1,
            }));
        }
        if self.keys.is_empty() {
            return Ok(None);
        }
        let signers = keys::read_public(&self.keys)?;
        let signers: Vec<_> = signers.into_iter().map(TrustedSigner::of_key).collect();
        let required = self.require.unwrap_or(signers.len());
        if required == 0 || required > signers.len() {
            let message = format!(
                "`--require {required}` cannot be asked of {} keys",
                signers.len()
            );
            return Err(
                Failure::new(Kind::Usage, message).hint("give from 1 up to the number of `--key`")
            );
        }
        Ok(Some(Trusted { signers, required }))
    }

    fn identity(&self) -> Result<Option<TrustedSigner>, Failure> {
        let (Some(identity), Some(issuer), Some(root)) = (
            &self.certificate_identity,
            &self.certificate_oidc_issuer,
            &self.trusted_root,
        ) else {
            return Ok(None);
        };
        let bytes = files::read_at_most(root, limits::SIGNATURE_BYTES)?;
        let material = TrustedRoot::from_json(&bytes).map_err(|error| {
            let message = format!("failed to read the trusted root `{}`", root.display());
            Failure::caused(Kind::Input, &message, &error)
                .hint("`cosign trusted-root create` writes one")
        })?;
        Ok(Some(TrustedSigner {
            name: SignerName::Identity {
                identity: identity.clone(),
                issuer: issuer.clone(),
            },
            authority: Authority::Identity(CertifiedIdentity {
                issuer: issuer.clone(),
                identity: IdentityPattern::new(identity),
                root: Arc::new(material),
            }),
        }))
    }
}

impl TrustedSigner {
    fn of_key(key: TrustedKey) -> Self {
        Self {
            name: SignerName::Key {
                fingerprint: key.key.fingerprint(),
                path: key.path,
            },
            authority: key.key.into(),
        }
    }
}

impl SignerName {
    /// With what tells it from others of that name.
    pub(crate) fn in_full(&self) -> String {
        match self {
            Self::Key { fingerprint, .. } => format!("{self} ({fingerprint})"),
            Self::Identity { issuer, .. } => format!("{self} (by the word of {issuer})"),
        }
    }
}

impl fmt::Display for SignerName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key { path, .. } => write!(formatter, "{}", path.display()),
            Self::Identity { identity, .. } => formatter.write_str(identity),
        }
    }
}

impl Trusted {
    /// Looks at every signature of `digest` on the registry.
    pub(crate) async fn verify(
        &self,
        registry: &Registry,
        digest: &Digest,
    ) -> Result<Verified, Failure> {
        let found = signatures(registry, digest)
            .await
            .map_err(remote::failed("look for signatures"))?;
        let report = examine(&self.signers, self.required, &found, digest);
        if report.signed_by.len() >= report.required {
            return Ok(Verified { report });
        }
        Err(not_verified(digest, &report).found(&report))
    }
}

fn examine(
    signers: &[TrustedSigner],
    required: usize,
    on_registry: &Signatures,
    digest: &Digest,
) -> Report {
    let found = on_registry
        .found
        .iter()
        .map(|found| examine_one(signers, found, digest));
    let unreadable = on_registry.unreadable.iter().map(|unreadable| Examined {
        format: "unreadable",
        found_at: unreadable.from.clone(),
        signed_by: None,
        reasons: vec![unreadable.reason.clone()],
    });
    let signatures: Vec<Examined> = found.chain(unreadable).collect();
    let has_signed = |signer: &&TrustedSigner| {
        let mut found = signatures.iter();
        found.any(|examined| examined.signed_by.as_ref() == Some(&signer.name))
    };
    let (signed_by, missing): (Vec<_>, Vec<_>) = signers.iter().partition(has_signed);
    let names = |signers: Vec<&TrustedSigner>| {
        let names = signers.into_iter().map(|signer| signer.name.clone());
        names.collect()
    };
    Report {
        required,
        signed_by: names(signed_by),
        missing: names(missing),
        signatures,
    }
}

fn examine_one(signers: &[TrustedSigner], found: &FoundSignature, digest: &Digest) -> Examined {
    let mut reasons = Vec::new();
    let mut signed_by = None;
    for TrustedSigner { name, authority } in signers {
        match found.signature.verify(digest, authority) {
            Ok(()) => signed_by = Some(name.clone()),
            Err(error) => reasons.push(format!("{name}: {}", with_causes(&error))),
        }
    }
    if signed_by.is_some() {
        reasons.clear();
    }
    Examined {
        format: found.signature.kind(),
        found_at: found.from.clone(),
        signed_by,
        reasons,
    }
}

fn not_verified(digest: &Digest, report: &Report) -> Failure {
    let message = format!(
        "`{digest}` is signed by {} of the {} signers that must have signed",
        report.signed_by.len(),
        report.required
    );
    let hint = match report.signatures.as_slice() {
        [] => "no signature was found, neither a referrer nor a `.sig` tag; `wasmport sign` makes \
               one by a key, and cosign one by an identity"
            .to_owned(),
        signatures => signatures
            .iter()
            .map(Examined::to_text)
            .collect::<Vec<_>>()
            .join("\n"),
    };
    Failure::new(Kind::NotVerified, message).hint(hint)
}

impl Examined {
    pub(crate) fn to_text(&self) -> String {
        let outcome = match &self.signed_by {
            Some(signer) => format!("signed by {}", signer.in_full()),
            None => format!("does not count: {}", self.reasons.join("; ")),
        };
        format!("{} at {}: {outcome}", self.format, self.found_at)
    }
}
