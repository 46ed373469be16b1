//! The text of a policy file, and places in it.

use std::ops::Range;

use wasmport_artifact::Digest;

use crate::finding::Place;

/// A named text.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) file: String,
    pub(crate) text: String,
}

impl Source {
    /// The place of a range of bytes. For one over several lines, such as a list, it is
    /// the whole first line: the bracket alone would say little.
    pub(crate) fn place(&self, span: &Range<usize>) -> Place {
        let before = self.text.get(..span.start).unwrap_or(&self.text);
        let meant = self.text.get(span.clone()).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let indent = before.get(line_start..).unwrap_or_default();
        let number = before.matches('\n').count() + 1;
        let (column, length) = match meant.lines().count() {
            0 | 1 => (indent.chars().count(), meant.chars().count()),
            _ => {
                let line = self.line(number).unwrap_or_default();
                let blank = line.len() - line.trim_start().len();
                (blank, line.trim().chars().count())
            }
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
        self.text.lines().nth(number.checked_sub(1)?)
    }
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
        let parts = self.iter().map(|Source { file, text }| {
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
        let source = Source {
            file: "p.toml".to_owned(),
            text: "a = 1\nö = \"x\"\nz = [\n1]".to_owned(),
        };
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
    }
}
