//! `wasmport pull`: the Wasm of an artifact, if it is what it should be.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use wasmport_artifact::{Digest, Manifest, Reference, annotation};

use crate::error::{Failure, Kind};
use crate::files;
use crate::output::{Answer, human_size};
use crate::remote::{self, Connection};
use crate::verification::{Report, Trust};

/// Pull the Wasm of an artifact
///
/// The digest is checked while the bytes arrive, and the file appears whole or not at all.
/// With --key no layer is fetched before the signatures have been verified.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  wasmport pull localhost:5000/team/app:1.0
  wasmport pull ghcr.io/team/app@sha256:… -o app.wasm --key wasmport.pub

Exit status: 0 pulled; 1 denied or not verified; 2 usage; 3 registry, network or disk.")]
pub(crate) struct PullArgs {
    /// The artifact
    #[arg(value_name = "REF")]
    reference: Reference,

    /// File to write; replaced when it is there [default: the artifact's own file name]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    #[command(flatten)]
    trust: Trust,

    #[command(flatten)]
    connection: Connection,
}

/// What was pulled.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Pulled {
    reference: String,
    digest: Digest,
    file: PathBuf,
    size: u64,
    /// Who signed it, when that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    verification: Option<Report>,
}

pub(crate) async fn run(args: &PullArgs) -> Result<Pulled, Failure> {
    let trusted = args.trust.load()?;
    // Known before anything is asked for; the artifact's own name is known only later.
    args.output
        .as_deref()
        .map_or(Ok(()), files::expect_replaceable)?;
    let registry = args.connection.open(&args.reference).await?;
    let manifest = registry
        .resolve(&args.reference)
        .await
        .map_err(remote::failed("find the artifact"))?;
    let digest = manifest.digest();
    let verification = match &trusted {
        None => None,
        Some(trusted) => Some(trusted.verify(&registry, &digest).await?.into_report()),
    };
    let file = args
        .output
        .clone()
        .map_or_else(|| file_name(&manifest, &args.reference), Ok)?;
    files::expect_replaceable(&file)?;
    wasmport_client::pull_wasm(&registry, &manifest, &file)
        .await
        .map_err(remote::failed("pull the Wasm"))?;
    let reference = args.reference.at_digest(digest.clone()).to_string();
    Ok(Pulled {
        reference,
        digest,
        file,
        size: manifest.wasm_layers().map(|layer| layer.size).sum(),
        verification,
    })
}

/// The layer's title, when it is a plain file name: a registry must not choose directories.
fn file_name(manifest: &Manifest, reference: &Reference) -> Result<PathBuf, Failure> {
    let title = manifest
        .wasm_layers()
        .find_map(|layer| layer.annotations.get(annotation::TITLE));
    let Some(title) = title else {
        let last = reference
            .repository()
            .as_str()
            .rsplit('/')
            .next()
            .unwrap_or("artifact");
        return Ok(PathBuf::from(format!("{last}.wasm")));
    };
    let is_plain =
        !title.is_empty() && title != "." && title != ".." && !title.contains(['/', '\\', '\0']);
    if is_plain {
        return Ok(PathBuf::from(title));
    }
    let message =
        format!("the artifact wants to be written to `{title}`, which is not a plain file name");
    Err(Failure::new(Kind::Input, message).hint("name the file with `--output FILE`"))
}

impl Answer for Pulled {
    fn to_text(&self) -> String {
        let mut text = format!(
            "pulled {} ({})\nto     {}",
            self.reference,
            human_size(self.size),
            self.file.display()
        );
        let reports = self.verification.iter();
        for signer in reports.flat_map(|report| &report.signed_by) {
            let _infallible = write!(text, "\nsigned by {}", signer.in_full());
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmport_artifact::{Descriptor, ImageManifest, media_type};

    fn titled(title: &str) -> Result<PathBuf, Failure> {
        let layer = Descriptor::of(media_type::WASM, b"").annotated(annotation::TITLE, title);
        let manifest =
            ImageManifest::new(Descriptor::of(media_type::WASM_CONFIG, b"{}"), vec![layer]);
        let manifest = Manifest::parse(manifest.to_bytes(), media_type::IMAGE_MANIFEST).unwrap();
        file_name(&manifest, &"localhost/team/app:1".parse().unwrap())
    }

    #[test]
    fn a_title_is_a_file_name_and_never_a_path() {
        assert_eq!(titled("app.wasm").unwrap(), PathBuf::from("app.wasm"));
        for title in ["../app.wasm", "/etc/passwd", "a\\b", "..", "", "a/b"] {
            assert_eq!(titled(title).unwrap_err().exit_code(), 2, "{title}");
        }
    }
}
