//! Wasm in the text format, which runtimes take too. It is known by its first words, however many
//! blanks and comments stand before and between them.

use std::io::{self, BufRead, BufReader, Read};

/// How far the first words are looked for, in bytes. Licences at the head of a file have some
/// thousand.
const HEAD_BYTES: u64 = 1 << 20;

/// How much there is to know without comments: a bracket, a word and what comes next.
const ENOUGH: usize = 32;

/// How Wasm begins: with the whole of it, or with a field of a module, whose own word may be left
/// out.
const FIRST: [&[u8]; 12] = [
    b"module",
    b"component",
    b"type",
    b"rec",
    b"func",
    b"table",
    b"memory",
    b"global",
    b"start",
    b"elem",
    b"data",
    b"tag",
];

/// Fields with a word that begins programs in Scheme, too, where no string comes next.
const FIRST_BEFORE_STRING: [&[u8]; 2] = [b"import", b"export"];

/// Why `source` may be Wasm in the text format; nothing when it is something else.
pub(super) fn wasm_text(source: &mut dyn Read) -> io::Result<Option<&'static str>> {
    let mut source = BufReader::with_capacity(512, source.take(HEAD_BYTES));
    let head = without_comments(&mut source)?;
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head);
    let head = head.trim_ascii_start();
    let is_cut = head.len() < ENOUGH && source.get_ref().limit() == 0;
    Ok(if begins_as_wasm(head) {
        Some("it is WebAssembly in the text format")
    } else if is_cut && (head.is_empty() || head.starts_with(b"(")) {
        Some("it may be WebAssembly in the text format behind a long comment")
    } else {
        None
    })
}

fn begins_as_wasm(head: &[u8]) -> bool {
    let Some(head) = head.strip_prefix(b"(") else {
        return false;
    };
    let head = head.trim_ascii_start();
    let is_end = |byte: &u8| byte.is_ascii_whitespace() || b"()\";".contains(byte);
    let end = head.iter().position(is_end).unwrap_or(head.len());
    let (word, rest) = head.split_at(end);
    // Annotations are nobody else's, and those that are not known are passed over.
    FIRST.contains(&word)
        || word.starts_with(b"@")
        || (FIRST_BEFORE_STRING.contains(&word) && rest.trim_ascii_start().starts_with(b"\""))
}

/// The first bytes of a text, a blank for each run of blanks and comments. Comments in brackets
/// nest (WebAssembly specification, "Lexical Format").
fn without_comments(source: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut head: Vec<u8> = Vec::new();
    let mut depth = 0_usize;
    let mut is_line = false;
    let mut before = b' ';
    for byte in source.bytes() {
        let byte = byte?;
        let pair = (before, byte);
        before = byte;
        match pair {
            _ if is_line => is_line = !matches!(byte, b'\n' | b'\r'),
            (b'(', b';') => {
                depth += 1;
                // The first one was taken for a bracket.
                blank(&mut head, depth == 1);
                before = b' ';
            }
            (b';', b')') if depth > 0 => {
                depth -= 1;
                before = b' ';
            }
            _ if depth > 0 => {}
            (b';', b';') => {
                is_line = true;
                blank(&mut head, true);
                before = b' ';
            }
            _ if byte.is_ascii_whitespace() => blank(&mut head, false),
            _ => head.push(byte),
        }
        if head.len() >= ENOUGH {
            break;
        }
    }
    Ok(head)
}

/// Ends `head` with one blank, which is for its last byte too when that was the beginning of a
/// comment.
fn blank(head: &mut Vec<u8>, replaces: bool) {
    if replaces {
        head.pop();
    }
    if head.last() != Some(&b' ') {
        head.push(b' ');
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_text(text: &str) -> bool {
        wasm_text(&mut text.as_bytes()).unwrap().is_some()
    }

    #[test]
    fn wasm_in_the_text_format_is_known_by_its_first_words() {
        let long = "x".repeat(5000);
        for text in [
            "(module)",
            "\u{feff}(module)",
            "  ( component (import \"x\" (func)))",
            ";; a comment\n(; another ;)\n(module $x)",
            "(; one (; in ;) another ;)(module)",
            "((; between ;);;\rmodule)",
            "(;;)(module)",
            "(import \"env\" \"f\" (func))",
            "(import(;;)\"env\" \"f\" (func))",
            "(func $f) (start $f)",
            "(memory 1)",
            "(@custom \"a\" \"\")",
            "(@acme) (module)",
            &format!(";; {long}\n(module)"),
            &format!("(; {long} ;) (module)"),
            &format!("{} (module)", " \n".repeat(5000)),
        ] {
            assert!(
                wat::parse_str(text.trim_start_matches('\u{feff}')).is_ok(),
                "{text}"
            );
            assert!(is_text(text), "{text}");
        }
        assert!(is_text(&format!("(; {} ;) (module)", "x".repeat(1 << 20))));
    }

    #[test]
    fn other_texts_are_not_taken_for_wasm() {
        for text in [
            "",
            "(",
            "(modular)",
            "(module-name)",
            "module",
            ";; (module)",
            "; (module)",
            "(; (module)",
            "(defun x ())",
            "(import (scheme base))",
            "(define-library (a))",
            "{ \"a\": 1 }",
            "x (module)",
        ] {
            assert!(!is_text(text), "{text}");
        }
        let blanks = " ".repeat(1 << 20);
        assert!(is_text(&blanks), "Wasm may begin behind it");
        assert!(!is_text(&format!("{{ \"a\": {blanks} }}")));
    }

    fn gap() -> impl Strategy<Value = String> {
        const PIECES: &[&str] = &[
            "",
            " ",
            "\n",
            "\t",
            "\r",
            ";;x\n",
            ";;;(\n",
            "(;;)",
            "(;(;;);)",
            "(;;;)",
            "(; ; ( ;)",
        ];
        prop::collection::vec(prop::sample::select(PIECES), 0..6).prop_map(|gaps| gaps.concat())
    }

    proptest! {
        #[test]
        fn what_is_parsed_as_wasm_is_known(
            gaps in prop::array::uniform4(gap()),
            first in prop::sample::select(&["module", "component", "func", "import", "export", "data", "x"]),
            rest in prop::sample::select(&["", "\"a\"\"b\"(func)", "\"a\"(func 0)", "(import \"a\"\"b\"(func))", "$x"]),
        ) {
            let [before, within, behind, after] = gaps;
            let text = format!("{before}({within}{first}{behind}{rest}){after}");
            if wat::parse_str(&text).is_ok() {
                prop_assert!(is_text(&text), "{text:?}");
            }
        }
    }
}
