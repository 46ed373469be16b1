//! The way through one layer: into what is compressed, through archives, to each Wasm.

use std::io::{self, Cursor, Read};
use std::num::NonZeroUsize;

use wasmport_artifact::{examine, with_causes};

use super::expand::{Budget, fill, gzip, zstandard};
use super::form::{BEGINNING, Form};
use super::header::{BLOCK, Header};
use super::pax::Pax;
use super::{LayerFacts, limits};
use crate::facts::InnerWasm;

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
    pax: Pax,
    long_path: Option<Vec<u8>>,
}

impl Walk<'_> {
    /// Looks at a file whatever it is, and gives its form, or that of what it is around. An
    /// error is about the file as a whole: it could not be read to its end.
    pub(super) fn look_at(&mut self, place: &Place, source: &mut dyn Read) -> Result<Form, String> {
        let mut beginning = [0; BEGINNING];
        let length = fill(source, &mut beginning).map_err(|error| with_causes(&error))?;
        let beginning = beginning.get(..length).unwrap_or_default();
        let mut form = Form::recognise(beginning);
        if place.path.is_empty() && length == BLOCK && beginning.iter().all(|byte| *byte == 0) {
            // An archive without entries: a layer in which nothing changed.
            form = Form::Tar;
        }
        let mut source = Cursor::new(beginning).chain(source);
        let inner = Place {
            path: place.path.clone(),
            depth: place.depth + 1,
        };
        if matches!(form, Form::Gzip | Form::Zstandard | Form::Tar) && inner.depth > limits::NESTING
        {
            return Err(format!("it is over {} archives deep", limits::NESTING));
        }
        match form {
            Form::Wasm => self.wasm(place, &mut source)?,
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

    fn wasm(&mut self, place: &Place, source: &mut dyn Read) -> Result<(), String> {
        if self.found.wasm.len() >= limits::WASM_FILES {
            return Err(format!("there are over {} Wasm files", limits::WASM_FILES));
        }
        let mut bytes = Vec::new();
        let mut limited = source.take(limits::WASM_BYTES + 1);
        let read = limited.read_to_end(&mut bytes);
        read.map_err(|error| with_causes(&error))?;
        if bytes.len() as u64 > limits::WASM_BYTES {
            let most = limits::WASM_BYTES;
            return Err(format!("it is Wasm of over {most} bytes"));
        }
        let inspection = examine(&bytes, NonZeroUsize::MIN).map_err(|error| with_causes(&error))?;
        let size = serde_json::to_vec(&inspection).map_or(usize::MAX, |json| json.len());
        self.found.json_bytes = self.found.json_bytes.saturating_add(size);
        if self.found.json_bytes > limits::FACTS_BYTES {
            return Err("there is too much to say about the Wasm files".to_owned());
        }
        self.found.wasm.push(InnerWasm {
            layer: self.found.layer.clone(),
            path: place.path.clone(),
            inspection,
        });
        Ok(())
    }

    /// The entries of an archive, and that nothing comes after them.
    fn archive(&mut self, place: &Place, source: &mut dyn Read) -> Result<(), String> {
        let mut announced = Announced::default();
        let mut global = Pax::default();
        while let Some(block) = block(source)? {
            if block.iter().all(|byte| *byte == 0) {
                return only_zeros(source);
            }
            self.budget.enter()?;
            let header = Header::parse(&block)?;
            match header.kind {
                b'x' | b'X' => announced.pax.take_up(&special(&header, source)?)?,
                b'g' => global.take_up(&special(&header, source)?)?,
                b'L' => announced.long_path = Some(special(&header, source)?),
                b'K' => drop(special(&header, source)?),
                _ => {
                    let said = std::mem::take(&mut announced);
                    self.entry(place, header, said, &global, source)?;
                }
            }
        }
        Ok(())
    }

    fn entry(
        &mut self,
        place: &Place,
        mut header: Header,
        said: Announced,
        global: &Pax,
        source: &mut dyn Read,
    ) -> Result<(), String> {
        if let Some(path) = said.pax.path.or(said.long_path).or(global.path.clone()) {
            header.path = path;
        }
        let path = shown(&place.path, &header.path)?;
        let sizes = [said.pax.size, global.size];
        if sizes.into_iter().flatten().any(|size| size != header.size) {
            return Err(format!("the entry `{path}` has two sizes"));
        }
        if header.has_no_content() {
            return match header.size {
                0 => Ok(()),
                _ => Err(format!(
                    "the entry `{path}` has a size and can have no content"
                )),
            };
        }
        let is_sparse = header.kind == b'S' || said.pax.is_sparse || global.is_sparse;
        let mut has_more = header.kind == b'S' && header.is_extended;
        while has_more {
            let extension = block(source)?.ok_or("it ends within an entry")?;
            has_more = extension.get(504).is_some_and(|flag| *flag != 0);
        }
        let mut content = source.take(header.size);
        if is_sparse {
            // What is stored is not what the file begins with.
            self.unseen(&path, "it is a sparse file".to_owned());
        } else if header.kind == b'M' {
            self.unseen(&path, "it continues a file of another archive".to_owned());
        } else {
            let inner = Place {
                path: path.clone(),
                depth: place.depth,
            };
            if let Err(reason) = self.look_at(&inner, &mut content) {
                self.unseen(&path, reason);
            }
        }
        finish(&mut content, header.size)
    }

    pub(super) fn unseen(&mut self, path: &str, reason: String) {
        self.found.unseen(path, reason);
    }
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
    if header.kind == b'L' {
        let end = bytes.iter().position(|byte| *byte == 0);
        bytes.truncate(end.unwrap_or(bytes.len()));
    }
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
