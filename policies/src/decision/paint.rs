//! Colours on terminals, as rustc has them.

use crate::finding::Effect;

/// What a part of the text is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    /// The kind of a finding, and what is underlined for it.
    Level(Effect),
    /// Its one sentence.
    Heading,
    /// Arrows, margins and names of notes.
    Frame,
    /// The verdict when it is a good one.
    Good,
}

/// Whether parts of a text are coloured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    pub(crate) is_on: bool,
}

impl Paint {
    pub(crate) const OFF: Self = Self { is_on: false };

    /// The text in the colour of `part`. It has no escapes of its own.
    pub(super) fn paint(self, part: Part, text: &str) -> String {
        if !self.is_on || text.is_empty() {
            return text.to_owned();
        }
        let code = match part {
            Part::Level(Effect::Deny) => "1;31",
            Part::Level(Effect::Hold) => "1;35",
            Part::Level(Effect::Warn) => "1;33",
            Part::Heading => "1",
            Part::Frame => "1;34",
            Part::Good => "1;32",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}
