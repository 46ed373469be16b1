//! The modules and components in a script of the official test suites.

use wast::parser::{self, ParseBuffer};
use wast::{QuoteWat, Wast, WastDirective};

/// What a script says of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// They are valid.
    Valid,
    /// They are not.
    Invalid,
}

/// All bytes of a script with what it says of them; `None` when the script is not understood.
pub(crate) fn read(script: &str) -> Option<Vec<(Claim, Vec<u8>)>> {
    let mut lexer = wast::lexer::Lexer::new(script);
    lexer.allow_confusing_unicode(true);
    let buffer = ParseBuffer::new_with_lexer(lexer).ok()?;
    let script: Wast<'_> = parser::parse(&buffer).ok()?;
    let claims = script.directives.into_iter().filter_map(claim);
    // What is wrong in the text already gives no bytes.
    Some(
        claims
            .filter_map(|(claim, mut text)| Some((claim, text.encode().ok()?)))
            .collect(),
    )
}

fn claim(directive: WastDirective<'_>) -> Option<(Claim, QuoteWat<'_>)> {
    match directive {
        WastDirective::Module(text) | WastDirective::ModuleDefinition(text) => {
            Some((Claim::Valid, text))
        }
        WastDirective::AssertMalformed { module, .. }
        | WastDirective::AssertInvalid { module, .. } => Some((Claim::Invalid, module)),
        WastDirective::AssertUnlinkable { module, .. } => {
            Some((Claim::Valid, QuoteWat::Wat(module)))
        }
        _ => None,
    }
}
