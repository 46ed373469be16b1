//! `wasmport sign`: a signature beside an artifact that is on a registry.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use wasmport_artifact::{Digest, Reference};
use wasmport_client::push_signatures;
use wasmport_signature::{PrivateKey, Signature, sign_bundle, sign_simple};

use crate::clock;
use crate::error::{Failure, Kind};
use crate::keys;
use crate::output::Answer;
use crate::remote::{self, Connection};

/// Sign an artifact on a registry
///
/// Signs the digest of the manifest, in both of cosign's formats: a Sigstore bundle as a
/// referrer, for cosign 3, and a `.sig` tag, for cosign 2. Nothing is sent anywhere but to
/// the registry.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  COSIGN_PASSWORD=… wasmport sign localhost:5000/team/app:1.0 --key wasmport.key
  wasmport sign localhost:5000/team/app@sha256:… --key cosign.key -a build=1234")]
pub(crate) struct SignArgs {
    /// The artifact
    #[arg(value_name = "REF")]
    reference: Reference,

    /// Private key; its password is taken from `COSIGN_PASSWORD` or asked for
    #[arg(long, value_name = "FILE")]
    key: PathBuf,

    /// Words to sign along with the digest
    #[arg(short, long = "annotation", value_name = "NAME=VALUE", value_parser = remote::parse_pair)]
    annotations: Vec<(String, String)>,

    #[command(flatten)]
    connection: Connection,
}

/// What was signed, and with what.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Signed {
    reference: String,
    digest: Digest,
    fingerprint: String,
    formats: Vec<&'static str>,
}

pub(crate) async fn run(args: &SignArgs) -> Result<Signed, Failure> {
    let key = keys::read_private(&args.key)?;
    let registry = args.connection.open(&args.reference).await?;
    let manifest = registry
        .resolve(&args.reference)
        .await
        .map_err(remote::failed("find what is to be signed"))?;
    let subject = args.reference.at_digest(manifest.digest());
    let annotations = args.annotations.iter().cloned().collect();
    let signatures = make(&key, &subject, &annotations)?;
    let pushed = push_signatures(
        &registry,
        &manifest.descriptor(),
        &signatures,
        &clock::now(),
    )
    .await;
    pushed.map_err(remote::failed("push the signature"))?;
    Ok(Signed {
        reference: subject.to_string(),
        digest: manifest.digest(),
        fingerprint: key.public_key().fingerprint(),
        formats: signatures.iter().map(Signature::kind).collect(),
    })
}

/// Signs `subject` in both formats, the bundle first: cosign 3 reads only bundles once it
/// has seen one.
pub(crate) fn make(
    key: &PrivateKey,
    subject: &Reference,
    annotations: &BTreeMap<String, String>,
) -> Result<Vec<Signature>, Failure> {
    let Some(digest) = subject.digest() else {
        return Err(Failure::new(
            Kind::Usage,
            format!("`{subject}` has no digest that could be signed"),
        ));
    };
    let repository = format!("{}/{}", subject.registry(), subject.repository());
    let bundle = sign_bundle(key, digest, annotations);
    let simple = sign_simple(key, digest, &repository, annotations);
    [bundle, simple]
        .into_iter()
        .collect::<Result<_, _>>()
        .map_err(|error| {
            Failure::caused(Kind::Input, &format!("failed to sign `{digest}`"), &error)
        })
}

impl Answer for Signed {
    fn to_text(&self) -> String {
        format!(
            "signed {}\nwith   {} ({})",
            self.reference,
            self.fingerprint,
            self.formats.join(" and ")
        )
    }
}
