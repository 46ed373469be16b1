//! The README's commands give what the README shows, and its policy is one.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod command;

use std::fs;
use std::path::{Path, PathBuf};

use command::{Answer, Registry, Sandbox};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The content of the first code block in `language`.
fn block(language: &str) -> String {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let start = format!("```{language}\n");
    let (_, rest) = readme.split_once(&start).unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

/// A command and the lines that are shown below it.
struct Step {
    command: String,
    shown: Vec<String>,
}

fn steps() -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in block("console").lines() {
        match line.strip_prefix("$ wasmport ") {
            Some(command) => steps.push(Step {
                command: command.to_owned(),
                shown: Vec::new(),
            }),
            None => steps.last_mut().unwrap().shown.push(line.to_owned()),
        }
    }
    steps
}

/// Digests and sizes change with the compiler; the words around them must not.
fn without_figures(text: &str) -> String {
    let mut words = Vec::new();
    for word in text.split(' ') {
        let is_figure = word
            .trim_matches(['(', ')', '-'])
            .starts_with(|first: char| first.is_ascii_digit());
        let is_digest = word.contains("sha256:");
        words.push(if is_digest {
            "DIGEST"
        } else if is_figure {
            "FIGURE"
        } else {
            word
        });
    }
    words.join(" ")
}

/// Every line that is shown must begin a line of the answer; `…` stands for the rest.
fn compare(step: &Step, answer: &Answer) {
    let said = format!("{}{}", answer.stdout, answer.stderr);
    let said: Vec<String> = said.lines().map(without_figures).collect();
    for line in step.shown.iter().filter(|line| line.trim() != "…") {
        let beginning = without_figures(line);
        let beginning = beginning.trim_end_matches(" …");
        assert!(
            said.iter().any(|line| line.starts_with(beginning)),
            "`{line}` is not in {answer:#?}"
        );
    }
}

fn copy_project(name: &str, sandbox: &Sandbox) {
    for file in ["Cargo.toml", "Cargo.lock", "src/main.rs"] {
        let content = fs::read(root().join("testdata/projects").join(name).join(file)).unwrap();
        sandbox.write(&format!("{name}/{file}"), content);
    }
}

#[test]
fn the_commands_give_what_is_shown() {
    let sandbox = Sandbox::new();
    copy_project("hello", &sandbox);
    copy_project("files-and-sockets", &sandbox);
    let registry = Registry::start(&sandbox, "preset:standard");
    let mut steps = steps().into_iter();
    assert_eq!(steps.next().unwrap().command, "serve &");
    for step in steps {
        let command = step.command.replace("localhost:5000", &registry.address);
        let words: Vec<&str> = command.split(' ').collect();
        let mut answer = sandbox.run(&words);
        answer.stdout = answer.stdout.replace(&registry.address, "localhost:5000");
        let is_refusal = step.shown.iter().any(|line| line.starts_with("error"));
        assert_eq!(answer.code, i32::from(is_refusal), "{command}: {answer:#?}");
        compare(&step, &answer);
    }
}

#[test]
fn the_policy_is_one() {
    let sandbox = Sandbox::new();
    sandbox.json(&["keygen"]);
    sandbox.write("policy.toml", block("toml"));
    sandbox.write_wasm(
        "app.wasm",
        r#"(component (import "wasi:cli/exit@0.2.6" (instance)))"#,
    );
    let check = |repository: &str| {
        sandbox.run(&[
            "check",
            "app.wasm",
            "--policy",
            "policy.toml",
            "--repository",
            repository,
            "--format",
            "json",
        ])
    };
    assert_eq!(check("team/app").json()["verdict"], "admit");
    assert_eq!(check("payments/app").json()["verdict"], "hold");
}
