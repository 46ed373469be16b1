//! `docs/cli-reference.md` is what the commands say of themselves.
//!
//! `WASMPORT_BLESS=1 cargo test --release -p wasmport --test reference` writes it anew.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

const INTRODUCTION: &str = "\
# Command line reference

Written by `cli/tests/reference.rs` from the commands' own help; do not edit.

With `--format json` every command prints one JSON object on one line to stdout, on success and on
failure: `schemaVersion` (1), `command`, `ok`, `error` (null, or `kind`, `message`, `causes`, `hint`,
`detail`), and beside them the fields of the answer. Words and progress go to stderr. `serve` prints
its object when it listens. `run` prints what the program prints, and `demo` what its commands do.

`imports` is a list of names in `build`, and in `inspect` a list of objects with the functions of each.

| exit code | meaning | `error.kind` |
|---|---|---|
| 0 | done | – |
| 1 | the answer is no | `denied`, `incompatible`, `not-verified`, `defects`, `test`, `compile`, `run` |
| 2 | the question is wrong | `usage`, `input` |
| 3 | no answer could be had | `not-found`, `unauthorized`, `registry`, `io`, `interrupted`, `tool-missing` |
";

fn help(words: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_wasmport"))
        .args(words)
        .arg("--help")
        .output()
        .unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(str::trim_end)
        .collect::<Vec<_>>()
        .join("\n")
        .trim_end()
        .to_owned()
}

/// The commands that a help text lists.
fn commands(overview: &str) -> Vec<String> {
    let Some((_, list)) = overview.split_once("Commands:\n") else {
        return Vec::new();
    };
    let (list, _) = list.split_once("\n\n").unwrap();
    let names = list
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    names
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

/// A section for a command, and those for the commands below it.
fn describe(page: &mut String, words: &[&str]) {
    let text = help(words);
    let name = words.join(" ");
    write!(page, "\n## wasmport {name}").unwrap();
    page.truncate(page.trim_end().len());
    write!(page, "\n\n```text\n{text}\n```\n").unwrap();
    for command in commands(&text) {
        describe(page, &[words, &[&command]].concat());
    }
}

#[test]
fn the_reference_is_what_the_commands_say() {
    let mut expected = INTRODUCTION.to_owned();
    describe(&mut expected, &[]);
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/cli-reference.md");
    if std::env::var_os("WASMPORT_BLESS").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(
        written == expected,
        "docs/cli-reference.md is out of date: run with WASMPORT_BLESS=1"
    );
}
