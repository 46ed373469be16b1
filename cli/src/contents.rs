//! What a manifest carries, found out from its blobs as a registry of ours does at a push.

use std::fs::File;
use std::io::{self, Cursor, Read};

use wasmport_artifact::{Digest, Hasher, Manifest, limits, with_causes};
use wasmport_builder::Layout;
use wasmport_client::Registry;
use wasmport_policies::{Content, ImageSurvey, Part};

use crate::error::Failure;
use crate::remote;

/// What the blobs of a layout are that is not one Wasm in one layer.
pub(crate) fn of_layout(layout: &Layout) -> Content {
    let manifest = layout.manifest();
    if let Some(hiding) = Content::embedded(manifest) {
        return hiding;
    }
    let mut survey = ImageSurvey::default();
    for part in Part::all(manifest) {
        let Ok(mut file) = File::open(layout.blob_path(&part.described.digest)) else {
            survey.miss(part.described);
            continue;
        };
        if let Some(other) = look(part, &mut survey, &mut file) {
            return other;
        }
    }
    survey.finish(manifest)
}

/// The same of what a registry has. Its blobs come one after the other, each into memory.
pub(crate) async fn of_remote(
    manifest: &Manifest,
    registry: &Registry,
) -> Result<Content, Failure> {
    if let Some(hiding) = Content::embedded(manifest) {
        return Ok(hiding);
    }
    let mut survey = ImageSurvey::default();
    for part in Part::all(manifest) {
        if survey.is_spent() {
            survey.pass_over(part.described);
            continue;
        }
        if part.described.size > limits::WASM_BYTES {
            let reason = format!(
                "it is over {} bytes, and was not pulled",
                limits::WASM_BYTES
            );
            survey.leave_out(part.described, &reason);
            continue;
        }
        let bytes = registry.pull_blob_bytes(part.described, limits::WASM_BYTES);
        let bytes = bytes.await.map_err(remote::failed("pull a layer"))?;
        if let Some(other) = look(part, &mut survey, &mut bytes.as_slice()) {
            return Ok(other);
        }
    }
    Ok(survey.finish(manifest))
}

/// Looks through a part, or says what the manifest is that hides something in it.
fn look(part: Part<'_>, survey: &mut ImageSurvey, bytes: &mut dyn Read) -> Option<Content> {
    let mut bytes = Hashed::new(bytes, &part.described.digest);
    let mut beginning = Vec::new();
    if let Err(error) = (&mut bytes)
        .take(Part::BEGINNING_BYTES)
        .read_to_end(&mut beginning)
    {
        survey.leave_out(part.described, &with_causes(&error));
        return None;
    }
    let disguised = part.disguised(&beginning);
    if disguised.is_some() {
        return disguised;
    }
    if survey.is_spent() {
        survey.pass_over(part.described);
    } else {
        let mut all = Cursor::new(beginning).chain(&mut bytes);
        survey.look_through(part.described, &mut all);
    }
    let digest = &part.described.digest;
    let reason = match bytes.finish() {
        Ok(found) if found == *digest => return None,
        Ok(found) => format!("the blob `{digest}` has the digest `{found}`"),
        Err(error) => format!("the blob `{digest}` cannot be read: {error}"),
    };
    Some(Content::Unreadable { reason })
}

/// Bytes whose digest is found out while they are read.
struct Hashed<'a> {
    source: &'a mut dyn Read,
    hasher: Hasher,
}

impl<'a> Hashed<'a> {
    fn new(source: &'a mut dyn Read, expected: &Digest) -> Self {
        Self {
            source,
            hasher: Hasher::new(expected.algorithm()),
        }
    }

    /// The digest of all, also of what nobody has read yet.
    fn finish(mut self) -> io::Result<Digest> {
        io::copy(&mut self, &mut io::sink())?;
        Ok(self.hasher.finish())
    }
}

impl Read for Hashed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.hasher.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}
