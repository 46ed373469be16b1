//! What functions are called, and whose they are.

use std::fmt::{self, Write as _};

use rustc_demangle::try_demangle;

use crate::limits;

/// A function's name for people, with the crate that it is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FunctionName {
    /// Without mangling and hash.
    pub(super) text: String,
    /// The crate; none if it is not Rust.
    pub(super) krate: Option<String>,
}

/// Crates that come with Rust's toolchain.
const STANDARD: &[&str] = &[
    "std",
    "core",
    "alloc",
    "__rustc",
    "compiler_builtins",
    "panic_abort",
    "panic_unwind",
    "std_detect",
    "unwind",
    "test",
    "proc_macro",
    "addr2line",
    "gimli",
    "miniz_oxide",
    "rustc_demangle",
];

/// Crates that only pass calls on to imports.
const BINDINGS: &[&str] = &[
    "wasi",
    "wasip1",
    "wasip2",
    "wasip3",
    "wit_bindgen",
    "wit_bindgen_rt",
];

/// True for the crates of the standard library.
pub(super) fn is_standard(krate: &str) -> bool {
    STANDARD.contains(&krate)
}

/// True for crates of which nobody would say that they ask for an import.
pub(super) fn is_bindings(krate: &str) -> bool {
    BINDINGS.contains(&krate)
}

/// The crate's name in the name of a module: `app` in `app-0123456789abcdef.wasm`.
pub(super) fn crate_of_module(name: &str) -> String {
    let stem = name.strip_suffix(".wasm").unwrap_or(name);
    let is_hash =
        |text: &str| text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let stem = match stem.rsplit_once('-') {
        Some((before, hash)) if is_hash(hash) => before,
        _ => stem,
    };
    stem.replace('-', "_")
}

impl FunctionName {
    /// Reads the name of a function as it is in the `name` section.
    pub(super) fn of(raw: &str) -> Self {
        let mut text = Shortened::default();
        let demangled = try_demangle(raw);
        let is_rust = demangled.is_ok();
        // What is too long for `text` ends early, and with an error.
        let _shortened = match demangled {
            Ok(name) => write!(text, "{name:#}"),
            Err(_) => text.write_str(raw),
        };
        let krate = is_rust.then(|| crate_of(&text.0)).flatten();
        Self {
            krate: krate.map(str::to_owned),
            text: text.finish(),
        }
    }
}

/// The crate whose code a path names. Of `<Type as Trait>::method` it is the crate of the
/// type, but for types of the standard library: what implements another crate's trait for
/// one of those is in that crate.
fn crate_of(path: &str) -> Option<&str> {
    let Some(inner) = path.strip_prefix('<') else {
        return first_of_path(path);
    };
    let of_type = first_of_path(inner.trim_start_matches(is_decoration));
    if let Some(found) = of_type
        && !is_standard(found)
    {
        return Some(found);
    }
    let of_trait = split_as(inner).and_then(first_of_path);
    of_trait.or(of_type)
}

/// What stands after ` as ` at the outermost level of `Type as Trait>::…`.
fn split_as(inner: &str) -> Option<&str> {
    let mut depth = 0usize;
    for (at, byte) in inner.bytes().enumerate() {
        match byte {
            b'<' | b'(' | b'[' => depth += 1,
            // The arrow of a function's type closes nothing.
            b'>' if at > 0 && inner.as_bytes().get(at - 1) == Some(&b'-') => {}
            b'>' | b')' | b']' if depth == 0 => return None,
            b'>' | b')' | b']' => depth -= 1,
            b' ' if depth == 0 => {
                if let Some(found) = inner.get(at..).and_then(|rest| rest.strip_prefix(" as ")) {
                    return Some(found);
                }
            }
            _ => {}
        }
    }
    None
}

/// Signs before the path of a type, as in `&mut dyn Trait`, `*const T` and `[T]`.
fn is_decoration(sign: char) -> bool {
    matches!(sign, '<' | '&' | '*' | '(' | '[' | ' ')
}

fn first_of_path(path: &str) -> Option<&str> {
    let mut path = path;
    for word in ["mut ", "const ", "dyn "] {
        path = path.strip_prefix(word).unwrap_or(path);
    }
    let end = path.find(|sign: char| !sign.is_alphanumeric() && sign != '_')?;
    let (first, rest) = path.split_at_checked(end)?;
    (!first.is_empty() && rest.starts_with("::")).then_some(first)
}

/// A text that takes no more than is shown.
#[derive(Default)]
struct Shortened(String);

impl Shortened {
    fn finish(self) -> String {
        self.0
    }
}

impl fmt::Write for Shortened {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let room = limits::FUNCTION_NAME_BYTES.saturating_sub(self.0.len());
        if more.len() <= room {
            self.0.push_str(more);
            return Ok(());
        }
        let end = more.floor_char_boundary(room);
        self.0.push_str(more.get(..end).unwrap_or_default());
        self.0.push('…');
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crate_in(raw: &str) -> Option<String> {
        FunctionName::of(raw).krate
    }

    #[test]
    fn both_ways_of_mangling_are_read() {
        let legacy = FunctionName::of("_ZN17files_and_sockets4main17h2c5c255504dea234E");
        assert_eq!(legacy.text, "files_and_sockets::main");
        assert_eq!(legacy.krate.as_deref(), Some("files_and_sockets"));
        let v0 = FunctionName::of("_RNvNtCshXfaRvt2tfW_3std2rt19lang_start_internal");
        assert_eq!(v0.text, "std::rt::lang_start_internal");
        assert_eq!(v0.krate.as_deref(), Some("std"));
        let c = FunctionName::of("__wasi_proc_exit");
        assert_eq!((c.text.as_str(), c.krate), ("__wasi_proc_exit", None));
    }

    #[test]
    fn methods_belong_to_the_crate_that_wrote_them() {
        let of = |path: &str| crate_of(path).map(str::to_owned);
        let cases = [
            ("app::main", Some("app")),
            ("<app::Server>::run", Some("app")),
            ("<app::Server as core::fmt::Display>::fmt", Some("app")),
            ("<alloc::string::String as app::Shout>::shout", Some("app")),
            ("<&T as core::fmt::Display>::fmt", Some("core")),
            ("<[app::T] as app::Shout>::shout", Some("app")),
            (
                "<&mut dyn app::Shout as core::fmt::Debug>::fmt",
                Some("app"),
            ),
            (
                "<alloc::boxed::Box<dyn core::ops::Fn() -> u8> as app::F>::f",
                Some("app"),
            ),
            ("core::ptr::drop_in_place::<app::Server>", Some("core")),
            ("<T>::method", None),
            ("main", None),
            ("", None),
            ("<", None),
        ];
        for (path, expected) in cases {
            assert_eq!(of(path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn the_module_is_named_after_the_crate() {
        assert_eq!(
            crate_of_module("files_and_sockets-30d625841dea2ac5.wasm"),
            "files_and_sockets"
        );
        assert_eq!(crate_of_module("my-app.wasm"), "my_app");
        assert_eq!(crate_of_module("with-hyphens"), "with_hyphens");
    }

    #[test]
    fn a_name_that_unfolds_without_end_is_cut() {
        let long = "é".repeat(limits::FUNCTION_NAME_BYTES);
        let name = FunctionName::of(&long);
        assert!(name.text.len() <= limits::FUNCTION_NAME_BYTES + '…'.len_utf8());
        assert!(name.text.ends_with('…'));
        assert_eq!(crate_in(&long), None);
    }
}
