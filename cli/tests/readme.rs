//! The README's commands give what the README shows, and its policy is one.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod command;
mod console;

use std::fs;
use std::path::{Path, PathBuf};

use command::{Registry, Sandbox};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).unwrap()
}

/// The content of the first code block in `language`.
fn block(language: &str) -> String {
    let readme = readme();
    let mut blocks = console::blocks(&readme).into_iter();
    let block = blocks.find(|block| block.language == language);
    block.unwrap().content.to_owned()
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
    let mut steps = console::steps(&block("console")).into_iter();
    assert_eq!(steps.next().unwrap().command, "serve &");
    for step in steps {
        let command = step.command.replace("localhost:5000", &registry.address);
        let words: Vec<&str> = command.split(' ').collect();
        let mut answer = sandbox.run(&words);
        answer.stdout = answer.stdout.replace(&registry.address, "localhost:5000");
        step.compare(&answer);
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
