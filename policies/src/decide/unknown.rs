//! What is said of imports, and of functions of imports, that the catalogue does not know.

use wasmport_artifact::Import;

use crate::catalogue::{Catalogue, KNOWN_RELEASES};
use crate::needs::{Identity, Need};
use crate::policy::{Functions, Pattern};
use crate::smallest::quoted;

/// How many functions an entry of a list names that is proposed; for more it names the import.
const FUNCTIONS: usize = 16;

/// What a finding says of something that is not known.
pub(super) struct Unknown {
    /// What it is, as a fragment that goes on.
    pub(super) message: String,
    /// Where it may come from.
    pub(super) origin: Option<String>,
    /// The entry of an `allow` list that would admit it.
    pub(super) entry: String,
}

/// Describes `need`, for which no entry of the catalogue is.
pub(super) fn of(import: &Import, identity: &Identity, need: &Need, rule: &str) -> Unknown {
    let pattern = Pattern::for_import(identity);
    let name = &import.name;
    if !need.is_unlisted {
        return Unknown {
            message: format!(
                "`{name}` is not in the catalogue, and rule `{rule}` does not name it"
            ),
            origin: other_versions(identity),
            entry: pattern,
        };
    }
    let (what, them) = match need.functions.as_slice() {
        [] => ("may have functions that are".to_owned(), "them"),
        [function] => (format!("has a function `{function}`, which is"), "it"),
        several => (format!("has {} functions that are", several.len()), "them"),
    };
    Unknown {
        message: format!(
            "`{name}` {what} not in the catalogue, and rule `{rule}` does not name {them}"
        ),
        origin: Some(format!(
            "the catalogue has the functions of WASI {KNOWN_RELEASES}: a newer release may have more, \
             or a host of its own"
        )),
        entry: with_functions(&pattern, import, need).unwrap_or(pattern),
    }
}

/// An entry for no more than these functions, where they are known and can be written.
fn with_functions(pattern: &str, import: &Import, need: &Need) -> Option<String> {
    let names: Vec<&str> = need.functions.iter().map(String::as_str).collect();
    let is_known = !import.opaque && (1..=FUNCTIONS).contains(&names.len());
    // In an entry a star stands for anything.
    let is_exact = !names.iter().any(|name| name.contains('*')) && Functions::parse(&names).is_ok();
    if !is_known || !is_exact {
        return None;
    }
    let functions: Vec<String> = names.into_iter().map(quoted).collect();
    Some(format!(
        "{{ import = {}, functions = [{}] }}",
        quoted(pattern),
        functions.join(", ")
    ))
}

/// The versions of this interface that the catalogue does know.
fn other_versions(name: &Identity) -> Option<String> {
    let Identity::Interface(name) = name else {
        return None;
    };
    let known = Catalogue::get().known_versions(name);
    (!known.is_empty()).then(|| {
        let known = known.join(" and ");
        format!("the catalogue knows the interface in the tracks of {known} only")
    })
}
