//! An error and what led to it, in one line.

use std::error::Error;

/// The words of `error` and of all its causes, joined by colons.
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    // wasmparser has its own causes on lines of their own.
    text.lines().collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_comes_first_and_its_causes_follow() {
        let malformed = crate::inspect(b"\0asm\x0d\0\x01\0\x0a\xff").unwrap_err();
        let words = with_causes(&malformed);
        let cause = malformed.source().unwrap();
        assert_eq!(words, format!("the WebAssembly is malformed: {cause}"));
    }

    #[test]
    fn causes_with_several_lines_are_one_line_too() {
        let name = r#"(component (import "a:b/c@0.2" (func)))"#;
        let invalid = crate::validate(&wat::parse_str(name).unwrap()).unwrap_err();
        assert!(invalid.source().unwrap().to_string().contains('\n'));
        let words = with_causes(&invalid);
        assert!(
            words.contains("is not valid") || words.contains("is not a valid"),
            "{words}"
        );
        assert!(!words.contains('\n'), "{words}");
    }
}
