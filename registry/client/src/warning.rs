//! `Warning` headers, with which a registry says that it took something but holds it.

use reqwest::header::{HeaderMap, WARNING};

/// The texts of all warnings (distribution specification, "Warnings": `299 - "text"`).
pub(crate) fn warnings(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(WARNING).iter();
    let values = values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    values.flat_map(|value| quoted_texts(&value)).collect()
}

/// What stands in quotes, with `\"` and `\\` undone. One header may hold several.
fn quoted_texts(value: &str) -> Vec<String> {
    let mut texts = Vec::new();
    let mut text: Option<String> = None;
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match (character, &mut text) {
            ('"', None) => text = Some(String::new()),
            ('"', Some(_)) => texts.extend(text.take()),
            ('\\', Some(text)) => text.extend(characters.next()),
            (other, Some(text)) => text.push(other),
            (_, None) => {}
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_taken_out_of_its_quotes() {
        let mut headers = HeaderMap::new();
        let value = r#"299 - "held: \"release\" has not signed", 299 - "second""#;
        headers.append(WARNING, value.parse().unwrap());
        headers.append(WARNING, r#"299 - "third""#.parse().unwrap());
        let expected = [r#"held: "release" has not signed"#, "second", "third"];
        assert_eq!(warnings(&headers), expected);
    }

    #[test]
    fn what_is_not_a_warning_is_nothing() {
        let mut headers = HeaderMap::new();
        headers.append(WARNING, r#"299 - "never closed"#.parse().unwrap());
        headers.append(WARNING, "nonsense".parse().unwrap());
        assert!(warnings(&headers).is_empty());
    }
}
