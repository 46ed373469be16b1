//! `wasmport push`: an artifact to a registry, its signatures before its manifest.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use wasmport_artifact::{Digest, Reference};

use crate::artifact::Artifact;
use crate::clock;
use crate::commands::{explain, sign};
use crate::error::Failure;
use crate::keys;
use crate::output::{self, Answer};
use crate::remote::{self, Connection};
use crate::source::Source;

/// Push an artifact to a registry
///
/// With --sign-key the signatures are pushed before the manifest, so that a registry whose
/// policy wants them finds them when it judges. What a registry of ours refuses, it refuses
/// with every finding.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  wasmport push app.oci localhost:5000/team/app:1.0
  COSIGN_PASSWORD=… wasmport push app.oci localhost:5000/team/app:1.0 --sign-key wasmport.key

Exit status: 0 pushed (held counts as pushed, and is said); 1 denied; 2 usage or input;
3 registry, network or disk.")]
pub(crate) struct PushArgs {
    /// A `.wasm` file or an OCI image layout
    #[arg(value_name = "SOURCE")]
    source: Source,

    /// Where it goes
    #[arg(value_name = "REF")]
    reference: Reference,

    /// Annotation of the manifest, when a file is pushed; a layout has its own
    #[arg(short, long = "annotation", value_name = "NAME=VALUE", value_parser = remote::parse_pair)]
    annotations: Vec<(String, String)>,

    /// Private key to sign with; its password is taken from `COSIGN_PASSWORD` or asked for
    #[arg(long = "sign-key", value_name = "FILE")]
    sign_keys: Vec<PathBuf>,

    #[command(flatten)]
    connection: Connection,
}

/// What was pushed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Pushed {
    reference: String,
    digest: Digest,
    /// Fingerprints of the keys that it was signed with.
    signed_with: Vec<String>,
    /// True when the registry keeps it back until something arrives.
    held: bool,
    /// What the registry had to say.
    warnings: Vec<String>,
}

pub(crate) async fn run(args: &PushArgs) -> Result<Pushed, Failure> {
    let keys = args
        .sign_keys
        .iter()
        .map(|path| keys::read_private(path))
        .collect::<Result<Vec<_>, _>>()?;
    let annotations = args.annotations.iter().cloned().collect();
    let artifact = Artifact::read_annotated(&args.source, &annotations)?;
    artifact.expect_readable()?;
    let digest = artifact.manifest().digest();
    let subject = args.reference.at_digest(digest.clone());
    let mut signatures = Vec::new();
    for key in &keys {
        signatures.extend(sign::make(key, &subject, &BTreeMap::new())?);
    }
    let registry = args.connection.open(&args.reference).await?;
    let upload = artifact.to_push();
    let outcome = wasmport_client::push(
        &registry,
        &args.reference,
        &upload,
        &signatures,
        &clock::now(),
    )
    .await;
    let outcome = outcome.map_err(|error| {
        let decision = remote::decision(&error);
        let hint = decision.and_then(|decision| explain::hint(&decision, artifact.place()));
        let failure = remote::failed("push the artifact")(error);
        hint.into_iter().fold(failure, Failure::hint)
    })?;
    for warning in &outcome.warnings {
        output::note(&format!("warning: {warning}"));
    }
    Ok(Pushed {
        reference: args.reference.to_string(),
        held: outcome
            .warnings
            .iter()
            .any(|warning| warning.starts_with(HELD)),
        digest,
        signed_with: keys
            .iter()
            .map(|key| key.public_key().fingerprint())
            .collect(),
        warnings: outcome.warnings,
    })
}

/// How a warning of our registry begins when it keeps an artifact back.
const HELD: &str = "held:";

impl Answer for Pushed {
    fn to_text(&self) -> String {
        let mut lines = vec![
            format!("pushed {}", self.reference),
            format!("digest {}", self.digest),
        ];
        lines.extend(self.signed_with.iter().map(|key| format!("signed {key}")));
        if self.held {
            lines.push(
                "held   nobody can pull the tag until what is missing has arrived".to_owned(),
            );
        }
        lines.join("\n")
    }
}
