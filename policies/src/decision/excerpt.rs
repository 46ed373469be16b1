//! A line of a policy with a part underlined, as wide as a terminal has room for.

use unicode_width::UnicodeWidthChar as _;

use super::paint::{Paint, Part};
use crate::finding::{Effect, Place};
use crate::policy::Source;

/// How many columns of a line are shown.
const COLUMNS: usize = 100;
/// How many columns before what is underlined stay when a line is cut.
const BEFORE: usize = 24;

/// The place in a policy, with its line underlined when the text is at hand.
pub(crate) fn excerpt(place: &Place, source: Option<&Source>) -> String {
    painted(place, source, Effect::Deny, Paint::OFF)
}

/// The same in the colours of a finding.
pub(super) fn painted(
    place: &Place,
    source: Option<&Source>,
    effect: Effect,
    paint: Paint,
) -> String {
    let source = source.filter(|source| source.file == place.file);
    let line = source.and_then(|source| source.line(place.line));
    let frame = |text: &str| paint.paint(Part::Frame, text);
    let number = place.line.to_string();
    let margin = " ".repeat(number.len());
    let mut text = format!("{margin}{} {}\n", frame("-->"), clean(&place.to_string()));
    if let Some(line) = line {
        let shown = Shown::of(line.trim_end(), place);
        let bar = frame("|");
        let underline = paint.paint(Part::Level(effect), &"^".repeat(shown.length));
        text.extend([
            format!("{margin} {bar}\n"),
            format!("{} {bar} {}\n", frame(&number), shown.line),
            format!("{margin} {bar} {}{underline}\n", " ".repeat(shown.indent)),
        ]);
    }
    text
}

/// A line cut to what there is room for, and where to underline it, in columns.
struct Shown {
    line: String,
    indent: usize,
    length: usize,
}

impl Shown {
    fn of(line: &str, place: &Place) -> Self {
        let characters: Vec<char> = clean(line).chars().collect();
        let width = |from: usize, to: usize| -> usize {
            let part = characters.iter().take(to).skip(from);
            part.map(|character| columns(*character)).sum()
        };
        let from = place.column.saturating_sub(1);
        let to = from.saturating_add(place.length);
        let end = characters.len();
        let mut first = 0;
        if width(0, end) > COLUMNS {
            // What is underlined is seen from its beginning.
            let (mut before, mut seen) = (width(0, from), width(0, to));
            let mut rest = characters.iter();
            while before > BEFORE && seen > COLUMNS {
                let next = rest.next().map_or(0, |character| columns(*character));
                (before, seen) = (before.saturating_sub(next), seen.saturating_sub(next));
                first += 1;
            }
        }
        let mut last = end;
        let mut shown = width(first, end);
        let mut rest = characters.iter().rev();
        while last > first && shown > COLUMNS {
            let next = rest.next().map_or(0, |character| columns(*character));
            shown = shown.saturating_sub(next);
            last -= 1;
        }
        let lead = if first > 0 { "…" } else { "" };
        let rest = if last < end { "…" } else { "" };
        let middle: String = characters.iter().take(last).skip(first).collect();
        // A place behind the end of the line, such as of a file that breaks off.
        let beyond = from.saturating_sub(end);
        Self {
            line: format!("{lead}{middle}{rest}"),
            indent: lead.chars().count() + width(first, from) + beyond,
            length: width(from, to.min(last)).max(1),
        }
    }
}

fn columns(character: char) -> usize {
    character.width().unwrap_or(0)
}

/// The text without characters that would make a terminal do something: names of imports
/// come from outside.
pub fn clean(text: &str) -> String {
    let harmless = |character: char| {
        if character == '\t' {
            ' '
        } else if character.is_control() || misleads(character) {
            char::REPLACEMENT_CHARACTER
        } else {
            character
        }
    };
    text.chars().map(harmless).collect()
}

/// Marks that turn the direction of text, that end a line for some readers, or that nobody sees:
/// they let a name look like another.
fn misleads(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str, part: &str) -> (String, String) {
        let start = line.find(part).unwrap();
        let place = Place {
            file: "p.toml".to_owned(),
            line: 1,
            column: line[..start].chars().count() + 1,
            length: part.chars().count(),
        };
        let source = Source::new("p.toml".to_owned(), line.to_owned());
        let text = excerpt(&place, Some(&source));
        let mut lines = text.lines().skip(2);
        let line = lines.next().unwrap().to_owned();
        (line, lines.next().unwrap().to_owned())
    }

    #[test]
    fn a_tab_is_one_column_and_a_wide_character_is_two() {
        assert_eq!(
            shown("\tdeny = [\"x\"]", "\"x\""),
            ("1 |  deny = [\"x\"]".into(), "  |          ^^^".into())
        );
        assert_eq!(
            shown("# 港 \"x\"", "\"x\""),
            ("1 | # 港 \"x\"".into(), "  |      ^^^".into())
        );
        assert_eq!(
            shown("id = \"港口\"", "\"港口\""),
            ("1 | id = \"港口\"".into(), "  |      ^^^^^^".into())
        );
        assert_eq!(
            shown("# e\u{301} \"x\"", "\"x\""),
            ("1 | # e\u{301} \"x\"".into(), "  |     ^^^".into())
        );
    }

    #[test]
    fn a_line_as_long_as_a_policy_may_be_is_cut_at_once() {
        let line = format!("allow = [{}\"x\"", "\"a:b/c\", ".repeat(1 << 17));
        let (text, underline) = shown(&line, "\"x\"");
        assert!(
            text.ends_with("\"x\"") && text.chars().count() < 110,
            "{text}"
        );
        assert_eq!(underline.matches('^').count(), 3);
    }

    #[test]
    fn of_a_wide_line_the_part_is_shown_that_is_meant() {
        let list = (0..80).map(|number| format!("\"a:b/c{number}\", "));
        let line = format!("allow = [{}]", list.collect::<String>());
        let (text, underline) = shown(&line, "\"a:b/c40\"");
        assert!(text.starts_with("1 | …") && text.ends_with('…'), "{text}");
        assert!(text.contains("\"a:b/c40\""), "{text}");
        assert!(text.chars().count() < 110, "{text}");
        let column = text.find("\"a:b/c40\"").unwrap() - "…".len() + 1;
        assert_eq!(underline.find('^'), Some(column), "{text}\n{underline}");
        assert_eq!(underline.matches('^').count(), 9);
        // All of it is meant: it is underlined as far as it is shown.
        let (text, underline) = shown(&line, &line);
        assert!(text.starts_with("1 | allow = ["), "{text}");
        assert_eq!(underline.matches('^').count(), 100);
    }
}
