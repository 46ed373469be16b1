//! Which of the keys that are asked for have signed an artifact.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use wasmport_artifact::Digest;
use wasmport_client::{FoundSignature, Registry, Signatures, signatures};

use crate::error::{Failure, Kind};
use crate::keys::{self, KeyName, TrustedKey};
use crate::remote;

/// The keys that must have signed.
#[derive(Args, Debug)]
pub(crate) struct Trust {
    /// Public key that must have signed (more than one: all of them, or see --require)
    #[arg(long = "key", value_name = "FILE")]
    keys: Vec<PathBuf>,

    /// How many of the keys must have signed [default: all]
    #[arg(long, value_name = "N", requires = "keys")]
    require: Option<usize>,
}

/// The keys that were read, and how many of them must have signed.
#[derive(Debug)]
pub(crate) struct Trusted {
    keys: Vec<TrustedKey>,
    required: usize,
}

/// What was looked at, and what it is worth.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    /// How many keys had to sign.
    pub(crate) required: usize,
    /// The keys that did.
    pub(crate) signed_by: Vec<KeyName>,
    /// The keys that did not.
    pub(crate) missing: Vec<KeyName>,
    /// Every signature that was found.
    pub(crate) signatures: Vec<Examined>,
}

/// A signature and what each key says of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Examined {
    format: &'static str,
    found_at: String,
    /// The key that made it, when it is one of those that were given.
    signed_by: Option<KeyName>,
    /// Why it counts for none of the keys.
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
    /// Reads the keys, and checks that `--require` can be met at all. `None` when nothing
    /// is asked for.
    pub(crate) fn load(&self) -> Result<Option<Trusted>, Failure> {
        if self.keys.is_empty() {
            return Ok(None);
        }
        let keys = keys::read_public(&self.keys)?;
        let required = self.require.unwrap_or(keys.len());
        if required == 0 || required > keys.len() {
            let message = format!(
                "`--require {required}` cannot be asked of {} keys",
                keys.len()
            );
            return Err(
                Failure::new(Kind::Usage, message).hint("give from 1 up to the number of `--key`")
            );
        }
        Ok(Some(Trusted { keys, required }))
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
        let report = examine(&self.keys, self.required, &found, digest);
        if report.signed_by.len() >= report.required {
            return Ok(Verified { report });
        }
        Err(not_verified(digest, &report).found(&report))
    }
}

fn examine(
    keys: &[TrustedKey],
    required: usize,
    on_registry: &Signatures,
    digest: &Digest,
) -> Report {
    let found = on_registry
        .found
        .iter()
        .map(|found| examine_one(keys, found, digest));
    let unreadable = on_registry.unreadable.iter().map(|unreadable| Examined {
        format: "unreadable",
        found_at: unreadable.from.clone(),
        signed_by: None,
        reasons: vec![unreadable.reason.clone()],
    });
    let signatures: Vec<Examined> = found.chain(unreadable).collect();
    let has_signed = |key: &&TrustedKey| {
        let fingerprint = key.key.fingerprint();
        signatures
            .iter()
            .filter_map(|examined| examined.signed_by.as_ref())
            .any(|name| name.fingerprint == fingerprint)
    };
    let (signed_by, missing): (Vec<_>, Vec<_>) = keys.iter().partition(has_signed);
    let names = |keys: Vec<&TrustedKey>| keys.into_iter().map(TrustedKey::name).collect();
    Report {
        required,
        signed_by: names(signed_by),
        missing: names(missing),
        signatures,
    }
}

fn examine_one(keys: &[TrustedKey], found: &FoundSignature, digest: &Digest) -> Examined {
    let mut reasons = Vec::new();
    let mut signed_by = None;
    for key in keys {
        match found.signature.verify(digest, &key.key) {
            Ok(()) => signed_by = Some(key.name()),
            Err(error) => reasons.push(format!("{}: {error}", key.path.display())),
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
        "`{digest}` is signed by {} of the {} keys that must have signed",
        report.signed_by.len(),
        report.required
    );
    let hint = match report.signatures.as_slice() {
        [] => {
            "no signature was found, neither a referrer nor a `.sig` tag; `wasmport sign` makes one"
                .to_owned()
        }
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
            Some(key) => format!("signed by {} ({})", key.path.display(), key.fingerprint),
            None => format!("does not count: {}", self.reasons.join("; ")),
        };
        format!("{} at {}: {outcome}", self.format, self.found_at)
    }
}
