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
    text
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
}
