//! Images of another kind that carry Wasm: each layer is looked through, into compressed data
//! and archives, for files that begin as Wasm does.
//!
//! What cannot be looked into is a fact of its own, since a runtime may be able to. Nothing is
//! held in memory but one Wasm at a time.

mod expand;
mod form;
mod header;
mod limits;
mod pax;
mod tail;
mod text;
mod walk;

use std::cmp::Ordering;
use std::io::Read;

use wasmport_artifact::{Descriptor, Digest, Manifest, media_type};

use super::attached::is_about_another;
use super::{Content, InnerWasm, Unseen};
use expand::Budget;
use form::Form;
use tail::Tail;
use walk::{Place, Walk};

/// Beginnings of annotations with which clients that pull lazily find a table of contents, and trust it:
/// that of eStargz (stargz-snapshotter, `docs/estargz.md`) and that of zstd:chunked (containers/storage).
const TABLES: [&str; 4] = [
    "containerd.io/snapshot/stargz/",
    "org.opencontainers.image.toc.",
    "io.containers.zstd-chunked.",
    "io.github.containers.zstd-chunked.",
];

/// Why a layer with such a table was not seen.
const TABLE: &str = "some clients read it by a table of contents, which may name other files";

/// How much of each layer is looked through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerLimits {
    /// How many bytes one layer may expand to.
    pub expanded_bytes: u64,
}

/// Looks through the layers of one image, one after the other.
#[derive(Debug, Default)]
pub struct ImageSurvey {
    limits: LayerLimits,
    expanded: u64,
    entries: u64,
    wasm: Vec<InnerWasm>,
    unreadable: Vec<Unseen>,
    unseen: Vec<Unseen>,
    json_bytes: usize,
    has_archive: bool,
}

/// What one layer holds. Its bytes and the limits decide it alone, so it is the same in every
/// image, under every media type, and may be kept.
#[derive(Clone, Debug)]
pub struct LayerFacts {
    layer: Digest,
    form: Option<Form>,
    wasm: Vec<InnerWasm>,
    unreadable: Vec<Unseen>,
    unseen: Vec<Unseen>,
    json_bytes: usize,
    expanded: u64,
    entries: u64,
}

impl Default for LayerLimits {
    fn default() -> Self {
        Self {
            expanded_bytes: limits::LAYER_BYTES,
        }
    }
}

impl LayerFacts {
    /// Looks through the layer with this digest and size as far as `limits` allow. The caller
    /// has checked the digest of `bytes`, and knows whether all of them could be read.
    pub fn of(layer: &Digest, size: u64, bytes: &mut dyn Read, limits: LayerLimits) -> Self {
        let budget = Budget::new(size, limits.expanded_bytes);
        let mut found = Self {
            layer: layer.clone(),
            form: None,
            wasm: Vec::new(),
            unreadable: Vec::new(),
            unseen: Vec::new(),
            json_bytes: 0,
            expanded: 0,
            entries: 0,
        };
        let mut walk = Walk {
            budget: &budget,
            found: &mut found,
        };
        let place = Place {
            path: String::new(),
            depth: 0,
        };
        let mut bytes = Tail::new(bytes);
        let form = walk.look_at(&place, &mut bytes);
        if bytes.announces_table().is_ok_and(|announced| announced) {
            walk.unseen("", TABLE.to_owned());
        }
        match form {
            Err(reason) => walk.unseen("", reason),
            Ok(form) => found.form = Some(form),
        }
        found.expanded = budget.expanded();
        found.entries = budget.entries();
        found
    }

    /// Whether it is an archive, compressed or not.
    fn is_archive(&self) -> bool {
        self.form == Some(Form::Tar)
    }

    /// About how many bytes of memory it takes.
    pub fn weight(&self) -> usize {
        let unseen = self.unseen.iter().chain(&self.unreadable);
        let unseen =
            unseen.map(|unseen| size_of::<Unseen>() + unseen.path.len() + unseen.reason.len());
        // Names take more in memory than in JSON.
        400 + 4 * self.json_bytes + unseen.sum::<usize>()
    }

    fn unseen(&mut self, path: &str, reason: String) {
        note(&mut self.unseen, &self.layer, path, reason);
    }

    fn unreadable(&mut self, path: &str, reason: String) {
        note(&mut self.unreadable, &self.layer, path, reason);
    }
}

impl ImageSurvey {
    /// Within these limits for each layer, and a few times as much for all of them.
    pub fn new(limits: LayerLimits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// Looks through a layer and takes up what is in it. The caller has checked the digest of
    /// `bytes`.
    pub fn look_through(&mut self, layer: &Descriptor, bytes: &mut dyn Read) {
        if self.is_spent() {
            self.pass_over(layer);
        } else {
            let found = LayerFacts::of(&layer.digest, layer.size, bytes, self.limits);
            self.take_up(layer, &found);
        }
    }

    /// True when the layers that come now are not looked through any more.
    pub fn is_spent(&self) -> bool {
        self.expanded > self.limits.expanded_bytes.saturating_mul(limits::LAYERS)
            || self.entries > limits::ENTRIES * limits::LAYERS
    }

    /// True when there was neither Wasm nor anything that could not be looked into.
    pub(super) fn is_plain(&self) -> bool {
        self.wasm.is_empty() && self.unreadable.is_empty() && self.unseen.is_empty()
    }

    /// Says of a layer that it is too much.
    pub fn pass_over(&mut self, layer: &Descriptor) {
        let reason = "the layers before it are all that is looked through of an image".to_owned();
        note(&mut self.unseen, &layer.digest, "", reason);
    }

    /// Notes a layer or a config that is not there to be looked through.
    pub fn miss(&mut self, blob: &Descriptor) {
        self.leave_out(blob, "it is not here");
    }

    /// Notes a layer or a config that is not looked through, and why, as a fragment of a sentence.
    pub fn leave_out(&mut self, blob: &Descriptor, reason: &str) {
        note(&mut self.unseen, &blob.digest, "", reason.to_owned());
    }

    /// Takes up what was found in a layer or a config.
    pub fn take_up(&mut self, layer: &Descriptor, found: &LayerFacts) {
        self.has_archive |= found.is_archive();
        self.expanded = self.expanded.saturating_add(found.expanded);
        self.entries = self.entries.saturating_add(found.entries);
        self.json_bytes = self.json_bytes.saturating_add(found.json_bytes);
        let is_too_much = self.json_bytes > limits::FACTS_BYTES
            || self.wasm.len() + found.wasm.len() > limits::WASM_FILES;
        if is_too_much {
            let reason = "the image has more Wasm than is looked at".to_owned();
            note(&mut self.unreadable, &found.layer, "", reason);
        } else {
            self.wasm.extend(found.wasm.iter().cloned());
        }
        add(&mut self.unreadable, &found.unreadable);
        add(&mut self.unseen, &found.unseen);
        let has_table = |key: &String| TABLES.iter().any(|table| key.starts_with(table));
        if layer.annotations.keys().any(has_table) {
            note(&mut self.unseen, &found.layer, "", TABLE.to_owned());
        }
        if found.form == Some(Form::Plain)
            && let Some(reason) = should_be(layer)
        {
            note(&mut self.unseen, &found.layer, "", reason);
        }
    }

    /// What `manifest` carries, whose config and layers were all looked through or missed. A
    /// list of parts or a test report that is compressed stays what it is: words about
    /// something else. An archive is more than words, though.
    pub fn finish(self, manifest: &Manifest) -> Content {
        if self.is_plain() {
            if !self.has_archive && is_about_another(manifest) {
                return Content::Attachment;
            }
            // Of a manifest that nobody knows it is not known either what it names.
            if !manifest.is_image() {
                return Content::Other;
            }
        }
        Content::Image {
            wasm: self.wasm,
            unreadable: self.unreadable,
            unseen: self.unseen,
        }
    }
}

impl Content {
    /// True when `manifest` is one Wasm in one layer, or says that it is: the artifact that
    /// clients of Wasm make, and older forms of it. Its layer is read as a whole, and other
    /// manifests are looked through as images.
    pub fn is_single(manifest: &Manifest) -> bool {
        let is_config = |kind: &str| media_type::is_wasm_config(kind);
        let config = manifest.config().map(|config| config.media_type.as_str());
        manifest.artifact_type().is_some_and(is_config)
            || config.is_some_and(is_config)
            || (manifest.layers().len() == 1 && manifest.wasm_layers().next().is_some())
    }
}

/// Why a layer that is no archive and no Wasm should be one, by its media type.
fn should_be(layer: &Descriptor) -> Option<String> {
    let kind = layer.media_type.to_ascii_lowercase();
    if media_type::is_wasm_layer(&kind) {
        return Some(format!(
            "its media type is `{kind}`, and it is no WebAssembly"
        ));
    }
    let is_archive = [".tar", "+tar", ".image.layer.", ".image.rootfs."];
    let is_archive = is_archive.iter().any(|part| kind.contains(part));
    is_archive.then(|| format!("its media type is `{kind}`, and it is no archive"))
}

fn add(all: &mut Vec<Unseen>, more: &[Unseen]) {
    for one in more {
        note(all, &one.layer, &one.path, one.reason.clone());
    }
}

fn note(unseen: &mut Vec<Unseen>, layer: &Digest, path: &str, reason: String) {
    let (path, reason) = match unseen.len().cmp(&(limits::UNSEEN - 1)) {
        Ordering::Less => (path, reason),
        Ordering::Equal => ("", "there is more of the kind".to_owned()),
        Ordering::Greater => return,
    };
    unseen.push(Unseen {
        layer: layer.clone(),
        path: path.to_owned(),
        reason,
    });
}

#[cfg(test)]
mod tests;
