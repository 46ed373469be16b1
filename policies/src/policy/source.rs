//! The text of a policy file, and places in it.

use std::ops::Range;

use wasmport_artifact::Digest;

use crate::finding::Place;

/// How many bytes of a text are counted together. A place in a line is found by counting the
/// characters of one block only, however long the line is.
const BLOCK: usize = 1024;

/// A named text.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) file: String,
    pub(crate) text: String,
    /// Where each line begins, in bytes.
    lines: Vec<usize>,
    /// How many characters are before each block of bytes.
    characters: Vec<usize>,
}

impl Source {
    /// A text with this name. What places are found by is counted once.
    pub(crate) fn new(file: String, text: String) -> Self {
        let newlines = text.bytes().enumerate();
        let newlines = newlines.filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(newlines.map(|(at, _)| at + 1));
        let mut before = 0;
        let characters = text.as_bytes().chunks(BLOCK).map(|block| {
            let own = before;
            before += count(block);
            own
        });
        Self {
            lines: lines.collect(),
            characters: characters.collect(),
            file,
            text,
        }
    }

    /// The place of a range of bytes. For one over several lines, such as a list, it is
    /// the whole first line: the bracket alone would say little.
    pub(crate) fn place(&self, span: &Range<usize>) -> Place {
        let start = span.start.min(self.text.len());
        let number = self.lines.partition_point(|line| *line <= start);
        let line_start = number.checked_sub(1).and_then(|at| self.lines.get(at));
        let line_start = line_start.copied().unwrap_or_default();
        let meant = self.text.get(span.clone()).unwrap_or_default();
        let (column, length) = if meant.lines().nth(1).is_none() {
            let meant = self.count_to(start + meant.len()) - self.count_to(start);
            (self.count_to(start) - self.count_to(line_start), meant)
        } else {
            let line = self.line(number).unwrap_or_default();
            let blank = line.len() - line.trim_start().len();
            (blank, line.trim().chars().count())
        };
        Place {
            file: self.file.clone(),
            line: number,
            column: column + 1,
            length: length.max(1),
        }
    }

    /// The line with this number, counted from 1.
    pub(crate) fn line(&self, number: usize) -> Option<&str> {
        let start = *self.lines.get(number.checked_sub(1)?)?;
        let end = self.lines.get(number).copied();
        let line = self.text.get(start..end.unwrap_or(self.text.len()))?;
        // Behind the last line break there is no line.
        line.lines().next().or((!line.is_empty()).then_some(line))
    }

    /// How many characters are before this byte.
    fn count_to(&self, byte: usize) -> usize {
        let block = byte / BLOCK;
        let (before, from) = match self.characters.get(block) {
            Some(before) => (*before, block * BLOCK),
            // The end of a text of whole blocks.
            None => (0, 0),
        };
        let rest = self.text.as_bytes().get(from..byte);
        before + rest.map_or(0, count)
    }
}

/// How many characters begin in these bytes of UTF-8.
fn count(bytes: &[u8]) -> usize {
    let begins = |byte: &&u8| **byte & 0b1100_0000 != 0b1000_0000;
    bytes.iter().filter(begins).count()
}

/// The texts of a policy: one, or those of a directory.
#[derive(Clone, Debug)]
pub(crate) struct Sources(Vec<Source>);

impl Sources {
    /// In the order of their names, so that it does not matter in which they were found.
    pub(crate) fn new(mut sources: Vec<Source>) -> Self {
        sources.sort_by(|one, other| one.file.cmp(&other.file));
        Self(sources)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Source> {
        self.0.iter()
    }

    /// The text that a place is in.
    pub(crate) fn of(&self, place: &Place) -> Option<&Source> {
        self.iter().find(|source| source.file == place.file)
    }

    /// The digest of a single text, or of all names and texts.
    pub(crate) fn digest(&self) -> Digest {
        if let [only] = self.0.as_slice() {
            return Digest::of(only.text.as_bytes());
        }
        let parts = self.iter().map(|Source { file, text, .. }| {
            let file = file.rsplit('/').next().unwrap_or(file);
            // With the lengths no text can be taken for the end of one and the beginning of
            // the next.
            format!("{} {file} {}\n{text}\n", file.len(), text.len())
        });
        Digest::of(parts.collect::<String>().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters_from_one() {
        let text = "a = 1\nö = \"x\"\nz = [\n1]".to_owned();
        let source = Source::new("p.toml".to_owned(), text);
        let place = |text: &str| {
            let start = source.text.find(text).unwrap();
            let place = source.place(&(start..start + text.len()));
            (place.line, place.column, place.length)
        };
        assert_eq!(place("a"), (1, 1, 1));
        assert_eq!(place("\"x\""), (2, 5, 3));
        assert_eq!(place("[\n1]"), (3, 1, 5));
        assert_eq!(source.place(&(0..0)).length, 1);
        assert_eq!(source.place(&(900..901)).line, 4);
        assert_eq!(source.line(2), Some("ö = \"x\""));
        assert_eq!(source.line(0), None);
        assert_eq!(source.line(4), Some("1]"));
        assert_eq!(source.line(5), None);
    }

    #[test]
    fn places_in_long_lines_are_those_that_counting_gives() {
        let text = format!("\n{}x{}\r\n", "öa".repeat(5_000), "日".repeat(700));
        let source = Source::new("p.toml".to_owned(), text.clone());
        for (start, end) in [(1, 3), (15_001, 15_002), (15_002, 15_005), (3_073, 3_076)] {
            let place = source.place(&(start..end));
            let column = text[1..start].chars().count() + 1;
            let length = text[start..end].chars().count();
            assert_eq!(
                (place.line, place.column, place.length),
                (2, column, length)
            );
        }
        assert_eq!(source.line(2), text.lines().nth(1));
        assert_eq!(source.line(3), None);
        let whole = Source::new("p.toml".to_owned(), "a".repeat(BLOCK));
        assert_eq!(whole.place(&(BLOCK..BLOCK)).column, BLOCK + 1);
    }
}
