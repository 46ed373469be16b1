//! `wasmport diff`: what changed, and the verdict in the exit code.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod command;

use command::{Registry, Sandbox};

const OLD: &str = r#"(component
    (import "wasi:cli/stdout@0.2.6" (instance (export "get-stdout" (func))))
    (instance $i)
    (export "acme:app/run@1.0.0" (instance $i)))"#;
/// Asks for sockets, and has another export.
const NEW: &str = r#"(component
    (import "wasi:cli/stdout@0.2.9" (instance (export "get-stdout" (func))))
    (import "wasi:sockets/tcp-create-socket@0.2.9" (instance (export "create-tcp-socket" (func))))
    (instance $i)
    (export "acme:app/run@2.0.0" (instance $i)))"#;
/// Has an export more.
const LARGER: &str = r#"(component
    (import "wasi:cli/stdout@0.2.6" (instance (export "get-stdout" (func))))
    (instance $i)
    (export "acme:app/run@1.0.0" (instance $i))
    (export "acme:app/stop@1.0.0" (instance $i)))"#;

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write_wasm("old.wasm", OLD);
    sandbox.write_wasm("new.wasm", NEW);
    sandbox.write_wasm("larger.wasm", LARGER);
    sandbox
}

#[test]
fn what_cannot_replace_says_why() {
    let answer = sandbox().run(&["diff", "old.wasm", "new.wasm"]);
    assert_eq!((answer.code, answer.stdout.as_str()), (1, ""), "{answer:?}");
    let expected = "\
it can
  + sockets: open network connections, and listen for them
imports
  + wasi:sockets/tcp-create-socket@0.2.9 (create-tcp-socket)
  ~ wasi:cli/stdout@0.2.9, was wasi:cli/stdout@0.2.6
exports
  + acme:app/run@2.0.0
  - acme:app/run@1.0.0
no: it imports `wasi:sockets/tcp-create-socket@0.2.9`, which a host of the first need not have
no: it does not export `acme:app/run@1.0.0`
error: `new.wasm` cannot replace `old.wasm`
";
    let (size, rest) = answer.stderr.split_once('\n').unwrap();
    assert!(size.starts_with("size     "), "{size}");
    assert_eq!(rest, expected);
}

#[test]
fn what_can_replace_says_how_large_the_step_is() {
    let answer = sandbox().run(&["diff", "old.wasm", "larger.wasm"]);
    assert_eq!((answer.code, answer.stderr.as_str()), (0, ""), "{answer:?}");
    let expected = "\
exports
  + acme:app/stop@1.0.0
yes: the second can replace the first, as a minor step
";
    assert_eq!(answer.stdout.split_once('\n').unwrap().1, expected);
}

#[test]
fn the_json_is_the_same_on_yes_and_on_no() {
    let sandbox = sandbox();
    let yes = sandbox.json(&["diff", "old.wasm", "larger.wasm"]);
    assert_eq!(
        (&yes["replaces"], &yes["step"]),
        (&true.into(), &"minor".into())
    );
    let no = sandbox.run(&["diff", "old.wasm", "new.wasm", "--format", "json"]);
    let json = no.json();
    assert_eq!(
        (no.code, &json["error"]["kind"]),
        (1, &"incompatible".into())
    );
    assert_eq!(json["replaces"], false);
    assert_eq!(json["obstacles"][0]["code"], "import-added");
    assert_eq!(json["capabilities"]["added"][0]["capability"], "sockets");
}

#[test]
fn references_are_compared_too() {
    let sandbox = sandbox();
    let registry = Registry::start(&sandbox, "preset:standard");
    let reference = registry.reference("team/app:1");
    sandbox.json(&["push", "old.wasm", &reference]);
    let compared = sandbox.json(&["diff", &reference, "larger.wasm"]);
    assert_eq!(compared["replaces"], true);
    assert_eq!(sandbox.run(&["diff", "old.wasm", "missing.wasm"]).code, 2);
}

/// A component that imports and exports a function, with a record of these fields.
fn with_record(fields: &str) -> String {
    format!(
        r#"(component
        (import "acme:db/query@1.0.0" (instance
            (type $row' (record {fields}))
            (export "row" (type $row (eq $row')))
            (export "run" (func (result $row)))))
        (import "log" (func $log (param "text" string)))
        (export "log-it" (func $log)))"#
    )
}

#[test]
fn a_function_with_another_type_is_another_function() {
    let sandbox = sandbox();
    sandbox.write_wasm("one.wasm", &with_record(r#"(field "id" u64)"#));
    let more = with_record(r#"(field "id" u64) (field "name" string)"#);
    sandbox.write_wasm(
        "two.wasm",
        &more.replace(r#""text" string"#, r#""text" (list u8)"#),
    );
    let answer = sandbox.run(&["diff", "one.wasm", "two.wasm"]);
    assert_eq!((answer.code, answer.stdout.as_str()), (1, ""), "{answer:?}");
    let expected = "\
imports
  ~ acme:db/query@1.0.0
    ~ run: func() -> record { id: u64, name: string }
      was func() -> record { id: u64 }
  ~ log
    ~ log: func(text: list<u8>)
      was func(text: string)
exports
  ~ log-it
    ~ log-it: func(text: list<u8>)
      was func(text: string)
no: it calls `run` of `acme:db/query@1.0.0` with another type than the first
no: it calls `log` of `log` with another type than the first
no: its `log-it` has `log-it` with another type
error: `two.wasm` cannot replace `one.wasm`
";
    assert_eq!(answer.stderr.split_once('\n').unwrap().1, expected);
    assert_eq!(sandbox.run(&["diff", "one.wasm", "one.wasm"]).code, 0);
    let json = sandbox
        .run(&["diff", "one.wasm", "two.wasm", "--format", "json"])
        .json();
    assert_eq!(json["obstacles"][0]["code"], "import-retyped");
    assert_eq!(json["step"], "major");
}
