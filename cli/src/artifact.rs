//! An artifact with its bytes at hand, wherever it came from.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::thread;

use wasmport_artifact::{
    Descriptor, Digest, FunctionTypes, Inspection, Manifest, Reference, RepositoryName, inspect,
    limits, media_type,
};
use wasmport_builder::{Layout, LayoutError, Metadata, pack};
use wasmport_client::{BlobSource, Push};
use wasmport_policies::{Content, Wasm};

use crate::error::{Failure, Kind};
use crate::remote::{self, Connection};
use crate::source::{Source, Subject};
use crate::{contents, files};

/// A manifest with its config and its Wasm.
#[derive(Debug)]
pub(crate) struct Artifact {
    name: String,
    origin: Origin,
    manifest: Manifest,
    /// Of one Wasm in one layer.
    config: Option<Vec<u8>>,
    layer: Option<Vec<u8>>,
    content: Content,
}

#[derive(Debug)]
enum Origin {
    /// Packed here from a bare file; the manifest exists nowhere else yet.
    Packed,
    Layout(Box<Layout>),
    Registry(Reference),
}

impl Artifact {
    /// Reads what `subject` names.
    pub(crate) async fn read(subject: &Subject, connection: &Connection) -> Result<Self, Failure> {
        Self::read_as(subject, &BTreeMap::new(), connection).await
    }

    /// Reads what `subject` names, and says `annotations` of a file.
    pub(crate) async fn read_as(
        subject: &Subject,
        annotations: &BTreeMap<String, String>,
        connection: &Connection,
    ) -> Result<Self, Failure> {
        match subject {
            Subject::Local(source) => Self::read_annotated(source, annotations),
            Subject::Remote(reference) if !annotations.is_empty() => {
                let words = format!("the artifact `{reference}` has its annotations");
                let hint = "`--annotation` is for a file that is not pushed yet";
                Err(Failure::new(Kind::Usage, words).hint(hint.to_owned()))
            }
            Subject::Remote(reference) => Self::pull(reference, connection).await,
        }
    }

    /// Reads a file or a layout.
    pub(crate) fn read_local(source: &Source) -> Result<Self, Failure> {
        Self::read_annotated(source, &BTreeMap::new())
    }

    /// Reads a file or a layout, and says `annotations` of a file. What a layout says was
    /// decided when it was built, and its digest with it.
    pub(crate) fn read_annotated(
        source: &Source,
        annotations: &BTreeMap<String, String>,
    ) -> Result<Self, Failure> {
        match source {
            Source::Wasm(path) => {
                let name = path.display().to_string();
                let bytes = files::read_wasm(path)?;
                let stem = path
                    .file_stem()
                    .map_or_else(|| "artifact".into(), |stem| stem.to_string_lossy());
                Self::pack_annotated(name, &stem, &bytes, annotations)
            }
            Source::Layout(path) if !annotations.is_empty() => {
                let words = format!("the layout `{}` has its annotations", path.display());
                let hint = "`wasmport build --annotation NAME=VALUE` puts others into it";
                Err(Failure::new(Kind::Usage, words).hint(hint.to_owned()))
            }
            Source::Layout(path) => {
                let name = path.display().to_string();
                Self::open(&name, path).map_err(|error| {
                    let kind = if matches!(error, LayoutError::Read { .. }) {
                        Kind::Io
                    } else {
                        Kind::Input
                    };
                    let failure = Failure::caused(
                        kind,
                        &format!("failed to read the layout `{name}`"),
                        &error,
                    );
                    error.hint().into_iter().fold(failure, Failure::hint)
                })
            }
        }
    }

    /// Packs a bare file as it would be pushed, with nothing but its name to go by.
    pub(crate) fn pack(name: String, stem: &str, bytes: &[u8]) -> Result<Self, Failure> {
        Self::pack_annotated(name, stem, bytes, &BTreeMap::new())
    }

    fn pack_annotated(
        name: String,
        stem: &str,
        bytes: &[u8],
        annotations: &BTreeMap<String, String>,
    ) -> Result<Self, Failure> {
        let inspection = inspect(bytes).map_err(|error| {
            Failure::caused(Kind::Input, &format!("failed to inspect `{name}`"), &error)
        })?;
        let packed = pack(
            bytes,
            &inspection,
            &Metadata {
                name: stem.to_owned(),
                annotations: annotations.clone(),
                ..Metadata::default()
            },
        );
        let manifest =
            Manifest::parse(packed.manifest, media_type::IMAGE_MANIFEST).map_err(|error| {
                Failure::caused(Kind::Input, &format!("failed to pack `{name}`"), &error)
            })?;
        let content = single(&manifest, Some(&packed.config), Some(&packed.layer));
        Ok(Self {
            name,
            origin: Origin::Packed,
            manifest,
            config: Some(packed.config),
            layer: Some(packed.layer),
            content,
        })
    }

    fn open(name: &str, path: &std::path::Path) -> Result<Self, LayoutError> {
        let layout = Layout::open(path)?;
        let manifest = layout.manifest().clone();
        let is_single = Content::is_single(&manifest);
        let own = |blob: Option<&Descriptor>| match blob.filter(|_| is_single) {
            Some(blob) => layout.blob(&blob.digest).map(Some),
            None => Ok(None),
        };
        let config = own(manifest.config())?;
        let layer = own(manifest.wasm_layers().next())?;
        let content = if is_single {
            single(&manifest, config.as_deref(), layer.as_deref())
        } else {
            contents::of_layout(&layout)
        };
        Ok(Self {
            name: name.to_owned(),
            origin: Origin::Layout(Box::new(layout)),
            manifest,
            config,
            layer,
            content,
        })
    }

    /// Pulls what one reference names.
    pub(crate) async fn pull(
        reference: &Reference,
        connection: &Connection,
    ) -> Result<Self, Failure> {
        let registry = connection.open(reference).await?;
        let manifest = registry
            .resolve(reference)
            .await
            .map_err(remote::failed("find the artifact"))?;
        let name = reference.to_string();
        let origin = Origin::Registry(reference.clone());
        if !Content::is_single(&manifest) {
            let content = contents::of_remote(&manifest, &registry).await?;
            return Ok(Self {
                name,
                origin,
                manifest,
                config: None,
                layer: None,
                content,
            });
        }
        let config = match manifest.config() {
            Some(config) => Some(
                registry
                    .pull_blob_bytes(config, limits::CONFIG_BYTES as u64)
                    .await
                    .map_err(remote::failed("pull the config"))?,
            ),
            None => None,
        };
        let layer = match manifest.wasm_layers().next() {
            Some(layer) => Some(
                registry
                    .pull_blob_bytes(layer, limits::WASM_BYTES)
                    .await
                    .map_err(remote::failed("pull the Wasm"))?,
            ),
            None => None,
        };
        let content = single(&manifest, config.as_deref(), layer.as_deref());
        Ok(Self {
            name,
            origin,
            manifest,
            config,
            layer,
            content,
        })
    }

    /// How it was named on the command line.
    pub(crate) fn place(&self) -> &str {
        &self.name
    }

    /// How it was named on the command line, in backticks.
    pub(crate) fn name(&self) -> String {
        format!("`{}`", self.name)
    }

    pub(crate) fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What the bytes are, for a policy and for people.
    pub(crate) fn content(&self) -> Content {
        self.content.clone()
    }

    /// What the bytes import and export, where they are Wasm that can be read.
    pub(crate) fn inspection(&self) -> Result<Inspection, Failure> {
        let words = match self.content() {
            Content::Wasm { inspection, .. } => return Ok(*inspection),
            Content::Unreadable { reason } => {
                format!(
                    "{} is not Wasm that can be inspected: {reason}",
                    self.name()
                )
            }
            Content::Image { .. } | Content::Attachment | Content::Other => {
                format!("{} is not a Wasm artifact", self.name())
            }
        };
        Err(Failure::new(Kind::Input, words))
    }

    /// The types of the functions that it imports and exports.
    pub(crate) fn function_types(&self, inspection: &Inspection) -> Result<FunctionTypes, Failure> {
        let bytes = self.layer.as_deref().unwrap_or_default();
        FunctionTypes::of(bytes, inspection).map_err(|error| {
            let what = format!("failed to read the types of {}", self.name());
            Failure::caused(Kind::Input, &what, &error)
        })
    }

    /// The Wasm itself, where it can be read.
    pub(crate) fn wasm(&self) -> Result<&[u8], Failure> {
        self.inspection()?;
        Ok(self.layer.as_deref().unwrap_or_default())
    }

    /// The manifest's digest, when the manifest is more than a draft.
    pub(crate) fn pushed_digest(&self) -> Option<Digest> {
        (!matches!(self.origin, Origin::Packed)).then(|| self.manifest.digest())
    }

    /// Where it is, or where it would be pushed by its name.
    pub(crate) fn repository(&self) -> Result<RepositoryName, Failure> {
        if let Origin::Registry(reference) = &self.origin {
            return Ok(reference.repository().clone());
        }
        let path = std::path::Path::new(&self.name);
        let stem = path
            .file_stem()
            .map_or_else(String::new, |stem| stem.to_string_lossy().to_lowercase());
        stem.parse().map_err(|error| {
            Failure::caused(
                Kind::Usage,
                &format!("{} gives no repository name", self.name()),
                &error,
            )
            .hint("say which repository it is meant for with `--repository NAME`")
        })
    }

    /// What goes over the wire.
    pub(crate) fn to_push(&self) -> Push {
        let parts = self
            .manifest
            .config()
            .into_iter()
            .chain(self.manifest.layers());
        let blobs = parts.filter_map(|part| Some((part.clone(), self.blob(&part.digest)?)));
        Push {
            manifest: self.manifest.bytes().to_vec().into(),
            media_type: self.manifest.media_type().to_owned(),
            blobs: blobs.collect(),
        }
    }

    /// A blob of a layout is read from its file while it is sent; that of a packed file is
    /// in memory.
    fn blob(&self, digest: &Digest) -> Option<BlobSource> {
        if let Origin::Layout(layout) = &self.origin {
            return Some(BlobSource::File(layout.blob_path(digest)));
        }
        let is_config = self
            .manifest
            .config()
            .is_some_and(|config| config.digest == *digest);
        let bytes = if is_config { &self.config } else { &self.layer };
        Some(BlobSource::Bytes(bytes.clone()?.into()))
    }

    /// Refuses what claims to be Wasm and is not, before anything is sent.
    pub(crate) fn expect_readable(&self) -> Result<(), Failure> {
        match self.content() {
            Content::Unreadable { reason } => Err(Failure::new(
                Kind::Input,
                format!("{} is not Wasm that can be pushed: {reason}", self.name()),
            )),
            _ => Ok(()),
        }
    }
}

/// What one Wasm in one layer is.
fn single(manifest: &Manifest, config: Option<&[u8]>, layer: Option<&[u8]>) -> Content {
    // Where it cannot be told how many there are, one will do.
    let threads = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let layer = layer.map(|bytes| Wasm::Whole(bytes, threads));
    Content::embedded(manifest).unwrap_or_else(|| Content::gather(manifest, config, layer))
}
