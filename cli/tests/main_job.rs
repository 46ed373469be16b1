//! The line from a component to a verified pull, as a user types it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod command;

use command::{Registry, Sandbox};

const HELLO: &str = r#"(component
    (import "wasi:cli/stdout@0.2.6" (instance (export "get-stdout" (func)))))"#;
const SOCKETS: &str = r#"(component
    (import "wasi:cli/stdout@0.2.6" (instance (export "get-stdout" (func))))
    (import "wasi:sockets/tcp-create-socket@0.2.6" (instance (export "create-tcp-socket" (func)))))"#;

const SIGNED_POLICY: &str = r#"
schema = 1

[[rule]]
id = "signed"
repositories = ["**"]
allow = ["std"]
signatures = { require = 1, from = ["team"] }

[signer.team]
key = "team.pub"
"#;

#[test]
fn what_is_pushed_is_what_is_pulled() {
    let sandbox = Sandbox::new();
    let registry = Registry::start(&sandbox, "preset:standard");
    let wasm = sandbox.write_wasm("hello.wasm", HELLO);
    let reference = registry.reference("team/hello:1.0");
    let pushed = sandbox.json(&["push", "hello.wasm", &reference]);
    let pulled = sandbox.json(&["pull", &reference, "-o", "again.wasm"]);
    assert_eq!(pushed["digest"], pulled["digest"]);
    assert_eq!(
        std::fs::read(wasm).unwrap(),
        std::fs::read(sandbox.path().join("again.wasm")).unwrap()
    );
}

#[test]
fn check_and_push_give_the_same_findings() {
    let sandbox = Sandbox::new();
    let registry = Registry::start(&sandbox, "preset:standard");
    sandbox.write_wasm("sockets.wasm", SOCKETS);
    let checked = sandbox.run(&[
        "check",
        "sockets.wasm",
        "--repository",
        "team/app",
        "--format",
        "json",
    ]);
    let pushed = sandbox.run(&[
        "push",
        "sockets.wasm",
        &registry.reference("team/app:1"),
        "--format",
        "json",
    ]);
    assert_eq!((checked.code, pushed.code), (1, 1));
    let findings = checked.json()["findings"].clone();
    assert_eq!(
        findings[0]["import"],
        "wasi:sockets/tcp-create-socket@0.2.6"
    );
    assert_eq!(pushed.json()["error"]["detail"][0]["code"], "DENIED");
    assert_eq!(
        pushed.json()["error"]["detail"][0]["detail"]["findings"],
        findings
    );
}

#[test]
fn what_was_refused_cannot_be_pulled() {
    let sandbox = Sandbox::new();
    let registry = Registry::start(&sandbox, "preset:standard");
    sandbox.write_wasm("sockets.wasm", SOCKETS);
    let reference = registry.reference("team/app:1");
    assert_eq!(sandbox.run(&["push", "sockets.wasm", &reference]).code, 1);
    assert_eq!(sandbox.run(&["pull", &reference]).code, 3);
    assert_eq!(sandbox.names(), ["sockets.wasm", "store"]);
}

#[test]
fn a_signed_push_is_admitted_at_once_where_signatures_are_wanted() {
    let sandbox = Sandbox::new();
    sandbox.run(&["keygen", "-o", "team"]);
    sandbox.write("policy.toml", SIGNED_POLICY);
    let registry = Registry::start(&sandbox, "policy.toml");
    sandbox.write_wasm("hello.wasm", HELLO);
    let reference = registry.reference("team/hello:1.0");
    sandbox.json(&["push", "hello.wasm", &reference, "--sign-key", "team.key"]);
    let verified = sandbox.json(&["verify", &reference, "--key", "team.pub"]);
    assert_eq!(verified["signatures"].as_array().unwrap().len(), 2);
    sandbox.json(&["pull", &reference, "--key", "team.pub"]);
}

#[test]
fn an_unsigned_push_is_held_until_it_is_signed() {
    let sandbox = Sandbox::new();
    sandbox.run(&["keygen", "-o", "team"]);
    sandbox.write("policy.toml", SIGNED_POLICY);
    let registry = Registry::start(&sandbox, "policy.toml");
    sandbox.write_wasm("hello.wasm", HELLO);
    let reference = registry.reference("team/hello:1.0");
    let pushed = sandbox.json(&["push", "hello.wasm", &reference]);
    assert_eq!(pushed["held"], true);
    assert_eq!(sandbox.run(&["pull", &reference]).code, 3);
    let by_digest = registry.reference(&format!(
        "team/hello@{}",
        pushed["digest"].as_str().unwrap()
    ));
    sandbox.json(&["sign", &by_digest, "--key", "team.key"]);
    sandbox.json(&["pull", &reference, "--key", "team.pub"]);
}

#[test]
fn two_of_three_keys_are_enough_when_two_are_asked_for() {
    let sandbox = Sandbox::new();
    let registry = Registry::start(&sandbox, "preset:standard");
    sandbox.write_wasm("hello.wasm", HELLO);
    for name in ["a", "b", "c"] {
        sandbox.json(&["keygen", "-o", name]);
    }
    let reference = registry.reference("team/hello:1.0");
    sandbox.json(&["push", "hello.wasm", &reference, "--sign-key", "a.key"]);
    let keys = ["--key", "a.pub", "--key", "b.pub", "--key", "c.pub"];
    let verify = |more: &[&str]| {
        sandbox.run(&[&["verify", &reference, "--format", "json"], &keys[..], more].concat())
    };
    assert_eq!(verify(&["--require", "2"]).code, 1);
    sandbox.json(&["sign", &reference, "--key", "c.key"]);
    let two = verify(&["--require", "2"]);
    assert_eq!(two.code, 0);
    assert_eq!(two.json()["missing"][0]["path"], "b.pub");
    assert_eq!(
        verify(&[]).code,
        1,
        "all keys have to sign when nothing else is said"
    );
}

#[test]
fn a_tightened_policy_works_for_what_is_stored_already() {
    let sandbox = Sandbox::new();
    sandbox.write_wasm("sockets.wasm", SOCKETS);
    let registry = Registry::start(&sandbox, "preset:permissive");
    let pushed = sandbox.json(&["push", "sockets.wasm", &registry.reference("team/app:1")]);
    sandbox.json(&[
        "pull",
        &registry.reference("team/app:1"),
        "-o",
        "before.wasm",
    ]);
    drop(registry);
    let registry = Registry::start(&sandbox, "preset:standard");
    let by_digest = format!("team/app@{}", pushed["digest"].as_str().unwrap());
    for rest in ["team/app:1", by_digest.as_str()] {
        let pulled = sandbox.run(&["pull", &registry.reference(rest), "-o", "after.wasm"]);
        assert_eq!(pulled.code, 1, "{pulled:?}");
        assert!(
            pulled
                .stderr
                .contains("wasi:sockets/tcp-create-socket@0.2.6"),
            "{pulled:?}"
        );
    }
    assert!(!sandbox.path().join("after.wasm").exists());
}
