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
mod walk;

use std::cmp::Ordering;
use std::io::Read;

use wasmport_artifact::{Descriptor, Digest, Manifest, media_type};

use super::attached::is_about_another;
use super::{Content, InnerWasm, Unseen};
use expand::Budget;
use form::Form;
use walk::{Place, Walk};

/// Looks through the layers of one image, one after the other.
#[derive(Debug, Default)]
pub struct ImageSurvey {
    budget: Budget,
    wasm: Vec<InnerWasm>,
    unseen: Vec<Unseen>,
    json_bytes: usize,
    has_archive: bool,
}

/// What one layer holds. It is the same in every image, and may be kept.
#[derive(Clone, Debug)]
pub struct LayerFacts {
    layer: Digest,
    wasm: Vec<InnerWasm>,
    unseen: Vec<Unseen>,
    json_bytes: usize,
    packed: u64,
    expanded: u64,
    entries: u64,
    is_cut: bool,
    is_archive: bool,
}

impl ImageSurvey {
    /// Looks through a layer or a config as far as the limits for an image allow, and takes up what is in
    /// it. The caller has checked the digest of `bytes`.
    pub fn look_through(&mut self, layer: &Descriptor, bytes: &mut dyn Read) -> LayerFacts {
        let before = self.budget.clone();
        self.budget.packed.set(before.packed.get() + layer.size);
        let mut found = LayerFacts {
            layer: layer.digest.clone(),
            wasm: Vec::new(),
            unseen: Vec::new(),
            json_bytes: 0,
            packed: layer.size,
            expanded: 0,
            entries: 0,
            is_cut: false,
            is_archive: false,
        };
        let mut walk = Walk {
            budget: &self.budget,
            found: &mut found,
        };
        let place = Place {
            path: String::new(),
            depth: 0,
        };
        match walk.look_at(&place, bytes) {
            Err(reason) => walk.unseen("", reason),
            Ok(Form::Plain) => {
                if let Some(reason) = should_be(layer) {
                    walk.unseen("", reason);
                }
            }
            Ok(form) => found.is_archive = form == Form::Tar,
        }
        found.expanded = self.budget.expanded.get() - before.expanded.get();
        found.entries = self.budget.entries.get() - before.entries.get();
        found.is_cut = self.budget.is_spent();
        self.keep(&found);
        found
    }

    /// Takes up what was found in a layer before.
    pub fn take_up(&mut self, layer: &LayerFacts) {
        let add = |cell: &std::cell::Cell<u64>, more: u64| {
            cell.set(cell.get().saturating_add(more));
        };
        add(&self.budget.packed, layer.packed);
        add(&self.budget.expanded, layer.expanded);
        add(&self.budget.entries, layer.entries);
        self.keep(layer);
    }

    /// Notes a layer or a config that is not there to be looked through.
    pub fn miss(&mut self, blob: &Descriptor) {
        let reason = "it is not here".to_owned();
        note(&mut self.unseen, &blob.digest, "", reason);
    }

    /// What `manifest` carries, whose config and layers were all looked through or missed. A
    /// list of parts or a test report that is compressed stays what it is: words about
    /// something else. An archive is more than words, though.
    pub fn finish(self, manifest: &Manifest) -> Content {
        if self.wasm.is_empty() && self.unseen.is_empty() {
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
            unseen: self.unseen,
        }
    }

    fn keep(&mut self, layer: &LayerFacts) {
        self.has_archive |= layer.is_archive;
        self.json_bytes = self.json_bytes.saturating_add(layer.json_bytes);
        let is_too_much = self.json_bytes > limits::FACTS_BYTES
            || self.wasm.len() + layer.wasm.len() > limits::WASM_FILES;
        if is_too_much {
            let reason = "the image has more Wasm than is looked at".to_owned();
            note(&mut self.unseen, &layer.layer, "", reason);
        } else {
            self.wasm.extend(layer.wasm.iter().cloned());
        }
        for unseen in &layer.unseen {
            let reason = unseen.reason.clone();
            note(&mut self.unseen, &layer.layer, &unseen.path, reason);
        }
    }
}

impl LayerFacts {
    /// Whether the layer alone decided what was found, and not what other layers of the image
    /// had left of the limits.
    pub fn is_complete(&self) -> bool {
        !self.is_cut
    }

    /// True when there is neither Wasm in it nor anything that could not be looked into.
    pub fn is_plain(&self) -> bool {
        self.wasm.is_empty() && self.unseen.is_empty()
    }

    /// About how many bytes of memory it takes.
    pub fn weight(&self) -> usize {
        let unseen = self.unseen.iter();
        let unseen =
            unseen.map(|unseen| size_of::<Unseen>() + unseen.path.len() + unseen.reason.len());
        // Names take more in memory than in JSON.
        400 + 4 * self.json_bytes + unseen.sum::<usize>()
    }

    fn unseen(&mut self, path: &str, reason: String) {
        note(&mut self.unseen, &self.layer, path, reason);
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

fn note(unseen: &mut Vec<Unseen>, layer: &Digest, path: &str, reason: String) {
    let (path, reason) = match unseen.len().cmp(&(limits::UNSEEN - 1)) {
        Ordering::Less => (path, reason),
        Ordering::Equal => ("", "there is more that was not looked into".to_owned()),
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
