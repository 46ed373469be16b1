//! The way through one layer: into what is compressed, through archives, to each Wasm.

use std::io::{self, Cursor, Read};

use wasmport_artifact::{Inspection, with_causes};

use super::expand::{Budget, fill, fill_some, gzip, zstandard};
use super::form::{BEGINNING, Form};
use super::header::{BLOCK, Header, Sparse};
use super::pax::{self, Pax};
use super::text::wasm_text;
use super::{LayerFacts, limits};
use crate::facts::{InnerWasm, Wasm};

/// Where eStargz has the names of files, and where in the layer each begins: in the middle of another,
/// for all that the archive says.
const TABLE: &[u8] = b"stargz.index.json";

/// The walk through one layer.
pub(super) struct Walk<'a> {
    pub(super) budget: &'a Budget,
    pub(super) found: &'a mut LayerFacts,
}

/// Where in the layer something is.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) path: String,
    /// In how many compressed files and archives.
    pub(super) depth: usize,
}

/// What headers said about the entry that comes next.
#[derive(Default)]
struct Announced {
    pax: Option<Pax>,
    long_path: Option<Vec<u8>>,
    has_long_link: bool,
}

impl Walk<'_> {
    /// Looks at a file whatever it is, and gives its form, or that of what it is around. An
    /// error is about the file as a whole: it could not be read to its end.
    pub(super) fn look_at(&mut self, place: &Place, source: &mut dyn Read) -> Result<Form, String> {
        let mut beginning = [0; BEGINNING];
        let (length, read) = fill_some(source, &mut beginning);
        let beginning = beginning.get(..length).unwrap_or_default();
        let mut form = Form::recognise(beginning);
        if let Err(error) = read {
            let reason = with_causes(&error);
            if form != Form::Wasm {
                return Err(reason);
            }
            self.found.unreadable(&place.path, reason);
            return Ok(form);
        }
        if place.path.is_empty() && length == BLOCK && beginning.iter().all(|byte| *byte == 0) {
            // An archive without entries: a layer in which nothing changed.
            form = Form::Tar;
        }
        let mut source = Cursor::new(beginning).chain(source);
        if form == Form::Plain {
            let text = wasm_text(&mut source).map_err(|error| with_causes(&error))?;
            form = text.map_or(form, Form::Closed);
        }
        let inner = Place {
            path: place.path.clone(),
            depth: place.depth + 1,
        };
        if matches!(form, Form::Gzip | Form::Zstandard | Form::Tar) && inner.depth > limits::NESTING
        {
            return Err(format!("it is over {} archives deep", limits::NESTING));
        }
        match form {
            Form::Wasm => self.wasm(place, &mut source),
            Form::Closed(what) => self.unseen(&place.path, what.to_owned()),
            Form::Gzip => return self.look_at(&inner, &mut gzip(&mut source, self.budget)),
            Form::Zstandard => {
                return self.look_at(&inner, &mut zstandard(&mut source, self.budget));
            }
            Form::Tar => self.archive(&inner, &mut source)?,
            Form::Empty | Form::Plain => {}
        }
        Ok(form)
    }

    /// What begins as Wasm is judged, or it is known why it cannot be.
    fn wasm(&mut self, place: &Place, source: &mut dyn Read) {
        match self.inspect(source) {
            Ok(inspection) => self.found.wasm.push(InnerWasm {
                layer: self.found.layer.clone(),
                path: place.path.clone(),
                inspection,
            }),
            Err(reason) => self.found.unreadable(&place.path, reason),
        }
    }

    fn inspect(&mut self, source: &mut dyn Read) -> Result<Inspection, String> {
        if self.found.wasm.len() >= limits::WASM_FILES {
            return Err(format!("there are over {} Wasm files", limits::WASM_FILES));
        }
        let inspection = Wasm::Stream(source).inspect()?;
        let size = serde_json::to_vec(&inspection).map_or(usize::MAX, |json| json.len());
        let json_bytes = self.found.json_bytes.saturating_add(size);
        if json_bytes > limits::FACTS_BYTES {
            return Err("there is too much to say about the Wasm files".to_owned());
        }
        self.found.json_bytes = json_bytes;
        Ok(inspection)
    }

    /// The entries of an archive, and that nothing comes after them.
    fn archive(&mut self, place: &Place, source: &mut dyn Read) -> Result<(), String> {
        let mut announced = Announced::default();
        while let Some(block) = block(source)? {
            if block.iter().all(|byte| *byte == 0) {
                return only_zeros(source);
            }
            self.budget.enter()?;
            let header = Header::parse(&block)?;
            if header.is_about_another() {
                announced.take_up(&header, source)?;
            } else {
                self.entry(place, header, std::mem::take(&mut announced), source)?;
            }
        }
        Ok(())
    }

    fn entry(
        &mut self,
        place: &Place,
        mut header: Header,
        said: Announced,
        source: &mut dyn Read,
    ) -> Result<(), String> {
        let pax = said.pax.unwrap_or_default();
        let mut names = pax.path.into_iter().chain(said.long_path);
        if let Some(name) = names.next() {
            if names.any(|other| other != name) {
                return Err("an entry has two names".to_owned());
            }
            header.path = name;
        }
        let path = shown(&place.path, &header.path)?;
        if pax.size.is_some_and(|size| size != header.size) {
            return Err(format!("the entry `{path}` has two sizes"));
        }
        if header.has_no_content() || header.path.is_empty() {
            return match header.size {
                0 => Ok(()),
                _ => Err(format!(
                    "the entry `{path}` has a size and can have no content"
                )),
            };
        }
        let is_sparse = header.kind == b'S' || pax.is_sparse;
        if header.kind == b'S' {
            skip_map(&header, source)?;
        }
        if is_sparse {
            // What is stored is not what the file begins with, unless somebody takes it so.
            self.unseen(&path, "it is a sparse file".to_owned());
        } else if header.kind == b'M' {
            self.unseen(&path, "it continues a file of another archive".to_owned());
        }
        if header.path.strip_prefix(b"./").unwrap_or(&header.path) == TABLE {
            let reason = "it is a table of contents, by which some clients find other files";
            self.unseen(&path, reason.to_owned());
        }
        let inner = Place {
            path,
            depth: place.depth,
        };
        let mut content = source.take(header.size);
        if let Err(reason) = self.look_at(&inner, &mut content) {
            self.unseen(&inner.path, reason);
        }
        finish(&mut content, header.size)
    }

    pub(super) fn unseen(&mut self, path: &str, reason: String) {
        self.found.unseen(path, reason);
    }
}

impl Announced {
    /// Takes up a header that is about the next entry, or about all. What readers do when
    /// there are two of a kind, or in which order they apply, is different.
    fn take_up(&mut self, header: &Header, source: &mut dyn Read) -> Result<(), String> {
        let content = special(header, source)?;
        let has_size = self.pax.as_ref().is_some_and(|pax| pax.size.is_some());
        let is_first = match header.kind {
            // Go's reader forgets what was said before it, and ignores what it says itself.
            b'g' => self.is_empty(),
            b'x' => self.pax.is_none(),
            b'L' => self.long_path.is_none(),
            b'K' => !self.has_long_link,
            _ => false,
        };
        if has_size || !is_first || !header.has_magic {
            return Err("what is said about an entry is ambiguous".to_owned());
        }
        match header.kind {
            b'L' => self.long_path = Some(long_path(content)?),
            b'K' => self.has_long_link = true,
            kind => {
                let mut pax = Pax::default();
                pax.take_up(&content)?;
                if kind == b'x' {
                    self.pax = Some(pax);
                } else if pax != Pax::default() {
                    return Err("paths and sizes of all entries are ambiguous".to_owned());
                }
            }
        }
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.pax.is_none() && self.long_path.is_none() && !self.has_long_link
    }
}

/// Skips the blocks that say where the parts of a sparse file belong.
fn skip_map(header: &Header, source: &mut dyn Read) -> Result<(), String> {
    let mut sparse = header.sparse;
    while sparse == Sparse::Extended {
        let extension = block(source)?.ok_or("it ends within an entry")?;
        sparse = extension.get(504).copied().map_or(sparse, Sparse::of);
    }
    match sparse {
        Sparse::Ambiguous => Err("the map of a sparse file is ambiguous".to_owned()),
        _ => Ok(()),
    }
}

/// Up to the NULs at its end.
fn long_path(mut content: Vec<u8>) -> Result<Vec<u8>, String> {
    while content.last() == Some(&0) {
        content.pop();
    }
    pax::path(&content)
}

/// Reads what is left of an entry, and what fills it up.
fn finish(content: &mut io::Take<&mut dyn Read>, size: u64) -> Result<(), String> {
    io::copy(content, &mut io::sink()).map_err(|error| with_causes(&error))?;
    if content.limit() > 0 {
        return Err("it ends within an entry".to_owned());
    }
    let padding = size.next_multiple_of(BLOCK as u64) - size;
    let mut padding = content.get_mut().take(padding);
    io::copy(&mut padding, &mut io::sink()).map_err(|error| with_causes(&error))?;
    // A last entry that is not filled up is cut by nobody.
    Ok(())
}

/// The content of a header that is about another entry.
fn special(header: &Header, source: &mut dyn Read) -> Result<Vec<u8>, String> {
    if header.size > limits::SPECIAL_BYTES {
        return Err(format!("an extended header has {} bytes", header.size));
    }
    let mut content = source.take(header.size);
    let mut bytes = Vec::new();
    content
        .read_to_end(&mut bytes)
        .map_err(|error| with_causes(&error))?;
    finish(&mut content, header.size)?;
    Ok(bytes)
}

/// The next block; none at the end.
fn block(source: &mut dyn Read) -> Result<Option<[u8; BLOCK]>, String> {
    let mut block = [0; BLOCK];
    match fill(source, &mut block).map_err(|error| with_causes(&error))? {
        0 => Ok(None),
        BLOCK => Ok(Some(block)),
        _ => Err("it ends within a header".to_owned()),
    }
}

/// Behind a block of zeros some readers stop, and others go on.
fn only_zeros(source: &mut dyn Read) -> Result<(), String> {
    let mut buffer = [0; 8192];
    loop {
        let count = fill(source, &mut buffer).map_err(|error| with_causes(&error))?;
        let read = buffer.get(..count).unwrap_or_default();
        if read.iter().any(|byte| *byte != 0) {
            return Err("there is something behind the end of the archive".to_owned());
        }
        if count < buffer.len() {
            return Ok(());
        }
    }
}

/// The path as it may be shown: short enough, and without control characters.
fn shown(outer: &str, path: &[u8]) -> Result<String, String> {
    let path = String::from_utf8_lossy(path);
    let mut text = outer.to_owned();
    if !outer.is_empty() {
        text.push('!');
    }
    for character in path.chars() {
        if character.is_control() {
            text.extend(character.escape_default());
        } else {
            text.push(character);
        }
    }
    if text.len() > limits::PATH_BYTES {
        return Err(format!("a path has {} bytes", text.len()));
    }
    Ok(text)
}
