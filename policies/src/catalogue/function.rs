//! Names of functions as interfaces have them.

/// What stands before the names of functions in the component model, and is no part of them:
/// some versions write it otherwise.
const PREFIXES: [&str; 7] = [
    "[method]",
    "[static]",
    "[constructor]",
    "[async]",
    "[async method]",
    "[async static]",
    DROP,
];

/// What core modules import to give back a handle.
const DROP: &str = "[resource-drop]";

/// The function of an interface without `[method]` and the like. In other names, such as those
/// that a core module imports from `env`, brackets are a part of the name.
pub(crate) fn plain(function: &str) -> &str {
    // Most of those that are looked up have none.
    if !function.starts_with('[') {
        return function;
    }
    let mut prefixes = PREFIXES.iter();
    let name = prefixes.find_map(|prefix| function.strip_prefix(prefix));
    name.unwrap_or(function)
}

/// Whether a function of an interface only gives back a handle, which no definition lists and
/// which does nothing that the others of its resource could not.
pub(super) fn is_drop(function: &str) -> bool {
    function.starts_with(DROP)
}
