//! `wasmport verify`: has it been signed by those whom one trusts?

use clap::Args;
use serde::Serialize;
use wasmport_artifact::{Digest, Reference};

use crate::error::{Failure, Kind};
use crate::output::Answer;
use crate::remote::{self, Connection};
use crate::verification::{Report, Trust};

/// Check who signed an artifact on a registry
///
/// Reads Sigstore bundles that refer to the artifact and cosign's `.sig` tag, and needs no
/// network but the registry. A signature by a key is checked with the key alone. One by an
/// identity is checked with all that the trusted root carries: its certificate authorities,
/// transparency logs, and timestamp authorities.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  wasmport verify localhost:5000/team/app:1.0 --key wasmport.pub
  wasmport verify ghcr.io/team/app@sha256:… --key a.pub --key b.pub --key c.pub --require 2
  wasmport verify localhost:5000/team/app:1.0 --trusted-root trusted_root.json \\
    --certificate-oidc-issuer https://token.actions.githubusercontent.com \\
    --certificate-identity 'https://github.com/team/app/.github/workflows/release.yml@refs/tags/*'

Exit status: 0 verified; 1 not verified; 2 usage or keys; 3 could not decide.")]
pub(crate) struct VerifyArgs {
    /// The artifact
    #[arg(value_name = "REF")]
    reference: Reference,

    #[command(flatten)]
    trust: Trust,

    #[command(flatten)]
    connection: Connection,
}

/// What is verified, and by whom.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VerifiedArtifact {
    reference: String,
    digest: Digest,
    #[serde(flatten)]
    report: Report,
}

pub(crate) async fn run(args: &VerifyArgs) -> Result<VerifiedArtifact, Failure> {
    let trusted = args.trust.load()?.ok_or_else(|| {
        Failure::new(Kind::Usage, "no signer to verify with")
            .hint("give a key with `--key FILE`, or an identity with `--certificate-identity`")
    })?;
    let registry = args.connection.open(&args.reference).await?;
    let manifest = registry
        .resolve(&args.reference)
        .await
        .map_err(remote::failed("find what is to be verified"))?;
    let digest = manifest.digest();
    let verified = trusted.verify(&registry, &digest).await?;
    let reference = args.reference.at_digest(digest.clone()).to_string();
    Ok(VerifiedArtifact {
        reference,
        digest,
        report: verified.into_report(),
    })
}

impl Answer for VerifiedArtifact {
    fn to_text(&self) -> String {
        let mut lines = vec![format!("verified {}", self.reference)];
        lines.extend(
            self.report
                .signatures
                .iter()
                .map(|examined| format!("  {}", examined.to_text())),
        );
        lines.join("\n")
    }
}
