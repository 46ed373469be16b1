//! `docs/capabilities.md` says what the catalogue says. `WASMPORT_BLESS=1` writes it anew.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and so may what it calls"
)]

use std::fmt::Write as _;
use std::fs;

use wasmport_policies::{KnownCapability, KnownFunctions, known_capabilities};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/capabilities.md");

const INTRODUCTION: &str = "\
# Capabilities

<!-- Generated from policies/src/catalogue.toml:
     WASMPORT_BLESS=1 cargo test -p wasmport-policies --test capabilities_page -->

What a program can do with what it imports, as [policies](policy-reference.md) name it: the capability,
what it lets a program do, what there is to lose (none, low, medium or high), how Rust code comes by it,
and which imports ask for it. `wasmport policy capabilities` prints the same.

A version stands for its track: 0.2.0 for every 0.2.x. A pre-release is a track of its own, so the
proposals that are not released yet are listed as they are in use. Functions are listed without
`[method]` and the like. Most interfaces ask for one capability, whichever of their functions are
imported; a few imports are judged by their functions.

What is not listed is `custom`: an import, and a function of an import that is listed, be it from a
release of WASI that is newer than this catalogue or from a host of its own. A rule admits such a
function by its name, as the finding says:

    { import = \"wasi:io/poll@0.2\", functions = [\"wait-all\"] }

An import whose functions are not known counts as everything that it might hold, and as `custom`.
";

fn page() -> String {
    let all = known_capabilities();
    let mut page = INTRODUCTION.to_owned();
    page.push_str("\n| capability | a program that has it can | risk |\n|---|---|---|\n");
    for KnownCapability {
        name,
        summary,
        risk,
        ..
    } in &all
    {
        let risk = serde_json::to_value(risk).unwrap();
        let risk = risk.as_str().unwrap();
        writeln!(page, "| [`{name}`](#{name}) | {summary} | {risk} |").unwrap();
    }
    for capability in &all {
        page.push_str(&section(capability));
    }
    page
}

fn section(capability: &KnownCapability) -> String {
    let KnownCapability {
        name,
        summary,
        concern,
        rust,
        std,
        includes,
        interfaces,
        functions,
        ..
    } = capability;
    let mut text = format!("\n## `{name}`\n\nIt can {summary}. {concern}\n").replace(". \n", ".\n");
    if *std {
        text.push_str(
            "\nPart of the group `std`: Rust's standard library imports it whether the program \
             uses it or not.\n",
        );
    }
    if let Some(rust) = rust {
        writeln!(text, "\nIn Rust: {rust}.").unwrap();
    }
    for included in includes {
        writeln!(text, "\nWho has it has [`{included}`](#{included}) too.").unwrap();
    }
    if !interfaces.is_empty() {
        text.push('\n');
    }
    let own = |name: &String| {
        let mut functions = functions.iter();
        functions.find(|known| known.imports.len() == 1 && known.imports.contains(name))
    };
    for interface in interfaces {
        match own(interface) {
            Some(known) => {
                writeln!(text, "- `{interface}`: {}", in_words(&known.functions)).unwrap();
            }
            None => writeln!(text, "- `{interface}`").unwrap(),
        }
    }
    for KnownFunctions { imports, functions } in functions {
        if !imports.iter().any(|name| interfaces.contains(name)) {
            let (imports, functions) = (code(imports).join(" and "), in_words(functions));
            writeln!(text, "\nFunctions of {imports}: {functions}.").unwrap();
        }
    }
    text
}

/// Functions, those of one resource together: `request.{new, send}`.
fn in_words(functions: &[String]) -> String {
    let mut resources: Vec<(&str, Vec<&str>)> = Vec::new();
    for function in functions {
        let (resource, name) = function.split_once('.').unwrap_or(("", function));
        match resources.iter_mut().find(|(known, _)| *known == resource) {
            Some((_, names)) => names.push(name),
            None => resources.push((resource, vec![name])),
        }
    }
    let words = resources
        .into_iter()
        .map(|(resource, names)| match names[..] {
            _ if resource.is_empty() => code(&names).join(", "),
            [name] => format!("`{resource}.{name}`"),
            _ => format!("`{resource}.{{{}}}`", names.join(", ")),
        });
    words.collect::<Vec<_>>().join(", ")
}

fn code<T: std::fmt::Display>(names: &[T]) -> Vec<String> {
    names.iter().map(|name| format!("`{name}`")).collect()
}

#[test]
fn the_page_says_what_the_catalogue_says() {
    let expected = page();
    if std::env::var_os("WASMPORT_BLESS").is_some() {
        fs::write(PAGE, &expected).unwrap();
    }
    let written = fs::read_to_string(PAGE).unwrap_or_default();
    assert!(
        written == expected,
        "docs/capabilities.md is out of date; write it anew with WASMPORT_BLESS=1"
    );
}

#[test]
fn every_capability_says_how_rust_code_comes_by_it() {
    for capability in known_capabilities() {
        let is_said = capability.std || capability.rust.is_some();
        assert!(is_said, "{}", capability.name);
    }
}

/// The interfaces that WASI 0.2.12 and 0.3.0 have released.
const RELEASED: [(&str, &str, &[&str]); 12] = [
    ("0.2.12", "io", &["error", "poll", "streams"]),
    (
        "0.2.12",
        "cli",
        &[
            "environment",
            "exit",
            "run",
            "stderr",
            "stdin",
            "stdout",
            "terminal-input",
            "terminal-output",
            "terminal-stderr",
            "terminal-stdin",
            "terminal-stdout",
        ],
    ),
    (
        "0.2.12",
        "clocks",
        &["monotonic-clock", "timezone", "wall-clock"],
    ),
    ("0.2.12", "random", &["insecure", "insecure-seed", "random"]),
    (
        "0.2.12",
        "sockets",
        &[
            "instance-network",
            "ip-name-lookup",
            "network",
            "tcp",
            "tcp-create-socket",
            "udp",
            "udp-create-socket",
        ],
    ),
    (
        "0.2.12",
        "http",
        &["types", "incoming-handler", "outgoing-handler"],
    ),
    (
        "0.3.0",
        "cli",
        &[
            "environment",
            "exit",
            "run",
            "stderr",
            "stdin",
            "stdout",
            "terminal-input",
            "terminal-output",
            "terminal-stderr",
            "terminal-stdin",
            "terminal-stdout",
            "types",
        ],
    ),
    (
        "0.3.0",
        "clocks",
        &["monotonic-clock", "system-clock", "timezone", "types"],
    ),
    ("0.3.0", "random", &["insecure", "insecure-seed", "random"]),
    ("0.3.0", "sockets", &["ip-name-lookup", "types"]),
    ("0.3.0", "http", &["types", "handler", "client"]),
    ("0.3.0", "filesystem", &["preopens"]),
];

#[test]
fn every_released_interface_of_wasi_is_known() {
    let known: Vec<String> = known_capabilities()
        .into_iter()
        .flat_map(|it| it.interfaces)
        .collect();
    for (version, package, interfaces) in RELEASED {
        let (track, _) = version.rsplit_once('.').unwrap();
        for interface in interfaces {
            let name = format!("wasi:{package}/{interface}@{track}.0");
            assert!(known.contains(&name), "`{name}`");
        }
    }
}
