//! What a client was told, and so what must be true after a crash.

use std::collections::BTreeMap;

use wasmport_artifact::Digest;

/// Something that is there with a value, or is not there.
#[derive(Clone, Debug)]
pub(crate) struct Register<T> {
    /// What was acknowledged last.
    settled: Option<T>,
    /// What was asked for since and not answered: each of it may have happened.
    open: Vec<Option<T>>,
    /// True when something happened since the last check.
    pub(crate) is_hot: bool,
}

/// All that one client knows of its repository.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) blobs: BTreeMap<Digest, Register<()>>,
    pub(crate) manifests: BTreeMap<Digest, Register<()>>,
    pub(crate) tags: BTreeMap<String, Register<Digest>>,
    pub(crate) sessions: Vec<Session>,
}

/// An upload that is under way.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) location: String,
    pub(crate) bytes: Vec<u8>,
    /// So many bytes were acknowledged.
    pub(crate) acknowledged: usize,
    /// So many were sent at most.
    pub(crate) sent: usize,
    /// True when its end was asked for, and not answered.
    pub(crate) may_be_done: bool,
}

impl<T> Default for Register<T> {
    fn default() -> Self {
        Self {
            settled: None,
            open: Vec::new(),
            is_hot: false,
        }
    }
}

impl<T: PartialEq> Register<T> {
    /// It will be asked for this.
    pub(crate) fn begin(&mut self, value: Option<T>) {
        self.open.push(value);
        self.is_hot = true;
    }

    /// What was asked for last was done.
    pub(crate) fn done(&mut self) {
        if let Some(value) = self.open.pop() {
            self.settle(value);
        }
    }

    /// This is so, and nothing is open.
    pub(crate) fn settle(&mut self, value: Option<T>) {
        self.settled = value;
        self.open.clear();
    }

    pub(crate) fn allows(&self, value: Option<&T>) -> bool {
        self.settled.as_ref() == value || self.open.iter().any(|open| open.as_ref() == value)
    }

    /// What it surely is.
    pub(crate) fn sure(&self) -> Option<&T> {
        self.settled.as_ref().filter(|_| self.open.is_empty())
    }
}

impl Ledger {
    /// Manifests that are surely there.
    pub(crate) fn sure_manifests(&self) -> Vec<Digest> {
        let sure = self.manifests.iter();
        sure.filter(|(_, register)| register.sure().is_some())
            .map(|(digest, _)| digest.clone())
            .collect()
    }

    /// A manifest goes away, and the tags that point to it with it.
    pub(crate) fn begin_delete(&mut self, manifest: &Digest) {
        if let Some(register) = self.manifests.get_mut(manifest) {
            register.begin(None);
        }
        for tag in self.tags_of(manifest) {
            tag.begin(None);
        }
    }

    pub(crate) fn end_delete(&mut self, manifest: &Digest) {
        for tag in self.tags_of(manifest) {
            tag.done();
        }
        if let Some(register) = self.manifests.get_mut(manifest) {
            register.done();
        }
    }

    fn tags_of(&mut self, manifest: &Digest) -> impl Iterator<Item = &mut Register<Digest>> {
        let tags = self.tags.values_mut();
        tags.filter(move |tag| tag.allows(Some(manifest)))
    }
}
