//! `wasmport inspect`: one screen for people.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod command;

use std::fmt::Write as _;

use command::Sandbox;

const APP: &str = r#"(component
    (import "wasi:cli/stdout@0.2.6" (instance (export "get-stdout" (func))))
    (import "acme:db/query@1.2.0" (instance
        (export "a" (func)) (export "b" (func)) (export "c" (func)) (export "d" (func))
        (export "e" (func)) (export "f" (func))))
    (core module (memory 2 16))
    (instance $run)
    (export "wasi:cli/run@0.2.6" (instance $run)))"#;

#[test]
fn what_it_is_and_what_it_can_do_is_on_one_screen() {
    let sandbox = Sandbox::new();
    sandbox.write_wasm("app.wasm", APP);
    let answer = sandbox.run(&["inspect", "app.wasm"]);
    assert_eq!(answer.code, 0, "{answer:?}");
    for line in [
        "memory   131.0 kB at the start, at most 1.0 MB",
        "imports  2",
        "  wasi:cli/stdout@0.2.6 (get-stdout)",
        "  acme:db/query@1.2.0 (a, b, c, d, 2 more)",
        "exports  1",
        "  wasi:cli/run@0.2.6",
    ] {
        let mut lines = answer.stdout.lines();
        assert!(
            lines.any(|found| found == line),
            "`{line}` is not in {}",
            answer.stdout
        );
    }
    let kind = answer.stdout.lines().next().unwrap();
    assert!(kind.starts_with("kind     component, wasip2, "), "{kind}");
    assert!(kind.ends_with(" B, 1 core module"), "{kind}");
}

#[test]
fn of_many_imports_some_are_shown_and_all_are_in_the_json() {
    let sandbox = Sandbox::new();
    let mut text = "(component".to_owned();
    for number in 0..300 {
        write!(text, "(import \"acme:db/q{number}@1.0.0\" (instance))").unwrap();
    }
    sandbox.write_wasm("many.wasm", &format!("{text})"));
    let answer = sandbox.run(&["inspect", "many.wasm"]);
    assert!(answer.stdout.lines().count() < 40, "{}", answer.stdout);
    assert!(
        answer
            .stdout
            .contains("and 284 more; `--format json` has all")
    );
    let json = sandbox.json(&["inspect", "many.wasm"]);
    assert_eq!(json["imports"].as_array().unwrap().len(), 300);
}

#[test]
fn a_name_cannot_steer_the_terminal() {
    let sandbox = Sandbox::new();
    let text = r#"(module (import "\1b[2J" "f\0a" (func)) (export "\07" (memory 0)) (memory 1))"#;
    sandbox.write_wasm("evil.wasm", text);
    let answer = sandbox.run(&["inspect", "evil.wasm"]);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert!(!answer.stdout.contains(['\u{1b}', '\u{7}']), "{answer:?}");
    assert!(answer.stdout.contains("\\u{1b}[2J"), "{answer:?}");
}
