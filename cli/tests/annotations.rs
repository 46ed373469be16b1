//! Annotations that a policy asks for, said at the build of a project or at the push of a bare file.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod command;

use command::{Registry, Sandbox};

const POLICY: &str = "schema = 1\n[[rule]]\nid = \"owned\"\nrepositories = [\"**\"]\nallow = [\"*\"]\n\
    require-annotations = [{ name = \"org.example.owner\", value = \"team-*\" }]\n";

#[test]
fn a_bare_file_is_pushed_with_the_annotations_that_a_policy_asks_for() {
    let sandbox = Sandbox::new();
    let policy = sandbox.write("policy.toml", POLICY);
    sandbox.write_wasm("app.wasm", "(component)");
    let registry = Registry::start(&sandbox, policy.to_str().unwrap());
    let reference = registry.reference("app:1");
    let refused = sandbox.run(&["push", "app.wasm", &reference]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(
        refused.stderr.contains("--annotation org.example.owner="),
        "{refused:?}"
    );
    let other = sandbox.run(&[
        "push",
        "app.wasm",
        &reference,
        "-a",
        "org.example.owner=nobody",
    ]);
    assert_eq!(other.code, 1, "{other:?}");
    let pushed = sandbox.run(&[
        "push",
        "app.wasm",
        &reference,
        "-a",
        "org.example.owner=team-a",
    ]);
    assert_eq!(pushed.code, 0, "{pushed:?}");
}

#[test]
fn a_layout_gets_its_annotations_when_it_is_built_and_keeps_them() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "app/Cargo.toml",
        "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
    );
    sandbox.write("app/src/main.rs", "fn main() {}");
    let policy = sandbox.write("policy.toml", POLICY);
    let registry = Registry::start(&sandbox, policy.to_str().unwrap());
    let reference = registry.reference("app:1");
    let words = [
        "build",
        "app",
        "-o",
        "app.oci",
        "--no-optimize",
        "--annotation",
    ];
    let built = sandbox.json(&[&words[..], &["org.example.owner=team-b"]].concat());
    let late = [
        "push",
        "app.oci",
        &reference,
        "--annotation",
        "org.example.owner=team-a",
    ];
    let late = sandbox.run(&late);
    assert_eq!(late.code, 2, "{late:?}");
    assert!(
        late.stderr.contains("wasmport build --annotation"),
        "{late:?}"
    );
    let pushed = sandbox.json(&["push", "app.oci", &reference]);
    assert_eq!(pushed["digest"], built["digest"]);

    let title = sandbox.json(&[&words[..], &["org.opencontainers.image.title=x"]].concat());
    assert_ne!(title["digest"], built["digest"]);
    let unnamed = sandbox.run(&[&words[..], &["owner"]].concat());
    assert_eq!(unnamed.code, 2, "{unnamed:?}");
}

#[test]
fn annotations_are_tried_before_a_push() {
    let sandbox = Sandbox::new();
    sandbox.write("policy.toml", POLICY);
    sandbox.write_wasm("app.wasm", "(component)");
    let check = |words: &[&str]| {
        let words = [&["check", "app.wasm", "--policy", "policy.toml"], words].concat();
        sandbox.run(&words).code
    };
    assert_eq!(check(&[]), 1);
    assert_eq!(check(&["-a", "org.example.owner=nobody"]), 1);
    assert_eq!(check(&["--annotation", "org.example.owner=team-a"]), 0);
    let explained = sandbox.run(&[
        "policy",
        "explain",
        "app.wasm",
        "--policy",
        "policy.toml",
        "-a",
        "org.example.owner=team-a",
    ]);
    assert!(explained.stdout.ends_with("admitted\n"), "{explained:?}");
    // What is pushed has those that it was pushed with.
    let words = [
        "check",
        "localhost:1/team/app:1",
        "-a",
        "org.example.owner=team-a",
    ];
    let pushed = sandbox.run(&words);
    assert_eq!(pushed.code, 2, "{pushed:?}");
    assert!(pushed.stderr.contains("has its annotations"), "{pushed:?}");
}
